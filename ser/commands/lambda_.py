"""`ser lambda FOLDER`: a two-branch system's results over lambda, from its saved posteriors; no network is run."""

from __future__ import annotations

import argparse
from pathlib import Path
from textwrap import fill

import pandas as pd

from ser.errors import InputError
from ser.files import write_text, write_whole
from ser.paths import expand_home
from ser.report.sections.lambdas import SOFTWARE, draw
from ser.results.lambda_curve import (
    CURVE_COLUMNS,
    PAPER_LAMBDA,
    apply,
    branch_posteriors,
    choose,
    curve,
    validation_notes,
)
from ser.results.predictions import emotions_note
from ser.results.speaker_counts import tally
from ser.results.statistics import bootstrap_speakers, compare, ua_note
from ser.training.options.arguments import Parser

LINE = 110  # characters of a line of text in a terminal


def main(arguments: list[str]) -> int:
    """Run `ser lambda ARGUMENTS`.

    Raises:
        InputError: the folder holds no pooled result of a system with two branches, or a file cannot be written.
    """
    options = expand_home(_parser().parse_args(arguments))
    from ser.results.pooled import pooled_scores
    from ser.results.pooled_result import read_pooled

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
