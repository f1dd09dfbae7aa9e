"""Exported weights: loaded, tested, and used as initial weights of another training."""

import json

import pandas as pd
import pytest
import torch
from safetensors import safe_open

from benchmarks.short_corpus import shorten
from ser.checkpoint import load
from ser.checkpoint.reading import read_checkpoint
from ser.commands.export_weights import main
from ser.data import Synthetic
from ser.emotions import PAPER_EMOTIONS
from tests.conftest import CONF, TINY_SECONDS, TINY_SEGMENTS


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A manifest of another built-in corpus, with other voices and speaker names."""
    root = tmp_path_factory.mktemp("corpora") / "elsewhere"
    Synthetic(str(root), utterances_per_speaker=8, seed=2).prepare()
    shorten(sorted(root.rglob("[!.]*.wav")), TINY_SECONDS)
    from ser.data import IEMOCAP

    table = IEMOCAP(str(root)).utterances()
    table["speaker"] = "x" + table.speaker
    table.to_csv(root.parent / "elsewhere.csv", index=False)
    return root.parent / "elsewhere.csv"


@pytest.fixture(scope="module")
def exported(made_once, fitted, best_of):
    """The folder of a run, and its best epoch as safetensors."""
    best = str(best_of("gru_seqcap"))
    place = made_once("exported", lambda place: main([best, "--out", str(place / "a.safetensors")]))
    return fitted("gru_seqcap")[0], place / "a.safetensors"


def test_an_exported_system_gives_the_same_posteriors(exported):
    run, out = exported
    waveform = torch.rand(2, 30_000, generator=torch.Generator().manual_seed(1)) - 0.5
    lengths = torch.tensor([30_000, 12_345])
    before, after = (load(path) for path in (run / "checkpoints" / "best.ckpt", out))
    with torch.no_grad():
        first, second = (system.posterior(waveform, lengths) for system in (before, after))
    assert first.shape == (2, len(PAPER_EMOTIONS))
    assert torch.equal(first, second)


def test_the_file_says_what_it_is(exported):
    run, out = exported
    with safe_open(out, framework="pt") as file:
        metadata = file.metadata()
    checkpoint = read_checkpoint(run / "checkpoints" / "best.ckpt")
    for name in ("system", "hyper_parameters", "speakers", "recordings", "standardised_by", "epoch"):
        assert json.loads(metadata[name]) == checkpoint[name]
    assert metadata["ser"]
    assert not [name for name, text in metadata.items() if '"/' in text], "no absolute path is exported"


def test_an_exported_system_is_tested_as_its_checkpoint(exported, ser, tmp_path):
    run, out = exported
    common = ["test", "--config", run / "config.yaml", "--ckpt_path", out]
    finished = ser(*common, "--out", tmp_path / "t")
    assert finished.code == 0, finished.err
    assert (tmp_path / "t" / "predictions.csv").read_text() == (run / "predictions.csv").read_text()
    finished = ser(*common, "--data.fold", 2, "--out", tmp_path / "u")
    assert finished.code == 2
    assert "was trained on synthetic:Ses02F" in finished.err


def test_its_folder_is_made_and_what_was_exported_is_said(best_of, ser, tmp_path):
    finished = ser("export-weights", best_of("gru_seqcap"), "--out", tmp_path / "no.safetensors" / "x.safetensors")
    assert finished.code == 0, finished.err
    assert "CNNGRUSeqCap, epoch 1" in finished.out


BEST = "BEST OF gru_seqcap"


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ([BEST, "--out", "taken.safetensors"], ["taken.safetensors", "exists already"]),
        ([BEST, "--out", "x.pt"], ["must end in .safetensors"]),
        (["none.ckpt", "--out", "y.safetensors"], ["none.ckpt"]),
    ],
)
def test_refusals(refused, words, parts):
    refused(["export-weights", *words], parts, {"taken.safetensors": "mine"})


def test_every_export_of_a_checkpoint_is_the_same_file(exported, ser, tmp_path):
    run, out = exported
    for number in range(3):
        path = tmp_path / f"{number}.safetensors"
        assert ser("export-weights", run / "checkpoints" / "best.ckpt", "--out", path).code == 0
        assert path.read_bytes() == out.read_bytes()


def test_a_training_begins_with_the_weights_it_is_given(exported, ser, elsewhere, tmp_path):
    """At a learning rate near zero the weights stay the initial ones; only the statistics are recomputed."""
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


@pytest.mark.parametrize(
    ("config", "fold", "parts"),
    [
        ("gru_seqcap", 2, ["was trained on synthetic:Ses02M", "evaluated"]),
        ("gru_seqcap", 6, ["was chosen on 8 of the"]),
        ("seqcap", 1, ["a.safetensors does not fit CNNSeqCap as configured", "'branches.gru"]),
    ],
)
def test_weights_that_are_no_beginning(exported, refused, config, fold, parts):
    words = ["fit", "--config", CONF / f"{config}.yaml", "TINY", "--init_weights", exported[1]]
    refused([*words, "--data.fold", fold, "--out", "run"], parts)
