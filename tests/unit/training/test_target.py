"""The corpus to test on: its emotions, labels and audio as the system of a checkpoint needs them."""

import pytest

from ser.audio.silence import Trim
from ser.data import Manifest
from ser.emotions import PAPER_EMOTIONS
from ser.errors import CorpusError, InputError
from ser.training.target import Target
from tests.made_up.manifests import write_manifest

CHECKPOINT = {"hyper_parameters": {"emotions": ["bored", "sad", "happy"]}, "standardised_by": "speaker"}


@pytest.fixture
def corpus(tmp_path):
    """The paper's four emotions, two speakers."""
    return Manifest(str(write_manifest(tmp_path, "mine", "ab", seed=1)))


def test_shared_emotions_are_in_the_systems_order_and_others_are_counted(corpus):
    data = Target(corpus).data(CHECKPOINT)
    assert data.labels.emotions == ("sad", "happy")
    assert data.emotions == ("bored", "sad", "happy"), "of the posterior"
    assert data.left_out == {"angry": 2, "neutral": 2}
    assert set(data.utterances.set) == {"test"}
    assert set(data.pieces["test"].emotions.tolist()) == {1, 2}


def test_the_paper_has_an_order_for_checkpoints_of_older_versions(corpus):
    data = Target(corpus).data({"hyper_parameters": {}, "standardised_by": "train"})
    assert data.labels.emotions == data.emotions == tuple(PAPER_EMOTIONS)


@pytest.mark.parametrize(
    ("trim", "expected"), [({"threshold_db": 30.0, "margin_seconds": 0.25}, Trim(30, 0.25)), (None, None)]
)
def test_the_corpus_is_trimmed_and_standardised_as_in_training(corpus, trim, expected):
    data = Target(corpus).data({**CHECKPOINT, "trim_silence": trim})
    assert data.trim == expected
    assert data.statistics == "speaker"


def test_labels_that_count_as_others(corpus):
    data = Target(corpus, merge={"angry": "bored", "neutral": "bored"}).data(CHECKPOINT)
    assert data.utterances.emotion.value_counts().to_dict() == {"bored": 4, "sad": 2, "happy": 2}
    chosen = Target(corpus, emotions=["happy", "bored"], merge={"sad": "bored"}).data(CHECKPOINT)
    assert chosen.labels.emotions == ("happy", "bored")
    assert chosen.utterances.emotion.value_counts().to_dict() == {"happy": 2, "bored": 2}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"emotions": ["sad", "angry"]}, InputError, "no emotion 'angry' .it answers with bored, sad, happy"),
        ({"emotions": ["sad", "sad"]}, InputError, "'sad' is there twice"),
        ({"emotions": ["sad", "bored"]}, CorpusError, "no utterance is labelled 'bored'"),
        ({"merge": {"angr": "bored"}}, InputError, "no utterance is labelled 'angr'; did you mean angry"),
        ({"merge": {"angry": "neutral"}}, InputError, "'neutral', which is not in data.emotions .bored, sad, happy"),
    ],
)
def test_refusals(corpus, options, error, message):
    with pytest.raises(error, match=message):
        Target(corpus, **options).data(CHECKPOINT)


def test_problems_of_the_corpus_are_told_before_missing_emotions(corpus, tmp_path):
    (tmp_path / "mine.csv").write_text("path,speaker,emotion\nmine0.wav,a,angry\nmine1.wav,,angry\n")
    with pytest.raises(CorpusError, match=r"mine\.csv:3: column speaker is empty"):
        Target(corpus).data(CHECKPOINT)
