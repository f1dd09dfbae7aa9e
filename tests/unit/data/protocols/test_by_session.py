"""The protocols that leave sessions out, on tables with the counts of the real release."""

import pandas as pd
import pytest

from ser.data.protocols import make_protocol
from ser.data.protocols.by_session import HalvesProtocol, SessionProtocol, SpeakerProtocol
from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError

SPEAKER = SpeakerProtocol()

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
    tested = [by_half[HalvesProtocol(halves).sets(by_half, fold) == "test"] for fold in range(1, 6)]
    assert counts(pd.concat(tested)) == expected
    assert [set(part.session) for part in tested] == [{1}, {2}, {3}, {4}, {5}]


def test_wu2019_leaves_the_session_out_of_training(by_half):
    sets = HalvesProtocol("MMFFF").sets(by_half, 3)
    assert set(by_half.session[sets == "train"]) == {1, 2, 4, 5}
    assert set(by_half.dialog_half[sets == "val"]) == {"M"}
    assert set(by_half.speaker[sets == "val"]) == set(by_half.speaker[sets == "test"]), "the halves share both actors"


def test_speaker_tests_f_first_then_m(by_speaker):
    for fold in range(1, 11):
        sets = SPEAKER.sets(by_speaker, fold)
        session, (tested, validates) = (fold - 1) % 5 + 1, ("FM" if fold <= 5 else "MF")
        assert set(by_speaker.speaker[sets == "test"]) == {f"Ses0{session}{tested}"}
        assert set(by_speaker.speaker[sets == "val"]) == {f"Ses0{session}{validates}"}
        assert counts(by_speaker[sets == "test"]) == SPEAKERS[tested][session - 1]


def test_speaker_shares_no_speaker_and_tests_everyone_once(by_speaker):
    tested = []
    for fold in range(1, SPEAKER.num_folds(by_speaker) + 1):
        sets = SPEAKER.sets(by_speaker, fold)
        speakers = [set(by_speaker.speaker[sets == name]) for name in ("train", "val", "test")]
        assert sum(map(len, speakers)) == len(set.union(*speakers)) == 10
        tested.append(by_speaker[sets == "test"])
    everything = pd.concat(tested)
    assert len(everything) == len(set(everything.utterance)) == 2280


def test_the_two_directions_train_on_the_same(by_speaker):
    for fold in range(1, 6):
        one, other = SPEAKER.sets(by_speaker, fold), SPEAKER.sets(by_speaker, fold + 5)
        assert (one.replace({"val": "test", "test": "val"}) == other).all()


def test_the_index_of_the_table_is_kept(by_speaker):
    shuffled = by_speaker.sample(frac=1, random_state=0)
    assert SPEAKER.sets(shuffled, 1).index.equals(shuffled.index)
    pd.testing.assert_series_equal(SPEAKER.sets(shuffled, 1).sort_index(), SPEAKER.sets(by_speaker, 1))


@pytest.mark.parametrize(
    ("protocol", "fold", "words"),
    [
        (SPEAKER, 0, "fold is 0, but protocol speaker has folds 1 to 10"),
        (SPEAKER, 11, "fold is 11"),
        (HalvesProtocol("MMFFF"), 6, "folds 1 to 5"),
        (HalvesProtocol("MMFF"), 1, "test_halves is 'MMFF'"),
        (HalvesProtocol("MMFFX"), 1, "test_halves is 'MMFFX'"),
        (SessionProtocol(), 6, "folds 1 to 5"),
    ],
)
def test_options_out_of_range_are_refused(by_half, protocol, fold, words):
    with pytest.raises(InputError, match=words):
        protocol.sets(by_half, fold)


def test_a_corpus_without_dialogs_has_no_halves(by_half):
    halves = HalvesProtocol("MMFFF")
    for table in (by_half, by_half[by_half.session == 1]):  # for any test_halves and number of sessions
        with pytest.raises(InputError, match="this corpus has no dialog halves; use protocol speaker"):
            halves.sets(table.assign(dialog_half=""), 1)
    with pytest.raises(InputError, match=r"has no dialog halves for 3 utterances \(u0, \.\.\.\);"):
        halves.sets(by_half.assign(dialog_half=by_half.dialog_half.where(by_half.index > 2, "")), 1)


def test_session_tests_all_its_speakers_and_validates_on_the_next(by_speaker):
    two = by_speaker[by_speaker.speaker != "Ses01M"]  # session 1 has one speaker, session 2 has three
    two = pd.concat(
        [two, two[two.session == 2].assign(speaker="Ses02X", utterance=lambda table: "x" + table.utterance)]
    )
    for fold in range(1, 6):
        sets = SessionProtocol().sets(two.reset_index(drop=True), fold).to_numpy()
        assert set(two.session[sets == "test"]) == {fold}
        assert set(two.session[sets == "val"]) == {fold % 5 + 1}
        assert len(set(two.session[sets == "train"])) == 3


@pytest.mark.parametrize("protocol", [SPEAKER, HalvesProtocol("MMFFF")])
def test_sessions_of_other_than_two_speakers_are_refused_together(by_speaker, protocol):
    wrong = by_speaker[by_speaker.speaker != "Ses01M"].replace({"speaker": {"Ses03F": "Ses02F"}})
    with pytest.raises(InputError) as refused:
        protocol.num_folds(wrong)
    assert str(refused.value).splitlines()[1:] == [
        "  speaker Ses02F appears in sessions 2, 3; folds would leak",
        "  session 1 has 1 speaker(s) (Ses01F), not two",
        "mend the table, or use one_speaker, speaker_groups or split",
    ]


def test_a_speaker_in_two_sessions_is_refused_where_one_session_is_tested(by_speaker):
    with pytest.raises(InputError, match="speaker Ses02F appears in sessions 1, 2"):
        SessionProtocol().num_folds(by_speaker.replace({"speaker": {"Ses01F": "Ses02F"}}))


@pytest.mark.parametrize("name", ["speaker", "wu2019", "session"])
def test_a_corpus_without_sessions_has_other_protocols(by_speaker, name):
    with pytest.raises(InputError, match="this corpus has none; use one_speaker, speaker_groups or split"):
        make_protocol(name).sets(by_speaker.assign(session=""), 1)


def test_too_few_sessions_are_refused(by_speaker):
    with pytest.raises(InputError, match=r"needs at least 3 sessions, .* has 2"):
        SessionProtocol().num_folds(by_speaker[by_speaker.session < 3])
    with pytest.raises(InputError, match="fold 1 of protocol speaker has no utterance for: train"):
        SPEAKER.sets(by_speaker[by_speaker.session == 1], 1)


def test_an_emotion_without_training_is_refused(by_speaker):
    only_one = by_speaker[(by_speaker.emotion != "sad") | (by_speaker.session == 2)]
    assert set(SPEAKER.sets(only_one, 1)) == {"train", "val", "test"}
    with pytest.raises(InputError, match="fold 7 of protocol speaker has no training utterance of sad; leave it out"):
        SPEAKER.sets(only_one, 7)
