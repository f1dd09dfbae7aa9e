"""A report on folds and speakers that lack emotions."""

import numpy as np
import pytest

from ser.report.reported_results import read_entries
from ser.report.sections.findings import cautions
from ser.report.sections.folds import epoch_table, fold_table
from ser.report.sections.lambdas import lambda_blocks
from ser.report.sections.paper_tables import table_1
from tests.made_up import results as made_up


@pytest.fixture(scope="module")
def entry(tmp_path_factory):
    """Folds 1 to 3, whose speakers have three, four and one of the emotions."""
    corpus = made_up.speakers_corpus()
    lacking = {"03": ("sad",), "11": ("angry", "happy", "sad")}  # test speakers of folds 1 and 3
    lacks = [emotion in lacking.get(who, ()) for who, emotion in zip(corpus.speaker, corpus.emotion, strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made_up, "speakers_corpus", lambda emotions: corpus[~np.array(lacks)])
        older = {"intervals": {"wa": [0.1, 0.9], "ua": [0.1, 0.9]}}
        folder = made_up.make_result(
            tmp_path_factory.mktemp("lacking") / "one", "CNNGRUSeqCap", averaged=5, folds=[1, 2, 3], **older
        )
    return read_entries([str(folder)])[0]


def test_the_mean_over_folds_is_over_those_with_all_emotions(entry):
    table = fold_table([entry], "")
    rows = {row[0]: row for row in table.rows}
    was, uas = zip(*(rows[fold][3:] for fold in "123"), strict=True)
    assert rows["mean over folds"][3:] == [pytest.approx(np.mean(was)), uas[1]]
    assert rows["standard deviation over folds"][3:] == [pytest.approx(np.std(was, ddof=1)), None]
    assert any("UA are over the runs that have all emotions of the test set" in note for note in table.notes)


def test_draws_that_were_redrawn_and_older_intervals_are_named(entry):
    lacking = f"{entry.intervals['redrawn']:,} draws of speakers lacked an emotion"
    for table in (table_1([entry]), epoch_table([entry])):
        assert any(note.startswith(f"CNN_GRU-SeqCap: UA: {lacking}") for note in table.notes)
    (curve,) = [block for block in lambda_blocks(entry) if getattr(block, "name", "") == f"lambda-curve-{entry.stem}"]
    assert any(note.startswith(f"test, UA: {lacking}") for note in curve.notes)
    older = "result.json of CNN_GRU-SeqCap has an interval of UA by an older method (UA over the emotions present in"
    assert any(line.startswith(older) for line in cautions([entry]))
    entry.about["warnings"] = ["fold 3: validation has no utterance of sad"]
    assert "CNN_GRU-SeqCap, fold 3: validation has no utterance of sad." in cautions([entry])
    entry.about["bootstrap"] = {"draws": 10_000, "redrawn": 1}
    assert not any("older method" in line for line in cautions([entry]))
