"""`ser transfer`: the built-in corpus and another one over a telephone, tested in both directions, and refusals."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score

from benchmarks.short_corpus import UTTERANCES_PER_SPEAKER, shorten
from ser.data import IEMOCAP
from ser.results.transferred import EACH
from ser.results.transferred_result import read_transfer
from tests.conftest import CONF, SMALL_CAPSULES, TINY_SECONDS, TINY_SEGMENTS
from tests.made_up.telephone import write_telephone_corpus
from tests.shared_runs import run_once

EMOTIONS = ["neutral", "angry", "happy", "sad"]
QUIET = ["--wandb.mode", "disabled"]


@pytest.fixture(scope="module")
def telephone(made_once):
    """The manifest of the second corpus."""

    def make(place: Path) -> None:
        write_telephone_corpus(place, UTTERANCES_PER_SPEAKER)
        shorten(sorted((place / "voices").rglob("[!.]*.wav")), TINY_SECONDS)

    return made_once("telephone", make) / "telephone.csv"


@pytest.fixture(scope="module")
def called(made_once, telephone):
    """A cross-validation of three folds on the second corpus."""
    words = ["crossval", "--config", CONF / "gru_seqcap.yaml", "--data", CONF / "manifest.yaml", *TINY_SEGMENTS]
    words += ["--data.corpus.csv", telephone, "--data.protocol", "speaker_groups", "--data.num_folds", 3]
    words += [*SMALL_CAPSULES, "--trainer.max_epochs", 1, *QUIET]
    return made_once("called", lambda place: run_once(place, *words)) / "run"


@pytest.fixture(scope="module")
def to_telephone(made_once, undisturbed, telephone):
    """The cross-validation on the built-in corpus, tested on the second one: its folder, and what was printed."""
    words = ["transfer", undisturbed[0], "--data.corpus.csv", telephone]
    place = made_once("to-telephone", lambda place: run_once(place, *words))
    return place / "run", (place / "printed.txt").read_text()


def posteriors(table, emotions=EMOTIONS):
    return table.sort_values("utterance")[[f"p_{name}" for name in emotions]].to_numpy()


def test_every_utterance_is_tested_by_all_systems_and_their_mean(to_telephone, telephone):
    folder, printed = to_telephone
    mean, each = pd.read_csv(folder / "predictions.csv"), pd.read_csv(folder / EACH)
    rows = pd.read_csv(telephone)
    assert sorted(mean.utterance) == sorted(rows.utterance)
    assert mean.set_index("utterance").emotion.to_dict() == rows.set_index("utterance").emotion.to_dict()
    assert sorted(set(zip(each.seed, each.fold, strict=True))) == [(1, fold) for fold in range(1, 6)]
    parts = [posteriors(table) for _, table in each.groupby("fold")]
    assert np.allclose(posteriors(mean), sum(parts) / 5, atol=1e-6)
    assert len({part.tobytes() for part in parts}) == 5, "the systems differ"
    about = read_transfer(folder).about
    assert about["wa"] == accuracy_score(mean.emotion, mean.predicted)
    assert about["trained_on"]["folds"] == [1, 2, 3, 4, 5]
    assert (about["trained_on"]["corpus"], about["corpus"]) == ("synthetic", "telephone")
    assert (about["left_out"], about["emotions_left_out"], about["probability_left_out"]) == ({}, [], 0)
    assert "CNNGRUSeqCap trained on synthetic (protocol wu2019, 5 folds, 1 seed), tested on telephone\n" in printed
    assert f"Mean posterior: WA {100 * about['wa']:.2f} %" in printed
    assert f"This result: {folder}" in printed
    assert "wandb sync" in printed
    assert list((folder / "wandb").glob("offline-run-*"))


def test_the_posteriors_are_those_of_ser_test(ser, to_telephone, undisturbed, telephone, tmp_path):
    """`ser test` can test the utterances of one session."""
    words = [
        "test",
        "--config",
        CONF / "gru_seqcap.yaml",
        "--data",
        CONF / "manifest.yaml",
        "--data.corpus.csv",
        telephone,
    ]
    words += ["--data.protocol", "session", *TINY_SEGMENTS, *QUIET, "--out", tmp_path / "tested"]
    words += ["--ckpt_path", undisturbed[0] / "seed1-fold02" / "checkpoints" / "best.ckpt"]
    assert ser(*words).code == 0
    tested = pd.read_csv(tmp_path / "tested" / "predictions.csv")
    each = pd.read_csv(to_telephone[0] / EACH)
    same = each[(each.fold == 2) & each.utterance.isin(tested.utterance)]
    assert len(same) == len(tested) > 0
    for branch in ("", "capsule_", "gru_"):
        columns = [f"{branch}p_{name}" for name in EMOTIONS]
        found, expected = (table.sort_values("utterance")[columns] for table in (same, tested))
        assert np.allclose(found, expected, atol=1e-5)


def test_fewer_emotions_under_other_labels(ser, to_telephone, undisturbed, telephone, tmp_path):
    """The corpus says "joy", and one fold tests only two emotions in another order."""
    table = pd.read_csv(telephone).replace({"emotion": {"happy": "joy"}})
    table.to_csv(tmp_path / "joyful.csv", index=False)
    words = ["transfer", undisturbed[0] / "seed1-fold01", "--data.corpus.csv", tmp_path / "joyful.csv", *QUIET]
    words += ["--data.merge", "{joy: happy}", "--data.emotions", "[sad, happy]", "--out", tmp_path / "out"]
    assert ser(*words).code == 0
    found, whole = pd.read_csv(tmp_path / "out" / "predictions.csv"), pd.read_csv(to_telephone[0] / EACH)
    whole = whole[(whole.fold == 1) & whole.emotion.isin(["sad", "happy"])]
    both = whole.sort_values("utterance")[["p_sad", "p_happy"]]
    assert [name for name in found if name.startswith("p_")] == ["p_sad", "p_happy"]
    assert np.allclose(posteriors(found, ["sad", "happy"]), both.div(both.sum(axis=1), axis=0), atol=1e-5)
    assert np.allclose(found.sort_values("utterance").left_out, 1 - both.sum(axis=1), atol=1e-5)
    about = json.loads((tmp_path / "out" / "result.json").read_text())
    counts = table.emotion.value_counts()
    assert about["left_out"] == {"angry": counts["angry"], "neutral": counts["neutral"]}
    assert about["merge"] == {"joy": "happy"}
    assert about["emotions_left_out"] == ["neutral", "angry"]


def test_both_directions_make_a_matrix(ser, to_telephone, undisturbed, called, tiny_corpus, tmp_path):
    corpus = ["--data.corpus", "ser.data.Synthetic", "--data.corpus.root", tiny_corpus]
    corpus += ["--data.corpus.utterances_per_speaker", UTTERANCES_PER_SPEAKER]
    back = tmp_path / "telephone-on-synthetic"
    assert ser("transfer", called, *corpus, *QUIET, "--out", back).code == 0
    folders = {"synthetic": undisturbed[0], "telephone": called, "there": to_telephone[0], "back": back}
    for name, folder in folders.items():
        (tmp_path / name).symlink_to(folder)
    finished = ser("report", *(tmp_path / name for name in folders), "--out", tmp_path / "report")
    assert finished.code == 0, finished.err
    matrix = pd.read_csv(tmp_path / "report" / "wa-CNN_GRU-SeqCap.csv", index_col=0)
    for trained, tested, name, utterances in (
        ("synthetic", "synthetic", "synthetic", 40),  # protocol wu2019 tests one half of each session
        ("telephone", "telephone", "telephone", 80),
        ("synthetic", "telephone", "there", 80),
        ("telephone", "synthetic", "back", 80),
    ):
        table = pd.read_csv(folders[name] / "predictions.csv")
        assert len(table) == utterances
        share = 100 * accuracy_score(table.emotion, table.predicted)
        assert matrix.loc[trained][f"{tested}: %"] == pytest.approx(share, abs=1e-4)
    assert "CNN_GRU-SeqCap trained on telephone and tested on synthetic: WA" in finished.out
    assert "n telephone the cross-validation of CNN_GRU-SeqCap" in finished.out
    assert "n synthetic the cross-validation" not in finished.out, "it is on other utterances"


def copy_of(folder: Path, to: Path, *without: str) -> None:
    shutil.copytree(folder, to, ignore=shutil.ignore_patterns(*without, "wandb"))


REFUSALS = [
    (["none"], ["none: no such folder", "ser crossval"]),
    (
        ["RUN", "SYNTHETIC"],
        ["was trained on synthetic:Ses0", "would be evaluated here", "the result would mean nothing"],
    ),
    (["RUN", "--data.corpus.csv", "renamed.csv"], ["was trained on ", "of the recordings evaluated here"]),
    (["RUN", "--data.corpus.csv", "one.csv"], ["of these one has only sad", "its labels: joy, sad", "--data.merge"]),
    (["RUN", "--data.corpus.csv", "none.csv"], ["none.csv"]),
    (["RUN", "--data.corpus.csv", "broken.csv"], ["broken.csv:3", "column emotion is empty"]),
    (
        ["RUN", "TELEPHONE", "--data.emotions", "[sad, hapy]"],
        ["no emotion 'hapy'; did you mean happy?", "neutral, angry"],
    ),
    (["RUN", "TELEPHONE", "--data.emotions", "[sad]"], ["data.emotions is ['sad']", "must be 2 to"]),
    (["RUN", "--data.corpus.csv", "one.csv", "--data.emotions", "[sad, angry]"], ["no utterance is labelled 'angry'"]),
    (["RUN", "TELEPHONE", "--data.merge", "{joy: happy}"], ["data.merge: no utterance is labelled 'joy'", "telephone"]),
    (["RUN", "TELEPHONE", "--data.merge", "{joy: hapy}"], ["counts 'joy' as 'hapy', which is not in data.emotions"]),
    (["RUN", "TELEPHONE", "--data.merge", "{sad: angry}"], ["counts 'sad' as 'angry', but 'sad' is in data.emotions"]),
    (["RUN", "TELEPHONE", "--data.fold", 2], ["no such option", ": ser transfer --help"]),
    (["RUN", "TELEPHONE", "--data.max_batch_seconds", 0], ["data.max_batch_seconds is 0"]),
    (["RUN", "TELEPHONE", "--accelerator", "tpus"], ["accelerator: ", "tpus"]),
    (["RUN", "TELEPHONE", "--out", "used"], ["--out used already holds other files"]),
    (["RUN", "TELEPHONE", "--out", "one.csv"], ["--out one.csv", "Not a directory"]),
    (["bare", "TELEPHONE"], ["best.ckpt: missing; the weights are needed"]),
    (["unfinished", "TELEPHONE"], ["unfinished: not a result", "an unfinished `ser crossval` has none yet"]),
    (["TRANSFER", "TELEPHONE"], ["not a training; give the folder of a `ser fit` or `ser crossval`"]),
    (["used", "TELEPHONE"], ["used: not a result"]),
    (
        ["mixed", "TELEPHONE"],
        ["seed1-fold02/checkpoints/best.ckpt is of another training: its fold is 1, in", "it is 2"],
    ),
    (["report", "RUN", "TRANSFER", "--unpaired", "--out", "out"], ["--unpaired", "has no comparisons"]),
    (["report", "TRANSFER", "TRANSFER", "--out", "out"], ["the same folder twice"]),
    (["report", "TRANSFER", "FOLD", "--out", "out"], ["is one run, fold 1 only"]),
]


@pytest.mark.parametrize(("words", "parts"), REFUSALS)
def test_refusals(refused, undisturbed, telephone, to_telephone, tiny_corpus, tmp_path, words, parts):
    run, places = undisturbed[0], {"TELEPHONE": ["--data.corpus.csv", telephone]}
    places |= {"RUN": [run], "TRANSFER": [to_telephone[0]], "FOLD": [run / "seed1-fold01"]}
    synthetic = ["--data.corpus", "ser.data.Synthetic", "--data.corpus.root", tiny_corpus]
    places["SYNTHETIC"] = [*synthetic, "--data.corpus.utterances_per_speaker", UTTERANCES_PER_SPEAKER]
    if words[0] == "bare":
        copy_of(run, tmp_path / "bare", "*.ckpt")
    if words[0] == "unfinished":
        copy_of(run / "seed1-fold01", tmp_path / "unfinished", "result.json")
    if words[0] == "mixed":
        copy_of(run, tmp_path / "mixed")
        first, second = (tmp_path / f"mixed/seed1-fold0{fold}/checkpoints/best.ckpt" for fold in (1, 2))
        shutil.copy(first, second)
    table = IEMOCAP(str(tiny_corpus)).utterances()
    table["speaker"] = "other" + table.speaker
    lines = pd.read_csv(telephone).query("emotion in ['sad', 'happy']").replace({"emotion": {"happy": "joy"}})
    files = {"used/thesis.txt": "mine", "one.csv": lines.to_csv(index=False), "renamed.csv": table.to_csv(index=False)}
    files["broken.csv"] = lines.assign(emotion=["sad", "", *lines.emotion[2:]]).to_csv(index=False)
    words = [each for word in words for each in places.get(word, [word])]
    words = words if words[0] == "report" else ["transfer", *words]
    refused(words, parts, {name: text for name, text in files.items() if name in words or name.split("/")[0] in words})
