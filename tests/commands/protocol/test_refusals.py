"""Refusals of `ser protocol`: one message, and nothing is written; and its help."""

import pytest

from ser.data import IEMOCAP
from ser.data.leaks import recording_digests

SYNTHETIC = ["--data.corpus", "Synthetic", "--data.corpus.utterances_per_speaker", "1"]
HALVES = "--data.test_halves"
CORPUS = "THE CORPUS"  # replaced by the options of a release
REFUSALS = [
    ([], ["give a protocol (speaker, wu2019, session, one_speaker, speaker_groups, split) or your own split"]),
    (["random"], ["invalid choice: 'random'"]),
    (["speaker_groups", CORPUS], ["protocol speaker_groups needs data.num_folds"]),
    (["speaker_groups", CORPUS, "--data.num_folds", 11], ["data.num_folds is 11", "only 10 speaker(s)"]),
    (["speaker", CORPUS, "--data.num_folds", 5], ["data.num_folds is 5", "belongs to protocol speaker_groups"]),
    (["split", CORPUS], ["protocol split needs data.splits"]),
    (["split", CORPUS, "--splits", "bad.csv"], ["bad.csv: 1 problem\n", "bad.csv:2: unknown utterance 'u99'"]),
    (["speaker"], ["no folder was given for IEMOCAP"]),
    (["speaker", "--nonsense"], ["nonsense"]),
    (
        ["speaker", HALVES.replace("halves", "halfs"), "F"],
        ["ser: data.test_halfs: ", "data.test_halves?", ": ser protocol --help"],
    ),
    (["speaker", "--data.corpus", "ser.data.Nonsense"], ["Nonsense"]),
    (["speaker", "--data.corpus.style", "sung"], ["sung"]),
    (["speaker", *SYNTHETIC], ["at least 8"]),
    (["speaker", "--out", "table.txt"], ["must end in .json or .csv"]),
    (["speaker", "--out", "absent/table.csv"], ["there is no folder"]),
    (["--splits", "absent.csv"], ["absent.csv: unreadable"]),
    (["wu2019", CORPUS, HALVES, "MMFF"], ["test_halves is 'MMFF'"]),
    (["wu2019", CORPUS, HALVES, "XX"], ["test_halves is 'XX'", "one F or M for each"]),
    (["wu2019", "--splits", "mine.csv", CORPUS, HALVES, "XX"], ["test_halves is 'XX'", "one F or M for each"]),
    (
        ["--splits", "bad.csv", CORPUS, "--out", "out.json"],
        ["bad.csv: 1 problem\n", "bad.csv:2: unknown utterance 'u99'"],
    ),
    (["speaker", CORPUS, "--data.emotions", "[1, sad]"], ["data.emotions: expected str, got 1; put text in quotes"]),
    (["speaker", CORPUS, "--data.merge", "{no: sad}"], ["data.merge counts False as 'sad', but labels are text; put"]),
    (["speaker", CORPUS, "--out", "mine.csv"], ["mine.csv", "exists already"]),
]


@pytest.mark.parametrize(("words", "parts"), REFUSALS)
def test_refusals(refused, tiny_release, tmp_path, words, parts):
    table = IEMOCAP(str(tiny_release)).utterances()
    sets = table.session.map({1: "test", 2: "dev"}).fillna("train")
    mine = table.assign(set=sets)[["utterance", "set"]].to_csv(index=False)
    corpus = ["--data.corpus.root", tiny_release]
    words = [each for word in words for each in (corpus if word == CORPUS else [word])]
    message = refused(["protocol", *words], parts, {"bad.csv": "utterance,set\nu99,train\n", "mine.csv": mine})
    assert ": ser protocol --help" not in parts or message.splitlines()[-1].startswith("(all options")


def test_what_came_while_the_audio_was_read_is_not_overwritten(ser, tiny_release, tmp_path, monkeypatch):
    out = tmp_path / "out.csv"

    def write_meanwhile(*read):
        out.write_text("theirs")
        return recording_digests(*read)

    monkeypatch.setattr("ser.commands.protocol.recording_digests", write_meanwhile)
    finished = ser("protocol", "speaker", "--data.corpus.root", tiny_release, "--out", out)
    assert finished.code == 2
    assert "exists already" in finished.err
    assert out.read_text() == "theirs"


def test_help_has_examples(ser):
    finished = ser("protocol", "--help")
    assert finished.code == 0
    assert "ser protocol wu2019 --data.corpus.root DIR" in finished.out
    assert "--data.corpus.help" in finished.out
