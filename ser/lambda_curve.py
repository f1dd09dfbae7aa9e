"""Lambda without training: `ser lambda`, from the posteriors that a cross-validation has saved; no network is run.

A system of two branches answers lambda * capsule + (1 - lambda) * GRU. Lambda touches no gradient, so the whole curve
is in its predictions table. It is chosen on validation rows: `choose` is given nothing else.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from textwrap import fill
from typing import BinaryIO

import numpy as np
import pandas as pd

from ser.arguments import Parser
from ser.branches import branch_posteriors, validation_notes
from ser.draws import DRAWS, draw_speakers
from ser.emotions import EMOTIONS
from ser.errors import InputError, check_bounds
from ser.files import write_text, write_whole
from ser.paths import expand_home
from ser.results import emotions_note, posterior_columns
from ser.statistics import bootstrap_speakers, compare, ua_note
from ser.tally import percentile_interval, tally

LINE = 110  # characters of a line of text in a terminal
LAMBDAS = np.arange(101) / 100
PAPER_LAMBDA = 0.6  # section 4.2
LIMITS = ["wa_low", "wa_high", "ua_low", "ua_high"]
SOFTWARE = "ser lambda"  # written into the picture, so that no other file is replaced
CURVE_COLUMNS = ["set", "lambda_", "wa", "ua", *LIMITS]


def curve(predictions: pd.DataFrame, draws: int = DRAWS, seed: int = 1) -> pd.DataFrame:
    """WA and UA of all rows at every lambda, with 95 % intervals by a bootstrap of whole speakers.

    The same drawn speakers serve every lambda, and are those of `bootstrap_speakers` with this seed.

    Args:
        predictions: a predictions table with the posteriors of both branches.
        draws: samples of the bootstrap; with 0 there are no intervals.
        seed: of the drawing.

    Returns:
        A row for each of 0, 0.01 ... 1: `lambda_, wa, ua, wa_low, wa_high, ua_low, ua_high`, shares; limits are NaN
        for a single speaker, and UA's as well where too many draws lack an emotion.

    Raises:
        InputError: if a branch's posterior is missing, or the table cannot be counted.
    """
    actual = pd.Index(EMOTIONS).get_indexer(predictions.emotion)
    capsule, gru = branch_posteriors(predictions)
    hits = np.stack([(each * capsule + (1 - each) * gru).argmax(1) == actual for each in LAMBDAS])
    counts = tally(predictions, hits)
    wa, ua = counts.pooled()
    table = pd.DataFrame({"lambda_": LAMBDAS, "wa": wa, "ua": ua})
    if draws == 0:
        return table
    limits = np.full((len(LAMBDAS), 4), np.nan)
    if len(counts.speakers) > 1:
        drawn = draw_speakers(counts, draws, seed).scores(counts)
        limits = np.array(
            [[*percentile_interval(was), *percentile_interval(uas)] for was, uas in zip(*drawn, strict=True)]
        )
    return table.assign(**dict(zip(LIMITS, limits.T, strict=True)))


def choose(validation: pd.DataFrame, metric: str = "wa") -> pd.DataFrame:
    """Choose lambda for each seed and fold on its validation rows.

    The best by the metric; among equals the best by the other metric, then the one nearest to the paper's 0.6, then
    the smallest.

    Args:
        validation: predictions of validation utterances only, with the posteriors of both branches.
        metric: "wa" or "ua".

    Returns:
        `seed, fold, lambda_`, and `wa, ua` on the validation rows.

    Raises:
        InputError: if a branch's posterior is missing, or the table cannot be counted.
    """
    chosen = []
    for (seed, fold), rows in validation.groupby(["seed", "fold"]):
        chosen.append({"seed": seed, "fold": fold, **best_of(rows, metric)})
    return pd.DataFrame(chosen)


def best_of(validation: pd.DataFrame, metric: str = "wa") -> dict[str, float]:
    """The one best lambda of all given validation rows, by the rule of `choose`: `lambda_`, `wa`, `ua`."""
    other = {"wa": "ua", "ua": "wa"}[metric]
    found = curve(validation, draws=0).round({"wa": 12, "ua": 12})  # sums in another order are equal all the same
    found["apart"] = (found.lambda_ - PAPER_LAMBDA).abs().round(12)
    best = found.sort_values([metric, other, "apart", "lambda_"], ascending=[False, False, True, True]).iloc[0]
    return {name: float(best[name]) for name in ("lambda_", "wa", "ua")}


def apply(predictions: pd.DataFrame, lambdas: pd.DataFrame | float) -> pd.DataFrame:
    """What the system would have answered with another lambda.

    Args:
        predictions: a predictions table with the posteriors of both branches.
        lambdas: one for all rows, or one for each seed and fold (`choose`).

    Returns:
        The table with another `predicted` and another posterior of the system.

    Raises:
        InputError: if a branch's posterior or the lambda of a fold is missing, or a lambda is not in [0, 1].
    """
    capsule, gru = branch_posteriors(predictions)
    if isinstance(lambdas, pd.DataFrame):
        keys = predictions[["seed", "fold"]]
        weights = keys.merge(lambdas, on=["seed", "fold"], how="left", validate="many_to_one").lambda_.to_numpy()
        if np.isnan(weights).any():
            row = keys[np.isnan(weights)].iloc[0]
            raise InputError(f"no lambda for seed {row.seed}, fold {row.fold}: it has no validation rows to choose on")
    else:
        weights = np.full(len(predictions), float(lambdas))
    for weight in np.unique(weights):
        check_bounds("lambda", float(weight), at_least=0, at_most=1)
    posterior = weights[:, None] * capsule + (1 - weights[:, None]) * gru
    answered = np.array(EMOTIONS)[posterior.argmax(1)]
    return predictions.assign(predicted=answered, **dict(zip(posterior_columns(), posterior.T, strict=True)))


def main(arguments: list[str]) -> int:
    """Run `ser lambda ARGUMENTS`.

    Raises:
        InputError: the folder holds no pooled result of a system with two branches, or a file cannot be written.
    """
    options = expand_home(_parser().parse_args(arguments))
    from ser.pooled import pooled_scores, read_pooled

    pooled = read_pooled(options.folder)
    if options.averaged and not pooled.averaged:
        raise InputError(f"{options.folder}: no averaged posteriors; they are made by ser crossval --epochs-averaged N")
    tables = pooled.averaged if options.averaged else {"test": pooled.predictions, "val": pooled.validation}
    for table in tables.values():
        try:
            branch_posteriors(table)
        except InputError as error:
            raise InputError(f"{options.folder}: {pooled.about['system']} has no lambda: {error}") from error
    target = Path(options.out or pooled.folder / ("lambda_averaged.csv" if options.averaged else "lambda.csv"))
    _check_target(target)
    if options.figure:
        _check_figure(options.figure)

    lambdas = choose(tables["val"], options.metric)
    curves = pd.concat([curve(tables[name]).assign(set=name) for name in ("val", "test")])[CURVE_COLUMNS]
    write_text(target, curves.to_csv(index=False))
    if options.figure:
        write_whole(Path(options.figure), lambda file: draw(curves, lambdas, file))
    posteriors = "mean posteriors of the last epochs" if options.averaged else "posteriors of each fold's chosen epoch"
    about = pooled.about
    print(f"{about['system']} on {about['corpus']}, protocol {about['protocol']}, {posteriors}\n")
    print(describe(curves, lambdas, tables["test"], options.metric))
    chosen_with = None if options.averaged else about.get("lambda", PAPER_LAMBDA)
    notes = validation_notes(tables["val"], tables["test"], chosen_with)
    for name, title in (("val", "validation"), ("test", "test")):
        found = (emotions_note(pooled_scores(tables[name])), ua_note(bootstrap_speakers(tables[name])))
        notes += [f"{title}, {note}" for note in found if note]
    print("\n".join(["", *(fill(note, LINE) for note in notes)]))
    print("\n".join(["", *(f"Written: {path}" for path in (target, options.figure) if path)]))
    return 0


def describe(curves: pd.DataFrame, lambdas: pd.DataFrame, test: pd.DataFrame, metric: str) -> str:
    """The curve, the choices and the test result with them as text, in per cent."""
    steps = curves[(100 * curves.lambda_).round() % 10 == 0]
    columns = {"lambda": [f"{each:.1f}" for each in steps.lambda_[steps.set == "test"]]}
    for name, title in (("val", "validation"), ("test", "test")):
        rows = steps[steps.set == name]
        for score in ("wa", "ua"):
            limits = zip(rows[f"{score}_low"], rows[f"{score}_high"], strict=True)
            columns[f"{title} {score.upper()}"] = [_cell(*each) for each in zip(rows[score], limits, strict=True)]
    fixed, tuned = apply(test, PAPER_LAMBDA), apply(test, lambdas)
    outcome = {}
    for title, table in (("chosen", tuned), (f"{PAPER_LAMBDA}", fixed)):
        intervals = bootstrap_speakers(table)
        scores = zip(("wa", "ua"), tally(table).pooled(), strict=True)
        outcome[title] = {f"test {name.upper()}": _cell(score, intervals[name]) for name, score in scores}
    change = compare(fixed, tuned)
    outcome["difference"] = {
        "test WA": _cell(change.wa_difference, change.wa_interval, "+"),
        "test UA": _cell(change.ua_difference, change.ua_interval, "+"),
    }
    choices = lambdas.assign(wa=[_cell(share) for share in lambdas.wa], ua=[_cell(share) for share in lambdas.ua])
    choices = choices.rename(columns={"lambda_": "lambda", "wa": "validation WA", "ua": "validation UA"})
    return "\n".join(
        [
            "The whole curve, %, with 95 % intervals (bootstrap of whole speakers)",
            pd.DataFrame(columns).to_string(index=False),
            "",
            f"Chosen on each fold's validation rows, by {metric.upper()}",
            choices.to_string(index=False, float_format="{:.2f}".format),
            "",
            "All test rows with these lambdas, and with the paper's 0.6, %",
            pd.DataFrame(outcome).T.to_string(),
        ]
    )


def draw(curves: pd.DataFrame, lambdas: pd.DataFrame, file: BinaryIO) -> None:
    """The curves as a picture: WA and UA, test with its interval, validation dotted, choices as ticks at the foot."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.3), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True)
    for axes, score in zip(panels, ("wa", "ua"), strict=True):
        validation, test = (curves[curves.set == name] for name in ("val", "test"))
        band = (100 * test[f"{score}_low"], 100 * test[f"{score}_high"])
        axes.fill_between(test.lambda_, *band, color="0.85", label="95 % of draws of speakers (test)")
        axes.plot(test.lambda_, 100 * test[score], "k-", label="test")
        axes.plot(validation.lambda_, 100 * validation[score], "k:", label="validation")
        axes.axvline(PAPER_LAMBDA, color="0.4", linestyle="--", linewidth=1, label="0.6, the paper's")
        foot = np.full(len(lambdas), 0.02)
        axes.plot(
            lambdas.lambda_, foot, "k|", markersize=10, transform=axes.get_xaxis_transform(), label="chosen, per fold"
        )
        axes.set(xlabel="lambda (0: GRU alone, 1: capsules alone)", ylabel=f"{score.upper()}, %", xlim=(-0.01, 1.01))
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
    figure.savefig(file, dpi=120, format="png", metadata={"Software": SOFTWARE})


def _cell(share: float, limits: tuple[float, float] | None = None, sign: str = "") -> str:
    text = f"{100 * share:{sign}.1f}"
    if limits is None:
        return text
    return (
        f"{text} [{100 * limits[0]:{sign}.1f}, {100 * limits[1]:{sign}.1f}]"
        if limits[0] == limits[0]
        else f"{text} [-]"
    )


def _check_target(target: Path) -> None:
    if not target.parent.is_dir():
        raise InputError(f"--out {target}: there is no folder {target.parent}")
    if target.is_dir():
        raise InputError(f"--out {target} is a folder; name a file")
    if target.exists() and not target.read_bytes().startswith(",".join(CURVE_COLUMNS).encode()):
        raise InputError(f"--out {target} exists and holds something other than a lambda curve; choose another name")


def _check_figure(path: str) -> None:
    if not path.lower().endswith(".png"):
        raise InputError(f"--figure {path}: the picture is a PNG; end its name in .png")
    if not Path(path).parent.is_dir():
        raise InputError(f"--figure {path}: there is no folder {Path(path).parent}")
    if Path(path).is_dir():
        raise InputError(f"--figure {path} is a folder; name a file")
    if Path(path).exists() and not _is_own_figure(Path(path)):
        raise InputError(f"--figure {path} exists and is no picture of a lambda curve; choose another name")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise InputError("--figure needs matplotlib: pip install matplotlib") from error


def _is_own_figure(path: Path) -> bool:
    """Whether `draw` wrote a file: the PNG says so in its first bytes."""
    with path.open("rb") as file:
        start = file.read(1000)
    return start.startswith(b"\x89PNG\r\n\x1a\n") and SOFTWARE.encode() in start


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="ser lambda",
        description="The whole lambda curve of a cross-validated system of two branches (CNNGRUSeqCap), from its saved "
        "posteriors: lambda weighs the capsule branch, 1 - lambda the GRU branch. No network is run. Lambda is chosen "
        "for each fold on its validation rows; the test rows are then scored with it, and with the paper's 0.6.",
    )
    parser.add_argument("folder", metavar="FOLDER", help="of a result of ser crossval")
    parser.add_argument("--metric", choices=["wa", "ua"], default="wa", help="what lambda is chosen by (default: wa)")
    parser.add_argument("--averaged", action="store_true", help="use the mean posteriors of the last epochs, if saved")
    parser.add_argument(
        "--out",
        metavar="FILE.csv",
        help="where the curve is written (default: FOLDER/lambda.csv; with --averaged FOLDER/lambda_averaged.csv)",
    )
    parser.add_argument(
        "--figure", metavar="FILE.png", help="also draw the curve; an earlier one that this command drew is replaced"
    )
    return parser
