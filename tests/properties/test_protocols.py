"""Under every protocol sets are disjoint, no speaker is in two of them, and every utterance is tested once."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.data.leaks import check_leaks
from ser.data.protocols import PROTOCOLS, make_protocol
from ser.emotions import PAPER_EMOTIONS


@st.composite
def corpora(draw, pairs=False):
    """A corpus of 3 to 9 sessions of two speakers, or of one to three; every speaker has every emotion."""
    rows = []
    for session in range(draw(st.integers(3, 9))):
        for number in range(2 if pairs else draw(st.integers(1, 3))):
            speaker = f"{draw(st.sampled_from('abc'))}{session}{number}"
            for turn in range(draw(st.integers(4, 12))):
                rows.append((f"{speaker}_{turn}", session, speaker, "FM"[turn // 4 % 2], PAPER_EMOTIONS[turn % 4]))
    return pd.DataFrame(rows, columns=["utterance", "session", "speaker", "dialog_half", "emotion"])


def check(protocol, table):
    """Check every fold; return how often each utterance is tested."""
    tested = pd.Series(0, index=table.index)
    for fold in range(1, protocol.num_folds(table) + 1):
        sets = protocol.sets(table, fold)
        assert set(sets) == {"train", "val", "test"}
        check_leaks(table.assign(set=sets), None, protocol)
        tested += sets == "test"
    return tested


@given(corpora(pairs=True))
@settings(deadline=None, max_examples=10)
def test_protocols_of_pairs(table):
    assert set(check(make_protocol("speaker"), table)) == {1}
    two = table[table.utterance.str.endswith(tuple("01234567"))].reset_index(drop=True)
    both = two.groupby("session").dialog_half.nunique().min() == 2
    if both:
        sessions = two.session.nunique()
        one, other = (check(make_protocol("wu2019", halves * sessions), two) for halves in "FM")
        assert set(one + other) == {1}, "each half once"


@given(corpora(), st.integers(3, 5))
@settings(deadline=None, max_examples=10)
def test_protocols_for_any_number_of_speakers(table, number):
    assert set(check(make_protocol("session"), table)) == {1}
    without = table.assign(session="", dialog_half="")
    assert set(check(make_protocol("one_speaker"), without)) == {1}
    if without.speaker.nunique() >= number:
        assert set(check(make_protocol("speaker_groups", num_folds=number), without)) == {1}


@given(corpora())
@settings(deadline=None, max_examples=5)
def test_a_split_made_of_another_protocol_is_that_protocol(table):
    other, rows = make_protocol("one_speaker"), []
    for fold in range(1, other.num_folds(table) + 1):
        rows.append(table.assign(fold=fold, set=other.sets(table, fold))[["utterance", "fold", "set"]])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "own.csv"
        pd.concat(rows).to_csv(path, index=False)
        split = make_protocol("split", splits=str(path))
        assert set(check(split, table)) == {1}
        for fold in range(1, other.num_folds(table) + 1):
            assert (split.sets(table, fold) == other.sets(table, fold)).all()


def test_every_protocol_is_drawn_here():
    assert set(PROTOCOLS) == {"speaker", "wu2019", "session", "one_speaker", "speaker_groups", "split"}
