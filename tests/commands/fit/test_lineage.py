"""The lineage of a checkpoint: the data of its own and earlier trainings, and of its test."""

import json

import pytest
import torch
from lightning import Trainer

from ser.checkpoint import load
from ser.checkpoint.reading import read_checkpoint, write_for_fold
from ser.data.corpora.manifest import Manifest
from ser.data.datamodule import EmotionData
from ser.emotions import PAPER_EMOTIONS
from ser.systems import CNNGRU
from ser.systems.lineage import entries
from ser.training.run_files import UNKNOWN
from tests.conftest import CONF
from tests.made_up.manifests import SHORT, write_manifest

SMALL = {"gru_units": 4, "dense_units": 4}
ONCE = dict.fromkeys(PAPER_EMOTIONS, 1)
PEOPLE = {"one": "abcd", "two": "efgh", "three": "ijkl"}


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpora")
    for seed, (name, speakers) in enumerate(PEOPLE.items()):
        write_manifest(folder, name, speakers, seed)
    return folder


@pytest.fixture
def options(corpora):
    """Options of a minimal run on a corpus: options("one", fold)."""
    same = ["--config", CONF / "cnn_gru.yaml", "--data.corpus", "ser.data.Manifest", "--wandb.mode", "disabled"]
    same += [word for name, value in {**SHORT, "num_workers": 0}.items() for word in (f"--data.{name}", value)]
    same += [word for name, value in SMALL.items() for word in (f"--model.{name}", value)]
    same += ["--trainer.max_epochs", 1]
    return lambda name, fold=1: [*same, "--data.corpus.csv", corpora / f"{name}.csv", "--data.fold", fold]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def steps(runs, ser, options):
    """Three trainings, each with the weights of the previous one as initial weights; the second is exported."""
    paths = {name: runs / name / "checkpoints" / "best.ckpt" for name in PEOPLE}
    paths |= {"exported": runs / "two.safetensors", "last": runs / "three.safetensors"}
    if not paths["last"].exists():
        for name, first in (("one", []), ("two", ["one"]), ("three", ["exported"])):
            begun = [word for each in first for word in ("--init_weights", paths[each])]
            assert ser("fit", *options(name), *begun, "--out", runs / name).code == 0
            for here, there in (("two", "exported"), ("three", "last")):
                if name == here:
                    assert ser("export-weights", paths[here], "--out", paths[there]).code == 0
    return paths


@pytest.mark.parametrize(
    ("command", "of", "corpus", "fold", "words"),
    [
        ("test", "two", "one", 2, "began with weights that were trained on one:c, who would be evaluated"),
        ("test", "three", "one", 4, "began with weights that were trained on one:d"),
        ("test", "last", "one", 2, "began with weights that were trained on one:c"),
        ("test", "last", "two", 2, "began with weights that were trained on two:g"),
        ("test", "last", "one", 3, "began with weights whose epoch was chosen on 4 of the recordings"),
        ("validate", "three", "one", 2, "began with weights that were trained on one:d"),
        ("fit", "two", "one", 2, "began with weights that were trained on one:d"),
        ("fit", "last", "one", 2, "began with weights that were trained on one:d"),
        ("session", "last", "one", 1, "began with weights whose epoch was chosen on 4 of the recordings"),
        ("crossval", "last", "one", None, "fold 2: {path} began with weights that were trained on one:d"),
    ],
)
def test_everyone_is_remembered_on_the_way(steps, refused, options, command, of, corpus, fold, words):
    """Each of the three was trained on the last two speakers of its corpus; its epoch was chosen on the second."""
    out = ["--out", "out", *(["--outs", '{"3": "other"}'] if command == "session" else [])]
    given = ["--ckpt_path" if command in ("test", "validate") else "--init_weights", steps[of]]
    chosen = options(corpus, fold) if fold else options(corpus)[:-2]
    refused([command, *chosen, *given, *out], [words.format(path=steps[of])])


def test_a_result_says_what_was_trained_on_and_what_was_tested_on(steps, ser, options, tmp_path):
    finished = ser("test", *options("one"), "--ckpt_path", steps["last"], "--out", tmp_path / "out")
    assert finished.code == 0, finished.err
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    trained, tested = result["trained_on"], result["tested_on"]
    own = json.loads((steps["three"].parents[1] / "result.json").read_text())
    assert (trained["corpus"], trained["protocol"], trained["fold"]) == ("three", "speaker", 1)
    assert trained["speakers"] == {"train": ["three:k", "three:l"], "val": ["three:j"]}
    assert trained["counts"] == {"train": dict.fromkeys(PAPER_EMOTIONS, 2), "val": ONCE}
    for name in ("corpus_digest", "code_digest", "versions", "train_segments", "statistics", "trained_on"):
        assert own[name] == {**trained, "trained_on": trained}[name], name
    assert trained["initial_weights"] == {
        "speakers": {"train": ["one:c", "one:d", "two:g", "two:h"], "val": ["one:b", "two:f"]},
        "utterances": {"train": 16, "val": 8},
        "complete": True,
    }
    assert (tested["corpus"], tested["speakers"], tested["counts"]) == ("one", {"test": ["one:a"]}, {"test": ONCE})
    assert tested["corpus_digest"] == result["corpus_digest"] != trained["corpus_digest"]
    assert result["counts"] == tested["counts"], "counts are of the test corpus, not of the training corpus"
    assert result["speakers"] == tested["speakers"]
    assert "train_segments" not in result
    for digest in (trained["corpus_digest"], tested["corpus_digest"]):
        assert f"protocol speaker, fold 1, corpus digest {digest}" in finished.out
    assert "16 utterances of one:c, one:d, two:g, two:h" in finished.out
    assert own["counts"]["train"] == dict.fromkeys(PAPER_EMOTIONS, 2)
    assert own["tested_on"]["speakers"] == {"val": ["three:j"], "test": ["three:i"]}


def test_a_checkpoint_of_an_older_version(steps, ser, options, tmp_path):
    old = torch.load(steps["two"], weights_only=True)
    del old["trained_on"], old["initial_weights"]
    torch.save(old, tmp_path / "old.ckpt")
    finished = ser("test", *options("one", 2), "--ckpt_path", tmp_path / "old.ckpt", "--out", tmp_path / "out")
    assert finished.code == 0, finished.err
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    (warning,) = result["warnings"]
    assert "did not record the training speakers of earlier weights" in warning
    assert f"ser: warning: {warning}" in finished.err
    assert f"weights trained on speakers {UNKNOWN}" in finished.out
    trained = result["trained_on"]
    assert (trained["corpus"], trained["protocol"], trained["fold"]) == ("two", "speaker", 1)
    assert (trained["counts"], trained["train_segments"], trained["utterances"]["train"]) == (None, None, 8)
    for name in ("corpus_digest", "code_digest"):
        assert trained[name] == read_checkpoint(steps["two"])["trained_on"][name], "from the identity"


def plain_trainer(steps: int) -> Trainer:
    silent = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    return Trainer(max_steps=steps, accelerator="cpu", limit_val_batches=0, use_distributed_sampler=False, **silent)


@pytest.mark.filterwarnings("ignore")
def test_a_plain_trainer_remembers_everyone(steps, corpora, tmp_path):
    """A loaded system is trained twice, and a checkpoint of it is continued in a new system."""

    def fold(name: str) -> EmotionData:
        return EmotionData(Manifest(str(corpora / f"{name}.csv")), **SHORT)

    def heard(path) -> tuple:
        found = read_checkpoint(path)
        before = found["initial_weights"]
        return found["speakers"]["train"], before and before["speakers"]["train"]

    one, two, three = (["one:c", "one:d"], ["two:g", "two:h"], ["three:k", "three:l"])
    system, first, second = load(steps["one"]), tmp_path / "first.ckpt", tmp_path / "second.ckpt"
    trainer = plain_trainer(1)
    trainer.fit(system, datamodule=fold("two"))
    trainer.save_checkpoint(first)
    assert heard(first) == (two, one)
    plain_trainer(1).test(system, datamodule=fold("three"), verbose=False)
    trainer = plain_trainer(1)
    trainer.fit(system, datamodule=fold("three"))
    trainer.save_checkpoint(second)
    assert heard(second) == (three, one + two)
    for name, expected in (("two", (two, one)), ("three", (three, one + two))):  # same data; other data
        trainer = plain_trainer(2)
        trainer.fit(CNNGRU(**SMALL), datamodule=fold(name), ckpt_path=first, weights_only=True)
        trainer.save_checkpoint(tmp_path / "on.ckpt")
        assert heard(tmp_path / "on.ckpt") == expected
    assert CNNGRU.load_from_checkpoint(first, weights_only=True).lineage["speakers"]["train"] == two


def test_another_fold_of_a_training_has_its_own_roles_and_the_same_beginning(steps, corpora, tmp_path):
    data = EmotionData(Manifest(str(corpora / "two.csv")), **SHORT)
    data.setup()
    write_for_fold(steps["two"], tmp_path / "other.ckpt", data.at_fold(3), {"config": {}, "versions": {}})
    here, there = (entries(read_checkpoint(path)) for path in (steps["two"], tmp_path / "other.ckpt"))
    assert there["initial_weights"] == here["initial_weights"]
    assert there["trained_on"] == here["trained_on"] | {"fold": 3}
    assert there["speakers"] == {"train": ["two:g", "two:h"], "val": ["two:e"], "test": ["two:f"]}
