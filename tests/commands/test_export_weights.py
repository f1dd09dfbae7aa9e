"""Weights that leave: exported, loaded, tested, and taken as the beginning of another training."""

import json

import pandas as pd
import pytest
import torch
from safetensors import safe_open

from benchmarks.short_corpus import shorten
from ser.checkpoint import load
from ser.checkpoint.reading import read_checkpoint
from ser.data import Synthetic
from ser.emotions import NUM_EMOTIONS
from tests.conftest import CONF, TINY_SECONDS, TINY_SEGMENTS


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """Another built-in corpus: other voices, but the same names."""
    root = tmp_path_factory.mktemp("corpora") / "elsewhere"
    Synthetic(str(root), utterances_per_speaker=8, seed=2).prepare()
    shorten(sorted(root.rglob("[!.]*.wav")), TINY_SECONDS)
    from ser.data import IEMOCAP

    table = IEMOCAP(str(root)).utterances()
    table["speaker"] = "x" + table.speaker
    table.to_csv(root.parent / "elsewhere.csv", index=False)
    return root.parent / "elsewhere.csv"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("exported")


@pytest.fixture
def exported(folder, ser, tiny):
    """The run of a system, and its best epoch as safetensors."""
    out = folder / "best.safetensors"
    if not out.exists():
        assert ser("fit", "--config", CONF / "gru_seqcap.yaml", *tiny, "--out", folder / "run").code == 0
        finished = ser("export-weights", folder / "run" / "checkpoints" / "best.ckpt", "--out", out)
        assert finished.code == 0, finished.err
        assert "CNNGRUSeqCap, epoch 1" in finished.out
    return folder / "run", out


def test_an_exported_system_gives_the_same_posteriors(exported):
    run, out = exported
    waveform = torch.rand(2, 30_000, generator=torch.Generator().manual_seed(1)) - 0.5
    lengths = torch.tensor([30_000, 12_345])
    before, after = (load(path) for path in (run / "checkpoints" / "best.ckpt", out))
    with torch.no_grad():
        first, second = (system.posterior(waveform, lengths) for system in (before, after))
    assert first.shape == (2, NUM_EMOTIONS)
    assert torch.equal(first, second)


def test_the_file_says_what_it_is(exported):
    run, out = exported
    with safe_open(out, framework="pt") as file:
        metadata = file.metadata()
    checkpoint = read_checkpoint(run / "checkpoints" / "best.ckpt")
    for name in ("system", "hyper_parameters", "speakers", "recordings", "standardised_by", "epoch"):
        assert json.loads(metadata[name]) == checkpoint[name]
    assert metadata["ser"]
    assert not [name for name, text in metadata.items() if '"/' in text], "no absolute path leaves the machine"


def test_an_exported_system_is_tested_as_its_checkpoint(exported, ser, tmp_path):
    run, out = exported
    common = ["test", "--config", run / "config.yaml", "--ckpt_path", out]
    finished = ser(*common, "--out", tmp_path / "t")
    assert finished.code == 0, finished.err
    assert (tmp_path / "t" / "predictions.csv").read_text() == (run / "predictions.csv").read_text()
    finished = ser(*common, "--data.fold", 2, "--out", tmp_path / "u")
    assert finished.code == 2
    assert "was trained on synthetic:Ses02F" in finished.err


def test_nothing_is_overwritten(exported, ser, tmp_path):
    run, out = exported
    best = run / "checkpoints" / "best.ckpt"
    assert "exists already" in ser("export-weights", best, "--out", out).err
    assert "must end in .safetensors" in ser("export-weights", best, "--out", tmp_path / "x.pt").err
    finished = ser("export-weights", best, "--out", tmp_path / "no.safetensors" / "x.safetensors")
    assert finished.code == 0, "its folder is made"
    assert ser("export-weights", tmp_path / "none.ckpt", "--out", tmp_path / "y.safetensors").code == 2


def test_every_export_of_a_checkpoint_is_the_same_file(exported, ser, tmp_path):
    run, out = exported
    for number in range(3):
        path = tmp_path / f"{number}.safetensors"
        assert ser("export-weights", run / "checkpoints" / "best.ckpt", "--out", path).code == 0
        assert path.read_bytes() == out.read_bytes()


def test_a_training_begins_with_the_weights_it_is_given(exported, ser, elsewhere, tmp_path):
    """At a learning rate near zero it ends where it began; only the statistics are its own."""
    _, out = exported
    corpus = ["--data", CONF / "manifest.yaml", "--data.corpus.csv", elsewhere, "--wandb.mode", "disabled"]
    options = [*corpus, *TINY_SEGMENTS, "--trainer.max_epochs", 1, "--model.learning_rate", 1e-30]
    options += ["--init_weights", out]
    finished = ser("fit", "--config", CONF / "gru_seqcap.yaml", *options, "--out", tmp_path / "run")
    assert finished.code == 0, finished.err
    given = read_checkpoint(out)["state_dict"]
    begun = read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")["state_dict"]
    for name, tensor in given.items():
        if name != "standardisation.statistics":
            torch.testing.assert_close(begun[name], tensor, rtol=0, atol=1e-20)
    assert not torch.equal(begun["standardisation.statistics"], given["standardisation.statistics"])
    identity = json.loads((tmp_path / "run" / "identity.json").read_text())
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert identity["config"]["init_weights"] == f"SHA-256 {result['init_weights']}"
    assert set(pd.read_csv(tmp_path / "run" / "predictions.csv").speaker) == {"xSes01F"}


def test_weights_that_have_heard_the_tested_are_no_beginning(exported, ser, tiny, tmp_path):
    _, out = exported
    for fold, words in ((2, "was trained on synthetic:Ses02M, who would be evaluated"), (6, "was chosen on 8 of the")):
        options = [*tiny, "--init_weights", out, "--data.fold", fold, "--out", tmp_path / "run"]
        finished = ser("fit", "--config", CONF / "gru_seqcap.yaml", *options)
        assert finished.code == 2
        assert words in finished.err
    options = [*tiny, "--init_weights", out, "--out", tmp_path / "run"]
    finished = ser("fit", "--config", CONF / "seqcap.yaml", *options)
    assert finished.code == 2
    assert f"{out} does not fit CNNSeqCap as configured: unknown weight 'branches.gru" in finished.err
    assert not (tmp_path / "run").exists()
