"""One training for all folds with the same training set."""

import json

import pandas as pd
import pytest

from ser.checkpoint.reading import read_checkpoint
from ser.data import Synthetic
from ser.data.datamodule import EmotionData
from ser.errors import InputError
from tests.conftest import CONF, SMALL_CAPSULES


def test_one_training_serves_both_directions(ser, least, tmp_path):
    """Folds 2 and 7 of protocol speaker, trained once, equal two separate `ser fit`."""
    options = ["--config", CONF / "reccap.yaml", *least, *SMALL_CAPSULES]
    options += ["--data.protocol", "speaker", "--epochs-averaged", 1]
    finished = ser("crossval", *options, "--folds", "2,7", "--out", tmp_path / "pair")
    assert finished.code == 0, finished.err
    assert "to train    1 " in finished.out
    assert "no logger configured" not in (tmp_path / "pair" / "seed1-fold02.log").read_text()
    for fold in (2, 7):
        separate = tmp_path / f"separate{fold}"
        assert ser("fit", *options, "--data.fold", fold, "--out", separate).code == 0
        together = tmp_path / "pair" / f"seed1-fold0{fold}"
        tables = sorted(path.name for path in separate.glob("*.csv"))
        assert len(tables) == 5
        for name in tables:
            assert (separate / name).read_bytes() == (together / name).read_bytes(), (fold, name)
        results = [json.loads((each / "result.json").read_text()) for each in (separate, together)]
        assert results[0] | {"checkpoint": ""} == results[1] | {"checkpoint": ""}
        again = ["test", "--config", together / "config.yaml", "--ckpt_path", together / "checkpoints/best.ckpt"]
        assert ser(*again, "--out", tmp_path / f"again{fold}").code == 0
        retested = (tmp_path / f"again{fold}" / "predictions.csv").read_bytes()
        assert retested == (together / "predictions.csv").read_bytes()
    # The second direction's checkpoint records its validation speaker and cannot be tested on them.
    wrong = ["test", "--config", tmp_path / "pair" / "seed1-fold02" / "config.yaml", "--ckpt_path"]
    refused = ser(*wrong, tmp_path / "pair" / "seed1-fold07" / "checkpoints" / "best.ckpt")
    assert refused.code == 2
    assert "was chosen on" in refused.err


def test_three_folds_of_one_training_set_are_three_trainings_of_their_own(ser, least, tiny_corpus, tmp_path):
    """Folds of a file that test one, two and one speaker of the two sessions that are not trained."""
    table = Synthetic(str(tiny_corpus), utterances_per_speaker=8).utterances()
    tested = {"one": {"Ses01F"}, "two": {"Ses01M", "Ses02F"}, "three": {"Ses02M"}}
    rows = []
    for name, people in tested.items():
        sets = table.session.map({1: "dev", 2: "dev"}).fillna("train").mask(table.speaker.isin(people), "test")
        rows.append(table.assign(fold=name, set=sets)[["utterance", "fold", "set"]])
    pd.concat(rows).to_csv(tmp_path / "own.csv", index=False)
    options = ["--config", CONF / "cnn_gru.yaml", *least, "--data.protocol", "split", "--trainer.max_epochs", 2]
    options += ["--data.splits", tmp_path / "own.csv"]
    finished = ser("crossval", *options, "--out", tmp_path / "all")
    assert finished.code == 0, finished.err
    assert "to train    1 " in finished.out
    assert "fold 1 is 'one', 2 is 'three', 3 is 'two' in the file" in finished.out
    for fold, name in ((1, "one"), (2, "three"), (3, "two")):
        separate, together = tmp_path / f"separate{fold}", tmp_path / "all" / f"seed1-fold0{fold}"
        assert ser("fit", *options, "--data.fold", fold, "--out", separate).code == 0
        for table in ("predictions.csv", "validation.csv", "metrics.csv"):
            assert (separate / table).read_bytes() == (together / table).read_bytes(), (fold, table)
        results = [json.loads((each / "result.json").read_text()) for each in (separate, together)]
        assert results[0] | {"checkpoint": ""} == results[1] | {"checkpoint": ""}
        assert results[0]["fold_name"] == name
        assert {who.split(":")[1] for who in results[0]["speakers"]["test"]} == tested[name]
        kept = [read_checkpoint(each / "checkpoints" / "best.ckpt") for each in (separate, together)]
        for entry in ("speakers", "recordings", "trained_on", "epoch"):
            assert kept[0][entry] == kept[1][entry], (fold, entry)


@pytest.mark.parametrize(
    ("protocol", "fold", "others"), [("speaker", 1, [6]), ("speaker", 9, [4]), ("wu2019", 2, [1, 5])]
)
def test_another_fold_is_that_fold(tiny_corpus, protocol, fold, others):
    corpus = Synthetic(str(tiny_corpus), utterances_per_speaker=8)
    here = EmotionData(corpus, protocol=protocol, fold=fold)
    here.setup()
    for number in others:
        there, other = EmotionData(corpus, protocol=protocol, fold=number), here.at_fold(number)
        there.setup()
        assert other.fold == number
        assert other.speaker_identities == there.speaker_identities
        assert other.digests == there.digests
        pd.testing.assert_frame_equal(other.utterances, there.utterances)
        for name, pieces in there.pieces.items():
            assert other.pieces[name].rows.tolist() == pieces.rows.tolist()
    with pytest.raises(InputError, match="fold is 11"):
        here.at_fold(11)
