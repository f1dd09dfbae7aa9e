"""The pooled result of a cross-validation: computed from its folds, written, and described."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from ser.errors import InputError
from ser.files import digest, write_text
from ser.results.names import protocol_of
from ser.results.predictions import check_rows, describe, scores
from ser.results.reading import AVERAGED_TABLES, TABLES, read_table
from ser.results.speaker_counts import DRAWS, redraw_note
from ser.results.statistics import bootstrap_speakers
from ser.results.test_sets import describe_test_set

OLDER = "older method: UA over the emotions present in each draw"
OLDER_MEAN = "older method: UA of each run over the emotions present in it"
# Keys that a pooled result copies from the result of each run, and keys that are equal in all runs.
OF_RUN = ("seed", "fold", "epoch", "speakers", "train_segments", "tails_left_out", "counts")
OF_ALL = ("system", "corpus", "protocol", "test_halves", "emotions", "left_out", "statistics", "epochs")


def check_whole(table: pd.DataFrame, folds: list[int], seeds: list[int], path: Path, tested: bool) -> None:
    """Refuse a pooled table with missing or unexpected folds, or rows that `check_rows` refuses.

    Args:
        tested: whether an utterance may occur only once for a seed, in any fold.

    Raises:
        InputError: with the path and the fault.
    """
    if "seed" not in table:
        raise InputError(f"{path}: a predictions table has no column seed")
    found = set(zip(table.seed, table.fold, strict=True))
    expected = {(seed, fold) for seed in seeds for fold in folds}
    for what, pairs in (("no predictions of", expected - found), ("unexpected predictions of", found - expected)):
        if pairs:
            raise InputError(f"{path}: {what} {name_pairs(pairs)}")
    try:
        check_rows(table.drop(columns="fold") if tested else table)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def name_pairs(pairs: set[tuple[int, int]]) -> str:
    """Seeds and folds for a message."""
    return ", ".join(f"fold {fold} (seed {seed})" for seed, fold in sorted(pairs))


def pool(tables: dict[tuple[int, int], pd.DataFrame]) -> pd.DataFrame:
    """Concatenate predictions tables by (seed, fold)."""
    parts = []
    for (seed, fold), table in sorted(tables.items()):
        part = table.assign(fold=fold)
        part.insert(part.columns.get_loc("fold"), "seed", seed)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def pool_runs(folder: Path, runs: dict[str, dict], file: str) -> pd.DataFrame:
    """Read `file` in the folder of every run and pool the tables; `runs` are results by folder name."""
    return pool({(about["seed"], about["fold"]): read_table(folder / name / file) for name, about in runs.items()})


def pooled_scores(table: pd.DataFrame) -> dict:
    """WA, UA, recalls and the confusion matrix of all folds; matrices of several seeds are summed."""
    return scores(table)


def spread_of_runs(runs: list[dict], classes: int) -> dict:
    """Mean and sample standard deviation of WA over all runs, and of UA over those with all emotions of the test set.

    The UA of a run that lacks an emotion is a mean over fewer recalls and cannot be averaged with the others.

    Args:
        runs: `scores` of each.
        classes: number of emotions in the pooled test set.

    Returns:
        `mean`, `sd` and the number of `runs` of "wa" and "ua"; None if there are too few.
    """
    values = {
        "wa": [each["wa"] for each in runs],
        "ua": [each["ua"] for each in runs if each["ua_classes"] == classes],
    }
    return {
        name: {
            "mean": float(np.mean(found)) if found else None,
            "sd": float(np.std(found, ddof=1)) if len(found) > 1 else None,
            "runs": len(found),
        }
        for name, found in values.items()
    }


def summarise(predictions: pd.DataFrame, validation: pd.DataFrame) -> dict:
    """Everything in `result.json` that is computed from the pooled tables."""
    per_fold = [scores(table) for _, table in predictions.groupby(["seed", "fold"])]
    per_seed = [scores(table) for _, table in predictions.groupby("seed")]
    pooled = pooled_scores(predictions)
    over_seeds = spread_of_runs(per_seed, pooled["ua_classes"])
    return {
        **pooled,
        "over_folds": spread_of_runs(per_fold, pooled["ua_classes"]),
        "over_seeds": {name: {**over_seeds[name], "values": [each[name] for each in per_seed]} for name in over_seeds},
        "validation": pooled_scores(validation),
        "test_set": describe_test_set(predictions),
    }


def write_pooled(
    folder: Path, runs: dict[str, dict], grid: tuple[list[int], list[int]], epochs_averaged: int, about: dict
) -> None:
    """Pool the folds of a cross-validation: write the tables, then the `result.json` with their digests.

    Args:
        folder: of the cross-validation.
        runs: each fold's `result.json` by the name of its folder.
        grid: all seeds and all folds.
        epochs_averaged: the number of last epochs whose average posterior is scored too; 0 for none.
        about: further entries of `result.json`.

    Raises:
        InputError: if a fold is missing or an utterance is tested twice.
    """
    first, (seeds, folds) = next(iter(runs.values())), grid
    files = [*TABLES.values(), *(AVERAGED_TABLES.values() if epochs_averaged else [])]
    tables = {name: pool_runs(folder, runs, name) for name in files}
    for name, table in tables.items():
        check_whole(table, folds, seeds, folder / name, tested=name in (TABLES["test"], AVERAGED_TABLES["test"]))
        write_text(folder / name, table.to_csv(index=False))
    test, validation = (tables[name] for name in TABLES.values())
    per_run = {key: scores(table) for key, table in test.groupby(["seed", "fold"])}
    result = {
        "kind": "crossval",
        **{key: first[key] for key in OF_ALL},
        "folds": folds,
        "seeds": seeds,
        **summarise(test, validation),
        **recorded_intervals(test),
        "runs": [
            {
                **{key: run[key] for key in (*OF_RUN, "device", "threads", "commit")},
                **({"fold_name": run["fold_name"]} if run.get("fold_name") else {}),
                "folder": name,
                **{key: per_run[run["seed"], run["fold"]][key] for key in ("wa", "ua", "ua_classes", "utterances")},
                "validation": {key: run["validation"][key] for key in ("wa", "ua")},
            }
            for name, run in runs.items()
        ],
        "averaged": None,
        **{key: first[key] for key in ("corpus_digest", "code_digest", "versions")},
        "commit": " ".join(sorted({run["commit"] for run in runs.values() if run["commit"]})) or None,
        **about,
        **{name: _lines(list(runs.values()), name) for name in ("leaks", "warnings")},
        "digests": {name: digest(folder / name) for name in files},
    }
    if epochs_averaged:
        mean, mean_validation = (tables[name] for name in AVERAGED_TABLES.values())
        summary = {**pooled_scores(mean), "validation": pooled_scores(mean_validation)}
        result["averaged"] = {"epochs": epochs_averaged, **summary}
    write_text(folder / "result.json", json.dumps(result, indent=2, allow_nan=False) + "\n")


def _lines(runs: list[dict], name: str) -> list[str]:
    """The leaks or warnings of all runs, each once, with its folds."""
    found: dict[str, set[int]] = {}
    for run in runs:
        for line in run.get(name, []):
            found.setdefault(line, set()).add(run["fold"])
    return [
        f"fold{'s' if len(folds) > 1 else ''} {', '.join(map(str, sorted(folds)))}: {line}"
        for line, folds in found.items()
    ]


def describe_pooled(about: dict) -> str:
    """A pooled result as text."""
    what = f"{about['system']} on {about['corpus']}, protocol {protocol_of(about)}, {len(about['runs'])} runs pooled"
    if len(about["folds"]) < about["num_folds"]:
        what += f" ({len(about['folds'])} of {about['num_folds']} folds)"
    if not about["statistics"].startswith("train"):
        what += f", statistics: {about['statistics']}"
    lines = ["", what]
    for title, name in (("leak", "leaks"), ("warning", "warnings")):
        lines += [f"  {title:7}  {line}" for line in about.get(name, [])]
    lines += ["", f"Test: {describe(about)}", "", *describe_intervals(about), _over_runs(about)]
    if mean := about["averaged"]:
        lines += ["", f"Mean posterior of the last {mean['epochs']} epochs: {describe(mean)}"]
    if people := about["shared"].get("speakers"):
        lines += ["", f"Validation and test share their speakers in this protocol: {', '.join(people)}"]
    return "\n".join(lines)


def recorded_intervals(predictions: pd.DataFrame) -> dict:
    """The entries `intervals` and `bootstrap` of a result."""
    found = bootstrap_speakers(predictions)
    # None for a single speaker, or if too few speakers have an emotion.
    intervals = {key: None if np.isnan(found[key]).any() else list(found[key]) for key in ("wa", "ua")}
    return {"intervals": intervals, "bootstrap": {"draws": DRAWS, "redrawn": found["redrawn"]}}


def describe_intervals(about: dict) -> list[str]:
    """Lines of text on the intervals of a result; none for a single speaker."""
    intervals, speakers = about["intervals"], len(about["test_set"]["speakers"])
    if not intervals["wa"]:
        return []
    wa, ua = (
        f"{100 * limits[0]:.1f} to {100 * limits[1]:.1f}" if limits else "not available"
        for limits in (intervals["wa"], intervals["ua"])
    )
    line = f"95 % intervals ({speakers} speakers drawn): WA {wa}, UA {ua}"
    if not (made := about.get("bootstrap")):
        return [f"{line} ({OLDER})"]
    return [line, *filter(None, [redraw_note(made["redrawn"], bool(intervals["ua"]))])]


def _over_runs(about: dict) -> str:
    wa, ua = (about["over_folds"][name] for name in ("wa", "ua"))
    runs, which = len(about["runs"]), ""
    if "runs" not in ua:
        which = f" ({OLDER_MEAN})"
    elif not ua["runs"]:
        which = ": no run has all emotions of the test set"
    elif ua["runs"] < runs:
        which = f" over {ua['runs']} of {runs} runs that have all emotions of the test set"
    return f"mean over runs, not pooled: WA {_mean(wa)}, UA {_mean(ua)}{which}"


def _mean(found: dict) -> str:
    if found["mean"] is None:
        return "not available"
    deviation = "" if found["sd"] is None else f" (standard deviation {100 * found['sd']:.1f})"
    return f"{100 * found['mean']:.1f}{deviation}"
