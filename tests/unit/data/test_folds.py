"""The two protocols, on tables with the counts of the real release."""

import pandas as pd
import pytest

from ser.data.folds import fold_warnings, num_folds, set_warnings, split
from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError

# Utterances of IEMOCAP (improvised; neutral, angry, happy, sad) per dialog half and per speaker of each session.
HALVES = {
    "F": [(119, 29, 24, 43), (119, 9, 21, 33), (77, 22, 22, 94), (91, 63, 5, 38), (143, 24, 49, 82)],
    "M": [(104, 33, 9, 61), (98, 13, 33, 67), (121, 68, 38, 96), (83, 21, 26, 43), (144, 7, 57, 51)],
}
SPEAKERS = {
    "F": [(119, 37, 18, 43), (90, 7, 25, 63), (95, 22, 39, 108), (51, 47, 10, 41), (151, 18, 56, 73)],
    "M": [(104, 25, 15, 61), (127, 15, 29, 37), (103, 68, 21, 82), (123, 37, 21, 40), (136, 13, 50, 60)],
}


def table(counts, known):
    """A table with these counts by `known` ("dialog_half" or "speaker"); the other letter alternates."""
    rows = []
    for letter, sessions in counts.items():
        for session, numbers in enumerate(sessions, start=1):
            for emotion, number in zip(PAPER_EMOTIONS, numbers, strict=True):
                for i in range(number):
                    half, speaker = (letter, "FM"[i % 2]) if known == "dialog_half" else ("FM"[i % 2], letter)
                    rows.append((f"u{len(rows)}", session, f"Ses0{session}{speaker}", half, emotion))
    return pd.DataFrame(rows, columns=["utterance", "session", "speaker", "dialog_half", "emotion"])


@pytest.fixture(scope="module")
def by_half():
    return table(HALVES, "dialog_half")


@pytest.fixture(scope="module")
def by_speaker():
    return table(SPEAKERS, "speaker")


def counts(utterances):
    return tuple(int((utterances.emotion == emotion).sum()) for emotion in PAPER_EMOTIONS)


def test_the_corpus_has_2280_utterances(by_half, by_speaker):
    assert counts(by_half) == counts(by_speaker) == (1099, 289, 284, 608)


@pytest.mark.parametrize(("halves", "expected"), [("MMFFF", (513, 155, 118, 342)), ("MMFFM", (514, 138, 126, 311))])
def test_wu2019_tests_what_tables_2_and_3_were_measured_on(by_half, halves, expected):
    tested = [by_half[split(by_half, "wu2019", fold, halves) == "test"] for fold in range(1, 6)]
    assert counts(pd.concat(tested)) == expected
    assert [set(part.session) for part in tested] == [{1}, {2}, {3}, {4}, {5}]


def test_wu2019_leaves_the_session_out_of_training(by_half):
    sets = split(by_half, "wu2019", 3)
    assert set(by_half.session[sets == "train"]) == {1, 2, 4, 5}
    assert set(by_half.dialog_half[sets == "val"]) == {"M"}
    assert set(by_half.speaker[sets == "val"]) == set(by_half.speaker[sets == "test"]), "the halves share both actors"


def test_speaker_tests_f_first_then_m(by_speaker):
    for fold in range(1, 11):
        sets = split(by_speaker, fold=fold)
        session, (tested, validates) = (fold - 1) % 5 + 1, ("FM" if fold <= 5 else "MF")
        assert set(by_speaker.speaker[sets == "test"]) == {f"Ses0{session}{tested}"}
        assert set(by_speaker.speaker[sets == "val"]) == {f"Ses0{session}{validates}"}
        assert counts(by_speaker[sets == "test"]) == SPEAKERS[tested][session - 1]


def test_speaker_shares_no_speaker_and_tests_everyone_once(by_speaker):
    tested = []
    for fold in range(1, num_folds(by_speaker, "speaker") + 1):
        sets = split(by_speaker, "speaker", fold)
        speakers = [set(by_speaker.speaker[sets == name]) for name in ("train", "val", "test")]
        assert sum(map(len, speakers)) == len(set.union(*speakers)) == 10
        tested.append(by_speaker[sets == "test"])
    everything = pd.concat(tested)
    assert len(everything) == len(set(everything.utterance)) == 2280


def test_the_two_directions_train_on_the_same(by_speaker):
    for fold in range(1, 6):
        one, other = split(by_speaker, fold=fold), split(by_speaker, fold=fold + 5)
        assert (one.replace({"val": "test", "test": "val"}) == other).all()


def test_the_index_of_the_table_is_kept(by_speaker):
    shuffled = by_speaker.sample(frac=1, random_state=0)
    assert split(shuffled).index.equals(shuffled.index)
    pd.testing.assert_series_equal(split(shuffled).sort_index(), split(by_speaker))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fold": 0}, "fold is 0, but protocol speaker on 5 sessions has folds 1 to 10"),
        ({"fold": 11}, "fold is 11"),
        ({"protocol": "wu2019", "fold": 6}, "folds 1 to 5"),
        ({"protocol": "random"}, "protocol is 'random', but must be one of speaker, wu2019"),
        ({"protocol": "wu2019", "test_halves": "MMFF"}, "test_halves is 'MMFF'"),
        ({"protocol": "wu2019", "test_halves": "MMFFX"}, "test_halves is 'MMFFX'"),
    ],
)
def test_options_out_of_range_are_refused(by_half, options, words):
    with pytest.raises(InputError, match=words):
        split(by_half, **options)


def test_a_corpus_without_dialogs_has_no_halves(by_half):
    for table in (by_half, by_half[by_half.session == 1]):  # for any test_halves and number of sessions
        with pytest.raises(InputError, match="this corpus has no dialog halves; use protocol speaker"):
            split(table.assign(dialog_half=""), "wu2019")
    with pytest.raises(InputError, match=r"has no dialog halves for 3 utterances \(u0, \.\.\.\);"):
        split(by_half.assign(dialog_half=by_half.dialog_half.where(by_half.index > 2, "")), "wu2019")


def test_a_session_with_one_speaker_is_refused(by_speaker):
    with pytest.raises(InputError, match="session 1 has 1 speaker"):
        split(by_speaker[by_speaker.speaker != "Ses01M"], fold=1)


def sets(**emotions):
    """A table of sets with these emotions, given by their first letters."""
    of = {emotion[0]: emotion for emotion in PAPER_EMOTIONS}
    rows = [(name, of[letter]) for name, letters in emotions.items() for letter in letters]
    return pd.DataFrame(rows, columns=["set", "emotion"])


SMALL = "validation, which chooses the epoch, has only"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"train": "nahs", "val": "nahs" * 3, "test": "nahs"}, []),
        ({"train": "nahs", "val": "nahs" * 2 + "na", "test": "nahs"}, []),
        ({"train": "nahs", "val": "nahs" * 2 + "n", "test": "nahs"}, [f"{SMALL} 9 utterances"]),
        ({"train": "n", "val": "n", "test": "n"}, [f"{SMALL} 1 utterance"]),
        ({"train": "nahs", "val": "ns" * 5, "test": "n"}, ["validation has no utterance of angry, happy"]),
        ({"train": "nah", "val": "nah" * 4, "test": "nah"}, []),  # an emotion that the corpus lacks
        ({"train": "na", "val": "nahs" * 3, "test": "nh"}, ["training has no utterance of happy, which is tested"]),
        ({"train": "na", "val": "na" * 5, "test": "na", "": "hs"}, []),
        ({"train": "nahs", "test": "nahs"}, []),
        (
            {"train": "n", "val": "n" * 9, "test": "s"},
            [
                f"{SMALL} 9 utterances",
                "validation has no utterance of sad",
                "training has no utterance of sad, which is tested",
            ],
        ),
    ],
)
def test_what_weakens_a_fold_is_said(given, expected):
    assert set_warnings(sets(**given)) == expected


def test_folds_of_one_warning_are_named_together():
    weak, sound = sets(train="n", val="n" * 9, test="n"), sets(train="n", val="n" * 10, test="n")
    assert fold_warnings([(1, weak), (2, sound), ("mine", weak)]) == [f"folds 1, mine: {SMALL} 9 utterances"]
    assert fold_warnings([(3, weak)]) == [f"fold 3: {SMALL} 9 utterances"]
