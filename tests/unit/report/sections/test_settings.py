"""Folds and settings of given results: each number is in its column."""

import numpy as np

from ser.emotions import PAPER_EMOTIONS
from ser.report.sections.settings import protocol_table, settings_table, shared_sentence
from tests.made_up.entries import entry, run
from tests.made_up.hits import predictions

COUNTS = {"train": [10, 20, 30, 40], "val": [1, 2, 3, 4], "test": [5, 6, 7, 8]}
SPEAKERS = {"train": ["emodb:03"], "val": ["emodb:08", "emodb:09"], "test": ["emodb:10"]}


def result(title="ours", seeds=(4, 2), **about):
    """Two folds of each seed."""
    details = {"counts": {name: dict(zip(PAPER_EMOTIONS, counts, strict=True)) for name, counts in COUNTS.items()}}
    more = {"details": details, "speakers": SPEAKERS, "train_segments": 150, "tails_left_out": 9}
    runs = [run(fold, seed, **more) for seed in sorted(seeds) for fold in (1, 2)]
    table = predictions(np.ones(2 * len(seeds)), seed=np.repeat(seeds, 2), names=["u", "v"] * len(seeds))
    return entry(table.assign(fold=[1, 2] * len(seeds)), title, runs=runs, **about)


def test_every_fold_has_one_row_whatever_the_seeds():
    table = protocol_table([result()], "")
    names = [column.full_name for column in table.columns]
    assert [dict(zip(names, row, strict=True)) for row in table.rows] == [
        {
            **{"fold": fold, "validates": "08, 09", "tested": "10"},
            **{f"training: {name}": count for name, count in zip(PAPER_EMOTIONS, COUNTS["train"], strict=True)},
            **{"training: n": 100, "training: segments": 150, "training: tails left out": 9},
            **{f"validation: {name}": count for name, count in zip(PAPER_EMOTIONS, COUNTS["val"], strict=True)},
            "validation: n": 10,
            **{f"test: {name}": count for name, count in zip(PAPER_EMOTIONS, COUNTS["test"], strict=True)},
            "test: n": 26,
        }
        for fold in ("1", "2")
    ]


def test_every_result_has_its_settings_in_its_own_column():
    first = result(
        "first", options={"data.batch_size": 16}, versions={"torch": "1"}, validation={"wa": 0.5, "ua": 0.25}
    )
    second = result("second", (7,), options={"model.gru_units": 4}, versions={"numpy": "2"}, statistics="corpus")
    rows = {row[0]: row[1:] for row in settings_table([first, second]).rows}
    assert rows["statistics"] == ["train", "corpus"]
    assert rows["seeds"] == ["2, 4", "7"]
    assert rows["validation WA / UA %"] == ["50.00 / 25.00", "50.00 / 50.00"]
    assert (rows["version of torch"], rows["version of numpy"]) == (["1", "-"], ["-", "2"])
    assert (rows["data.batch_size"], rows["model.gru_units"]) == (["16", "-"], ["-", "4"])


def test_what_validation_and_test_share_is_said_and_nothing_else():
    found = shared_sentence(result(shared={"speakers": ["a", "b"], "dialogs": [], "recordings": list(range(11))}))
    assert "validation and test share 2 speakers (a, b); 11 recordings (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...)." in found
    assert "dialog" not in found
    assert "chosen on tested speakers" in found
    assert "chosen on tested speakers" not in shared_sentence(result(shared={"speakers": [], "dialogs": ["d"]}))
    assert "share a speaker, a dialog, an utterance or a recording" in shared_sentence(result())
