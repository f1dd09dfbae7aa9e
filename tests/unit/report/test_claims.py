"""Statements of a report: distinguishable differences, incomplete results, comparability."""

import re
from dataclasses import replace
from io import StringIO
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from ser.report.sections.comparisons import Pair, compare_pairs, correct
from ser.report.sections.findings import cautions, headline
from ser.report.sections.paper_tables import table_1
from ser.report.sections.settings import settings_table
from ser.report.writing import _comparisons
from ser.results.paper import TABLE_1
from ser.results.statistics import compare
from tests.made_up.entries import entry, made_up, run

NAN = float("nan")
ROWS = {row.system: row for row in TABLE_1}


@pytest.fixture(scope="module")
def seqcap():
    """Ten speakers, one seed."""
    return made_up("CNNSeqCap", skill=1.6)


@pytest.fixture(scope="module")
def reccap():
    """The same speakers, two seeds."""
    return made_up("CNNRecCap", skill=1.9, seeds=(1, 2))


def said(entries, unpaired=False):
    """Findings and cautions, each joined into one text."""
    pairs = correct(list(compare_pairs(entries, unpaired)))
    return "\n".join(headline(entries, pairs)), "\n".join(cautions(entries))


# --- the correction for several comparisons


def test_the_order_of_the_results_changes_no_p_value(seqcap, reccap):
    one = made_up("CNNGRU", folds=[3])
    found = {}
    for order in permutations([seqcap, reccap, one]):
        pairs = correct(list(compare_pairs(order, unpaired=True)))
        by_name = {frozenset((pair.first, pair.second)): pair for pair in pairs}
        for names, pair in by_name.items():
            found.setdefault(names, []).append(pair.p_value("WA"))
        text = "\n".join(headline(order, pairs))
        assert "of 2 differences" not in text
        assert text.count("too few speakers to tell") == 4, "two pairs, in WA and UA"
    p_values = compare(seqcap.predictions, reccap.predictions).p_values
    wa, ua = (p_values[f"sign-flip over speakers ({measure})"] for measure in ("WA", "UA"))
    for names, values in found.items():
        # The only testable pair has two tests, of WA and of UA.
        expected = NAN if "CNN_GRU" in names else 2 * wa if wa <= ua else max(2 * ua, wa)
        assert values == pytest.approx([expected] * 6, nan_ok=True)


# --- sessions


def test_the_test_over_sessions_stands_beside_and_decides_nothing(seqcap, reccap):
    entries = [seqcap, reccap]
    pairs = correct(list(compare_pairs(entries)))
    _, table, *_ = _comparisons(entries, pairs)
    shown = pd.read_csv(StringIO(table.csv()), index_col=0)
    assert (shown[["WA: p, sessions", "UA: p, sessions"]] >= 0.0625 - 1e-9).all(axis=None)
    assert any("is shown for comparison and does not decide" in note for note in table.notes)
    assert any("One training predicts both speakers of a session" in line for line in cautions(entries))
    first = pd.DataFrame({"session": np.repeat(list("12345"), 4), "speaker": np.repeat(list("abcdefghij"), 2)})
    first = first.assign(utterance=[f"u{i}" for i in range(20)], seed=1, emotion="sad", predicted=["sad", "happy"] * 10)
    first = first.assign(p_sad=0.5, p_happy=0.5)
    pair = Pair("one", "other", compare(first, first.assign(predicted="sad")))
    assert pair.comparison.p_values["sign-flip over sessions (WA)"] == 0.0625
    assert pair.distinguishable("WA"), "over speakers"
    assert "; p = 0.0020): distinguishable" in pair.finding()


@pytest.mark.parametrize(("sessions", "limit"), [(2, "0.5"), (5, "0.0625"), (6, "0.0312")])
def test_the_least_p_value_over_sessions_is_that_of_the_sessions_there_are(seqcap, reccap, sessions, limit):
    entries = [entry(among(each.predictions, sessions), each.title) for each in (seqcap, reccap)]
    pairs = list(compare_pairs(entries))
    notes = " ".join(_comparisons(entries, pairs)[1].notes)
    assert f"over sessions ({sessions} here) allows for that, but its p-values cannot be below {limit}: " in notes


def among(predictions, sessions):
    """The same predictions divided into this number of sessions."""
    numbers = predictions.speaker.map(lambda name: int(name) % sessions + 1)
    return predictions.assign(session=numbers.astype(str))


# --- the highest WA


def test_all_that_tie_are_named(seqcap):
    twin = replace(seqcap, title="its twin")
    line = headline([seqcap, twin], [])[0]
    score = f"{100 * seqcap.scores['wa']:.1f} %"
    assert f"of 2 results: CNN_SeqCap, WA {score} (95 % interval " in line
    assert f"; its twin, WA {score} (95 % interval " in line
    assert line.count(", UA ") == 2
    line = headline([made_up("CNNGRU", skill=0.1), seqcap], [])[0]
    assert line.startswith(f"Highest WA on 195 test utterances, of 2 results: CNN_SeqCap, WA {score} (95 % interval ")
    assert "CNN_GRU" not in line


def test_who_was_tested_on_fewer_utterances_wins_nothing(seqcap):
    part, third = made_up("CNNGRU", folds=[1, 2, 3, 4, 5], skill=9), made_up("CNNGRUSeqCap", skill=1.7)
    assert part.scores["wa"] > max(seqcap.scores["wa"], third.scores["wa"])
    lines = headline([seqcap, part, third], [])
    assert lines[0] == "The results are on different test utterances, so none of them is the best of all."
    assert lines[1].startswith("Highest WA on 195 test utterances, of 2 results: ")
    assert "CNN_GRU," not in lines[1]
    assert re.match(r"Highest WA on \d\d test utterances, of 1 result: CNN_GRU, WA ", lines[2])


# --- incomplete results


def test_an_incomplete_result_is_called_so(seqcap):
    entries = [seqcap, made_up("CNNGRU", folds=[1, 2])]
    assert [entry.folds for entry in entries] == ["1, 2, 3, 4, 5, 6, 7, 8, 9, 10", "1, 2 of 10"]
    findings, warnings = said(entries)
    assert "CNN_GRU is incomplete, folds 1, 2 of 10" in findings
    assert "CNN_SeqCap is incomplete" not in findings
    rows = {row[0]: row[1:] for row in settings_table(entries).rows}
    assert rows["folds"] == ["1, 2, 3, 4, 5, 6, 7, 8, 9, 10", "1, 2 of 10"]
    assert "CNN_GRU: 2 tested speakers. A bootstrap over so few" in warnings


@pytest.mark.parametrize(
    ("protocol", "folds", "listed"), [("speaker", [4], "4 of 10"), ("wu2019", [1, 5], "1, 5 of 5")]
)
def test_older_results_do_not_say_how_many_folds_there_are(protocol, folds, listed):
    """Ten for ten speakers under protocol speaker, or one per session."""
    options = {"halves": "MMFFF", "corpus": "iemocap"} if protocol == "wu2019" else {}
    people = {"train": list("abcdefgh"), "val": ["i"], "test": ["j"]}
    runs = [run(fold, speakers=people) for fold in folds]
    assert made_up("CNNSeqCap", folds=folds, runs=runs, num_folds=None, **options).folds == listed


def test_many_differences_that_cannot_be_told_from_0_are_one_sentence():
    """Distinguishable ones are listed separately."""
    one = made_up("CNNSeqCap", skill=1.0)
    alike = [replace(one, title=f"alike {place}") for place in range(4)]
    findings, _ = said(alike)
    assert "tests: 0 of 6 differences." in findings
    assert "distinguishable" not in findings.split("The paper's CNN_RecCap")[0].split("0 of 6 differences")[1]
    findings, _ = said([*alike, made_up("CNNGRU", skill=-3.0)])
    assert "tests: 4 of 10 differences." in findings
    assert findings.count("CNN_GRU minus") == 4
    other = replace(one, title="other", pooled=replace(one.pooled, about={**one.about, "seeds": [2]}))
    assert "differ in these options, see the settings: seeds." in said([*alike, other])[0], "also of results not listed"


def test_one_speaker_is_not_called_few_speakers():
    findings, warnings = said([made_up("CNNSeqCap", folds=[3])])
    assert "CNN_SeqCap: 1 tested speaker. That says nothing about other speakers, and there is no interval." in warnings
    assert "CNN_SeqCap is incomplete, fold 3 of 10" in findings
    assert "1 speakers" not in findings + warnings
    assert "1 tested speakers" not in warnings


def test_words_do_not_stand_in_columns_of_numbers(seqcap):
    table = table_1([seqcap])
    shown = pd.read_csv(StringIO(table.csv()), index_col=0)
    limits = shown.filter(like="paper's 95 % interval")
    assert limits.dtypes.map(pd.api.types.is_float_dtype).all()
    assert limits.loc["CNN_GRU"].isna().all()
    assert pd.api.types.is_float_dtype(shown["n: paper"])
    assert any("cannot be recovered" in row for row in table.texts)


# --- the code, data and options of results


def coded(seqcap, **about):
    """Two results on the same utterances, the second with other entries in `result.json`."""
    digests = {"corpus_digest": "c0ffee0123456789", "code_digest": "0123456789c0ffee"}
    return [entry(seqcap.predictions, "CNN_SeqCap", **digests), made_up("CNNGRU", **{**digests, **about})]


def test_other_audio_or_labels_are_compared_on_demand_only(seqcap):
    entries = coded(seqcap, corpus_digest="feedfeedfeedfeed")
    assert entries[0].test_set["digest"] == entries[1].test_set["digest"]
    (pair,) = compare_pairs(entries)
    assert pair.comparison is None
    digests = "CNN_SeqCap has digest c0ffee0123456789 and CNN_GRU has digest feedfeedfeedfeed"
    assert digests in pair.reason
    assert "--unpaired compares them without pairing" in pair.reason
    (forced,) = compare_pairs(entries, unpaired=True)
    assert not forced.comparison.paired
    assert "different audio or labels of the corpus" in forced.comparison.caution
    assert digests in forced.comparison.caution
    _, table, *_ = _comparisons(entries, [forced])
    assert any(digests in note for note in table.notes)
    assert "none of them is the best of all" in said(entries)[0]
    rows = {row[0]: row[1:] for row in settings_table(entries).rows}
    assert rows["corpus digest"] == ["c0ffee0123456789", "feedfeedfeedfeed"]
    assert rows["code digest"] == ["0123456789c0ffee"] * 2


def test_other_code_is_compared_with_a_caution(seqcap):
    entries = coded(seqcap, code_digest="feedfeedfeedfeed")
    assert next(compare_pairs(entries)).comparison is not None
    assert "CNN_SeqCap 0123456789c0ffee, CNN_GRU feedfeedfeedfeed" in said(entries)[1]
    assert "versions of the code" not in said(coded(seqcap))[1]
