"""`ser lambda FOLDER`: compute WA and UA of a two-branch system for every lambda, from its saved posteriors."""

import argparse

from ser.errors import InputError
from ser.files import new_file, write_bytes, write_text
from ser.paths import expand_home
from ser.report.sections.lambdas import SOFTWARE, draw, weigh
from ser.results.lambda_curve import CURVE_COLUMNS, PAPER_LAMBDA
from ser.results.names import protocol_of
from ser.results.pooled_result import read_pooled
from ser.training.options.arguments import Parser

OWN_CURVE = ",".join(CURVE_COLUMNS).encode()
OWN_FIGURE = rb"\x89PNG\r\n\x1a\n.{,900}" + SOFTWARE.encode()


def main(arguments: list[str]) -> int:
    """Run `ser lambda ARGUMENTS`.

    Raises:
        InputError: if the folder holds no pooled result of a system with two branches, or a file cannot be written.
    """
    options = expand_home(_parser().parse_args(arguments))
    pooled = read_pooled(options.folder)
    if options.averaged and not pooled.averaged:
        raise InputError(f"{options.folder}: no averaged posteriors; run ser crossval with --epochs-averaged N")
    tables = pooled.averaged if options.averaged else {"test": pooled.predictions, "val": pooled.validation}
    default = pooled.folder / ("lambda_averaged.csv" if options.averaged else "lambda.csv")
    target = new_file("--out", options.out or default, own=OWN_CURVE)
    figure = options.figure and new_file("--figure", options.figure, (".png", ".PNG"), OWN_FIGURE)

    about, title = pooled.about, pooled.about["system"]
    lambda_ = about.get("lambda", PAPER_LAMBDA)
    try:
        curves, choices, found = weigh(tables, lambda_, None if options.averaged else lambda_, options.metric)
    except InputError as error:
        raise InputError(f"{options.folder} ({title}): {error}") from error
    write_text(target, curves.to_csv(index=False))
    if figure:
        write_bytes(figure, draw(curves, choices))
    posteriors = "mean posteriors of the last epochs" if options.averaged else "posteriors of each fold's chosen epoch"
    print(f"{title} on {about['corpus']}, protocol {protocol_of(about)}, {posteriors}")
    for table in found:
        print(f"\n{table.text()}")
    print("\n".join(["", *(f"Written: {path}" for path in (target, figure) if path)]))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="ser lambda",
        description="WA and UA for every lambda of a cross-validated system of two branches (CNNGRUSeqCap), from its "
        "saved posteriors (no network is run); lambda weights the capsule branch, 1 - lambda the GRU branch. Lambda is "
        "chosen for each fold on the validation utterances; the test utterances are then scored with it, and with the "
        "paper's 0.6.",
    )
    parser.add_argument("folder", metavar="FOLDER", help="folder of a ser crossval result")
    parser.add_argument("--metric", choices=["wa", "ua"], default="wa", help="score that chooses lambda (default: wa)")
    parser.add_argument("--averaged", action="store_true", help="use the mean posteriors of the last epochs, if saved")
    parser.add_argument(
        "--out",
        metavar="FILE.csv",
        help="file for the curve (default: FOLDER/lambda.csv, with --averaged FOLDER/lambda_averaged.csv)",
    )
    parser.add_argument(
        "--figure", metavar="FILE.png", help="also draw the curve; replaces an earlier figure of this command"
    )
    return parser
