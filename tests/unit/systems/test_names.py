"""Speaker identities in checkpoints and corpora, and in checkpoints of older versions."""

import json

import pytest
import torch
import wandb

from ser.data import Synthetic
from ser.data.corpora.manifest import Manifest
from ser.data.datamodule import EmotionData
from ser.errors import InputError
from ser.systems.lineage import check_unheard, doubts, entries
from ser.training.run_files import describe_origin, training_record
from ser.training.tracking.tracking import Tracking
from tests.made_up.manifests import SHORT, write_manifest


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return write_manifest(tmp_path_factory.mktemp("corpus"), "one", "abcd", seed=0)


@pytest.mark.parametrize(
    ("identity", "complete"),
    [
        (None, False),  # exported, or trained from Python
        ({"config": {}, "versions": {}}, True),
        ({"config": {"init_weights": None}, "versions": {}}, True),
        ({"config": {"init_weights": "SHA-256 0"}, "versions": {"torch": 2}, "corpus": torch.ones(1)}, False),
    ],
)
def test_what_an_older_checkpoint_says_of_its_beginning(identity, complete):
    found = entries(made_up() | {"identity": identity})
    assert (found["initial_weights"] is None) == complete
    json.dumps(training_record(found)), "plain values for every identity"


def made_up(train=("x:y",), val=()) -> dict:
    """The entries of an older checkpoint that matter here."""
    return {
        "speakers": {"train": [*train], "val": [*val], "test": []},
        "recordings": {"train": [], "val": [], "test": []},
        "standardised_by": "train",
        "identity": {"config": {}, "versions": {}},
    }


@pytest.mark.parametrize(
    ("name", "train", "val", "refused", "warned"),
    [
        (None, ["one:c"], [], True, False),
        (None, ["manifest:c"], [], True, False),  # an older version used this name for every CSV file
        ("other", ["manifest:c"], [], True, False),
        ("other", ["one:c"], [], False, True),
        (None, ["two:c"], [], False, True),
        (None, ["emodb:c", "emodb:d"], [], False, True),
        (None, [], ["two:c"], False, True),
        (None, [], ["one:c"], True, False),
        (None, ["two:x"], ["two:y"], False, False),
        (None, ["one:a"], ["one:b"], False, False),  # not tested in fold 2
        (None, ["no colon", "c", ":"], [], False, False),
    ],
)
@pytest.mark.parametrize("before", [False, True])
def test_the_same_person_and_another_one_of_the_same_name(manifest, name, train, val, refused, warned, before):
    """Fold 2 tests c and validates d. The result is the same for a checkpoint's own training and an earlier one."""
    data = EmotionData(Manifest(str(manifest), name), fold=2, **SHORT)
    data.setup()
    found = entries(made_up(train, val))
    if before:
        found = entries(made_up()) | {"initial_weights": {**found, "complete": True}}
    if refused:
        with pytest.raises(InputError, match=r"[:]c, who would be") as caught:
            check_unheard(found, "x.ckpt", data, "test")
        again = entries(made_up(train, val) | {"recordings": data.digests | {"train": data.digests["test"]}})
        with pytest.raises(InputError) as of_the_same:
            check_unheard(again, "x.ckpt", data, "test")
        remedy = "other people and only the names agree, name this corpus: --data.corpus.name NAME."
        assert (remedy in str(caught.value)) is ("one:c" in [*train, *val]), "another corpus name helps"
        assert remedy not in str(of_the_same.value), "the recordings are the same"
    else:
        check_unheard(found, "x.ckpt", data, "test")
    assert len(doubts(found, "the checkpoint", data, ["test"])) == warned


def test_other_corpora_are_no_manifest(tiny_corpus):
    data = EmotionData(Synthetic(str(tiny_corpus), utterances_per_speaker=8), **SHORT)
    data.setup()
    found = entries(made_up(["manifest:Ses01F"]))
    check_unheard(found, "x.ckpt", data, "test")
    (warning,) = doubts(found, "the checkpoint", data, ["test"])
    assert "speakers Ses01F of manifest" in warning


def test_names_from_a_file_do_not_write_on_the_screen():
    found = entries(made_up(["\x1b[2J:\x1b[31m"], ["\x1b[2J:b\n"]))
    tested = {**dict.fromkeys(("corpus", "protocol", "fold", "test_halves", "corpus_digest"), "x"), "speakers": {}}
    assert all(line.isprintable() for line in describe_origin(training_record(found), tested))


def test_a_long_name_of_a_corpus_is_a_tag_that_wandb_takes(tmp_path, monkeypatch):
    monkeypatch.setattr("ser.training.tracking.tracking.BEGUN", [])
    monkeypatch.setenv("WANDB_SILENT", "true")
    (run,) = Tracking().loggers(tmp_path, ["CNNGRU", 100 * "x"], "fold")
    assert wandb.Settings(run_tags=run.settings["run_tags"]).run_tags == ("CNNGRU", 64 * "x")
