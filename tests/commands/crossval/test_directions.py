"""One training for both directions of a session."""

import json

import pandas as pd
import pytest

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


def test_the_other_direction_is_the_other_fold(tiny_corpus):
    for fold, opposite in ((1, 6), (3, 8), (9, 4)):
        corpus = Synthetic(str(tiny_corpus), utterances_per_speaker=8)
        here, there = EmotionData(corpus, fold=fold), EmotionData(corpus, fold=opposite)
        here.setup()
        there.setup()
        other = here.other_direction()
        assert other.fold == opposite
        assert other.speaker_identities == there.speaker_identities
        assert other.digests == there.digests
        pd.testing.assert_frame_equal(other.utterances, there.utterances)
    halves = EmotionData(corpus, protocol="wu2019")
    halves.setup()
    with pytest.raises(InputError, match="second direction"):
        halves.other_direction()
