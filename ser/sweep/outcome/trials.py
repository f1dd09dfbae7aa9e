"""The table of a study's trials, the best trial and its configuration."""

import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from ser.paths import absolute_places
from ser.results.lambda_curve import PAPER_LAMBDA
from ser.sweep.study.check import WITHOUT
from ser.sweep.study.plan import LAMBDA, Plan
from ser.sweep.study.shared_study import PRUNED_AFTER, SharedStudy, accepted, failures, last_error
from ser.sweep.workers.trial import run_options
from ser.training.options.run_options import RunOptions


def complete(results: dict[int, FrozenTrial]) -> dict[int, FrozenTrial]:
    """The trials with validation scores on every fold."""
    return {place: row for place, row in results.items() if row.state == TrialState.COMPLETE}


def best_trial(plan: Plan, results: dict[int, FrozenTrial]) -> int | None:
    """Number of the best complete trial, or None if there is none.

    Ties in the objective are broken by the other score, in a study of lambda then by the rule of `ser lambda` (nearest
    to the paper's 0.6, then the smallest), and last by the lower number.
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
        the validation (fractions), `lambda_` if it was chosen, `epochs` of each fold, `pruned_after_fold`, `tries`,
        `error` of the last failed try, `seconds` of the accepted try if a worker ran it, `worker` and `folder`, and
        `row`, the trial's number in Optuna and its dashboard. Missing values are None.
    """
    plan, table = shared.plan, []
    for place, rows in shared.attempts().items():
        result, running = accepted(rows), any(row.state == TrialState.RUNNING for row in rows)
        begun = result or next((row for row in reversed(rows) if row.params), None)
        point = begun.params if begun else plan.points[place] if place < len(plan.points) else {}
        unsettled = "given up" if shared.is_given_up(rows) else "running" if running else "waiting"
        found = result.user_attrs if result else {}
        table.append(
            {
                "trial": place,
                "state": result.state.name.lower() if result else unsettled,
                **{name: point.get(name) for name in plan.space.dimensions},
                **{name: found.get(name) for name in ("wa", "ua", "lambda_")},
                "epochs": " ".join(map(str, found.get("epochs", []))),
                PRUNED_AFTER: found.get(PRUNED_AFTER),
                "tries": len(failures(rows)) + bool(result),
                "error": last_error(rows),
                "seconds": round(result.duration.total_seconds(), 1) if "worker" in found else None,
                **{name: found.get(name) for name in ("worker", "folder")},
                "row": result.number if result else None,
            }
        )
    return pd.DataFrame(table, dtype=object)  # object: integers stay integers in columns with missing values


def best_config(plan: Plan, row: FrozenTrial) -> dict:
    """The configuration of a trial for `ser crossval --config`, with its chosen lambda and the study's folds."""
    chosen = {LAMBDA: row.user_attrs["lambda_"]} if "lambda_" in row.user_attrs else {}
    settings = RunOptions("fit", run_options(plan, {**row.params, **chosen}), "").plain()
    return for_crossval(plan, {name: value for name, value in settings.items() if name not in WITHOUT})


def for_crossval(plan: Plan, config: dict) -> dict:
    """A run's configuration with absolute paths, and the study's folds and seeds instead of one fold and one seed."""
    data = {name: value for name, value in config["data"].items() if name not in ("fold", "seed")}
    tracking = {**config["wandb"], "group": config["wandb"]["group"] or f"{plan.study}-best"}
    chosen = {"data": data, "wandb": tracking, "folds": list(plan.folds), "seeds": list(plan.seeds)}
    return absolute_places({**config, **chosen})
