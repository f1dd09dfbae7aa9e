"""The built-in corpus: IEMOCAP's layout, written completely or not at all, learnable but not trivial."""

from __future__ import annotations

import hashlib
import json
import os
import wave
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ser.data.corpora.release import BUILT_IN_MARKER
from ser.data.synthetic.corpus import Synthetic
from ser.data.synthetic.dialogs import Line, screenplay
from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Synthetic:
    made = Synthetic(str(tmp_path_factory.mktemp("built-in") / "new" / "corpus"), utterances_per_speaker=14)
    assert made.prepare()
    return made


@pytest.fixture(scope="module")
def table(corpus):
    return corpus.utterances()


@pytest.fixture
def silent(monkeypatch):
    """Utterances of 0.7 s without synthesis, for tests of files and folders."""

    def speak(self: Line, seed: int) -> np.ndarray:
        return np.arange(11_200, dtype=np.int16) + np.int16(seed)

    monkeypatch.setattr(Line, "speak", speak)


def digest(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def pcm(path: str | Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_table(table):
    assert len(table) == 140
    assert table.speaker.nunique() == 10
    # Every speaker has every emotion in both halves of the session's dialogs.
    assert table.groupby(["speaker", "dialog_half"]).emotion.nunique().eq(len(PAPER_EMOTIONS)).all()
    assert (table.groupby("speaker").size() == 14).all()
    assert table.seconds.between(0.7, 8.0).all()
    assert (table.speaker.str[5] != table.dialog_half).any()


def test_layout(corpus):
    root = corpus.place()
    wavs = root / "Session3" / "sentences" / "wav"
    labels = root / "Session3" / "dialog" / "EmoEvaluation"
    dialogs = {path.name for path in wavs.iterdir()}
    assert {"Ses03F_impro01", "Ses03M_impro01", "Ses03M_impro05a", "Ses03M_impro05b", "Ses03M_script01_1"} <= dialogs
    assert (root / "Session5" / "dialog" / "EmoEvaluation" / "Ses05M_script01_1b.txt").is_file()
    for dialog in dialogs:
        assert {path.name[len(dialog) + 1] for path in wavs.joinpath(dialog).glob("Ses*.wav")} == {"F", "M"}
        assert (labels / f"._{dialog}.txt").read_bytes().startswith(b"\x00\x05\x16\x07")
        assert list(wavs.joinpath(dialog).glob("._*.wav"))
    for sub_folder in ("Attribute", "Categorical", "Self-evaluation"):
        assert any((labels / sub_folder).iterdir())
    assert b"\r\n" in (root / "Session2" / "dialog" / "EmoEvaluation" / "Ses02F_impro01.txt").read_bytes()


def test_label_files(corpus):
    labels = corpus.place() / "Session1" / "dialog" / "EmoEvaluation"
    found = set()
    for path in labels.glob("Ses*.txt"):
        lines = path.read_text("utf-8").split("\n")
        assert lines[:2] == ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
        for line in filter(lambda line: line.startswith("["), lines):
            times, utterance, label, _ = line.split("\t")
            start, end = map(float, times.strip("[]").split(" - "))
            wav = corpus.place() / "Session1/sentences/wav" / path.stem / f"{utterance}.wav"
            assert end - start == pytest.approx(len(pcm(wav)) / 16_000, abs=2e-4)
            found.add(label)
        assert any(line.startswith("C-E2:\t") for line in lines)
        assert any(line.startswith("A-E3:\tval ") for line in lines)
    assert found == {"neu", "ang", "hap", "sad", "xxx", "fru", "exc"}


def test_an_utterance_alone_equals_the_same_within_the_corpus(corpus, table):
    lines = {line.utterance: line for dialog in screenplay(4, 14, seed=1).values() for line in dialog}
    for row in table[table.session == 4].iloc[::9].itertuples():
        assert lines[row.utterance].emotion == row.emotion
        np.testing.assert_array_equal(lines[row.utterance].speak(seed=1), pcm(row.path))
    other = lines[row.utterance].speak(seed=2)
    assert len(other) != row.seconds * 16_000 or (other != pcm(row.path)).any()


def test_a_second_preparation_does_nothing(corpus):
    before = {path: path.stat().st_mtime_ns for path in corpus.place().rglob("*")}
    assert not Synthetic(corpus.root, utterances_per_speaker=14).prepare()
    assert before == {path: path.stat().st_mtime_ns for path in corpus.place().rglob("*")}


@pytest.mark.parametrize(("option", "value"), [("utterances_per_speaker", 15), ("seed", 2)])
def test_other_parameters_are_refused(corpus, option, value):
    with pytest.raises(InputError, match=r"holds the built-in corpus with utterances_per_speaker 14, seed 1") as error:
        Synthetic(corpus.root, **{"utterances_per_speaker": 14, option: value}).utterances()
    assert f"{option} {value}" in str(error.value)


def test_what_an_older_recipe_wrote_is_read_as_it_is_and_said_so(silent, tmp_path):
    older = Synthetic(str(tmp_path / "older"), utterances_per_speaker=8)
    older.prepare()
    table = older.utterances()
    assert older.note(table) is None
    marker = tmp_path / "older" / BUILT_IN_MARKER
    written = json.loads(marker.read_text())
    marker.write_text(json.dumps({**written, "recipe": written["recipe"] - 1}))
    again = Synthetic(older.root, utterances_per_speaker=8)
    assert again.utterances().equals(table)
    assert f"recipe {written['recipe'] - 1}" in again.note(table)
    marker.write_text(json.dumps({**written, "recipe": written["recipe"] + 1}))
    with pytest.raises(InputError, match=f"recipe {written['recipe'] + 1}"):
        Synthetic(older.root, utterances_per_speaker=8).utterances()


def test_same_seed_same_bytes(silent, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        Synthetic(str(tmp_path / name), utterances_per_speaker=8, seed=seed).prepare()
    first, again, other = (digest(tmp_path / name) for name in "abc")
    assert first == again
    assert other.keys() != first.keys() or other != first
    assert os.listdir(tmp_path / "a")
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "c"]  # no other files are left


def test_an_empty_folder_is_taken(silent, tmp_path):
    (tmp_path / "empty").mkdir()
    assert Synthetic(str(tmp_path / "empty"), utterances_per_speaker=8).prepare()


def test_a_foreign_folder_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty and not the built-in corpus"):
        Synthetic(str(tmp_path)).utterances()
    assert os.listdir(tmp_path) == ["thesis.txt"]
    with pytest.raises(InputError, match="is a file"):
        Synthetic(str(tmp_path / "thesis.txt")).prepare()


def test_the_current_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="current folder"):
        Synthetic(".").prepare()


def test_a_folder_that_cannot_be_written_is_named(silent, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        Synthetic(str(tmp_path / "file" / "corpus")).prepare()


def test_a_broken_marker_is_named(tmp_path):
    (tmp_path / "ser-synthetic.json").write_text("{")
    with pytest.raises(InputError, match=r"ser-synthetic\.json: unreadable"):
        Synthetic(str(tmp_path)).prepare()


def test_no_root_names_the_option():
    with pytest.raises(InputError, match=r"--data\.corpus\.root"):
        Synthetic().utterances()


@pytest.mark.parametrize("options", [{"utterances_per_speaker": 7}, {"seed": -1}])
def test_parameters_out_of_range(options):
    with pytest.raises(InputError, match=next(iter(options))):
        Synthetic("anywhere", **options)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_writing_leaves_nothing(silent, tmp_path, monkeypatch, interruption):
    spoken = []
    speak = Line.speak

    def interrupted(self: Line, seed: int) -> np.ndarray:
        spoken.append(self.utterance)
        if len(spoken) == 60:
            raise interruption
        return speak(self, seed)

    monkeypatch.setattr(Line, "speak", interrupted)
    corpus = Synthetic(str(tmp_path / "corpus"), utterances_per_speaker=8)
    with pytest.raises(interruption):
        corpus.prepare()
    assert os.listdir(tmp_path) == []
    assert corpus.prepare()


def test_the_slower_of_two_processes_finds_the_others_corpus(silent, tmp_path, monkeypatch):
    slow, fast = (Synthetic(str(tmp_path / "corpus"), utterances_per_speaker=8) for _ in range(2))
    write = Synthetic._write

    def write_late(self: Synthetic, folder: Path) -> None:
        write(self, folder)
        if self is slow:
            assert fast.prepare()

    monkeypatch.setattr(Synthetic, "_write", write_late)
    assert not slow.prepare()
    assert os.listdir(tmp_path) == ["corpus"]
    assert json.loads((tmp_path / "corpus" / "ser-synthetic.json").read_text())["seed"] == 1


def spectral_features(path: str) -> np.ndarray:
    """Means and deviations over time, in 32 bands, of the log spectrogram and of its frame-to-frame change."""
    samples = pcm(path) / 32768
    frames = np.lib.stride_tricks.sliding_window_view(samples, 640)[::160] * np.hanning(640)
    log_magnitude = np.log(np.maximum(np.abs(np.fft.rfft(frames, 1600))[:, :512], 1e-5))
    bands = log_magnitude.reshape(len(frames), 32, 16).mean(axis=2)
    change = np.abs(np.diff(bands, axis=0))
    return np.concatenate([bands.mean(axis=0), bands.std(axis=0), change.mean(axis=0)])


def recall_over_groups(features: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> float:
    """Unweighted accuracy of logistic regression, each group predicted from the others."""
    predicted = np.empty_like(labels)
    for group in np.unique(groups):
        tested = groups == group
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000, class_weight="balanced"))
        predicted[tested] = model.fit(features[~tested], labels[~tested]).predict(features[tested])
    return balanced_accuracy_score(labels, predicted)


def test_emotions_can_be_learned_from_other_speakers_but_are_not_trivial(table):
    features = np.stack([spectral_features(path) for path in table.path])
    emotions, sessions = table.emotion.to_numpy(str), table.session.to_numpy()
    assert 0.65 < recall_over_groups(features, emotions, sessions) < 0.95
    shuffled = np.random.default_rng(1).permutation(emotions)
    assert recall_over_groups(features, shuffled, sessions) < 0.42
    # Loudness and length alone do not determine the label.
    loudness = [np.log(np.mean(pcm(path).astype(float) ** 2)) for path in table.path]
    for scalar in (loudness, table.seconds):
        assert recall_over_groups(np.array(scalar)[:, None], emotions, sessions) < 0.6
    # The speaker is as audible as the emotion: chance is 10 %.
    assert recall_over_groups(features, table.speaker.to_numpy(str), np.arange(len(table)) % 5) > 0.3
