"""What a study came to: its table of trials, its best trial, and the configuration of that one."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from ser.files import write_text
from ser.paths import absolute_places
from ser.results.lambda_curve import PAPER_LAMBDA
from ser.sweep.study.check import WITHOUT
from ser.sweep.study.plan import LAMBDA, Plan
from ser.sweep.study.shared_study import SharedStudy, accepted, failures, last_error
from ser.sweep.workers.launcher import given_up
from ser.sweep.workers.trial import run_options
from ser.sweep.workers.worker import PRUNED_AFTER
from ser.training.options.configuration import to_yaml
from ser.training.options.run_options import RunOptions

TRIALS, BEST = "trials.csv", "best.yaml"


def complete(results: dict[int, FrozenTrial]) -> dict[int, FrozenTrial]:
    """The trials that were validated on every fold."""
    return {place: row for place, row in results.items() if row.state == TrialState.COMPLETE}


def best_trial(plan: Plan, results: dict[int, FrozenTrial]) -> int | None:
    """Number of the best complete trial, None without one.

    The best by the objective; among equals the best by the other score. Where lambda is what is varied, the rule goes
    on as that of `ser lambda`: nearest to the paper's 0.6, then the smallest. Else the first one.
    """
    other = {"wa": "ua", "ua": "wa"}[plan.metric]

    def merit(place: int) -> tuple:
        row = results[place]
        lambda_ = row.params.get(LAMBDA, PAPER_LAMBDA)
        nearness = -round(abs(lambda_ - PAPER_LAMBDA), 12)
        return round(row.value, 12), round(row.user_attrs[other], 12), nearness, -lambda_, -place

    return max(complete(results), key=merit, default=None)


def trials_table(shared: SharedStudy) -> pd.DataFrame:
    """One row per planned trial.

    Returns:
        `trial`, `state` (complete, pruned, given up, running, waiting), a column for each option, `wa` and `ua` of
        the validation (shares), `lambda_` where it was chosen, `epochs` of each fold, `pruned_after_fold`, `tries`,
        `error` of the last failed try, `seconds` of the accepted try, `worker` and `folder`, and its `row`, which is
        the number that Optuna and its dashboard give it; empty where there is none.
    """
    attempts, lost = shared.attempts(), given_up(shared)
    rows = [_row(shared.plan, place, attempts[place], place in lost) for place in sorted(attempts) if place >= 0]
    table = pd.DataFrame(rows).astype({"tries": int, PRUNED_AFTER: "Int64", "row": "Int64"})
    for name in shared.plan.space.dimensions:  # whole numbers stay whole beside trials that have none yet
        table[name] = pd.Series([row[name] for row in rows], dtype=object)
    return table


def _row(plan: Plan, place: int, rows: list[FrozenTrial], lost: bool) -> dict:
    result, failed = accepted(rows), failures(rows)
    begun = result or next((row for row in reversed(rows) if row.params), None)
    point = begun.params if begun else plan.points[place] if place < len(plan.points) else {}
    if result:
        state = result.state.name.lower()
    else:
        state = "given up" if lost else "running" if TrialState.RUNNING in {row.state for row in rows} else "waiting"
    found = result.user_attrs if result else {}
    return {
        "trial": place,
        "state": state,
        **{name: point.get(name) for name in plan.space.dimensions},
        **{name: found.get(name) for name in ("wa", "ua", "lambda_")},
        "epochs": " ".join(map(str, found.get("epochs", []))),
        PRUNED_AFTER: found.get(PRUNED_AFTER),
        "tries": len(failed) + bool(result),
        "error": last_error(failed),
        "seconds": round(result.duration.total_seconds(), 1) if result else None,
        **{name: found.get(name) for name in ("worker", "folder")},
        "row": result.number if result else None,
    }


def best_config(plan: Plan, row: FrozenTrial) -> dict:
    """The configuration of a trial, as `ser crossval --config` takes it: with its lambda, and the study's folds.

    Paths are absolute, so that it means the same wherever it is read.
    """
    chosen = {LAMBDA: row.user_attrs["lambda_"]} if "lambda_" in row.user_attrs else {}
    settings = RunOptions("fit", run_options(plan, {**row.params, **chosen}), "").plain()
    return for_crossval(plan, {name: value for name, value in settings.items() if name not in WITHOUT})


def for_crossval(plan: Plan, config: dict) -> dict:
    """A run's configuration with the study's folds and seeds in place of one fold and one seed."""
    data = {name: value for name, value in config["data"].items() if name not in ("fold", "seed")}
    tracking = {**config["wandb"], "group": config["wandb"]["group"] or f"{plan.study}-best"}
    chosen = {"data": data, "wandb": tracking, "folds": list(plan.folds), "seeds": list(plan.seeds)}
    return absolute_places({**config, **chosen})


def write_outcome(folder: Path, table: pd.DataFrame, config: dict | None, about: str) -> None:
    """`trials.csv`, and `best.yaml` where a trial is complete.

    Args:
        folder: receives them.
        table: `trials_table`.
        config: `best_config`, or None.
        about: a line on where the configuration comes from.
    """
    write_text(folder / TRIALS, table.to_csv(index=False))
    if config is not None:
        text = to_yaml(config)
        write_text(folder / BEST, f"# {about}\n{text}")
