"""`ser report FOLDER [FOLDER ...] --out FOLDER`: results of cross-validations beside the paper's tables, and what
differences mean."""

import argparse
import shlex
import sys

from ser.paths import expand_home
from ser.training.options.arguments import Parser

DESCRIPTION = """Lay results of `ser crossval` beside the tables of Wu et al. (2019) and say which differences mean
anything. Everything is computed again from the saved predictions; no network is run."""
FILES = """OUT then holds index.html (one page that needs no network), tables.md, a CSV file for each table and a PNG
file for each figure. An earlier report in OUT is replaced when the new one is complete; a folder that holds anything
else is refused.

  ser report runs/seqcap runs/reccap runs/gru_seqcap --out report
"""


def main(arguments: list[str]) -> int:
    """Run `ser report ARGUMENTS`.

    Returns:
        0; everything is read and checked before anything is written.

    Raises:
        InputError: a folder that is no result, results that do not belong together, or a place that is taken.
    """
    options = expand_home(_parser().parse_args(arguments))

    from ser.report.page.folder import check_folder
    from ser.report.reported_results import read_entries
    from ser.report.writing import write_report

    folder = check_folder(options.out)
    print("ser report: reading the results", file=sys.stderr, flush=True)
    entries = read_entries(options.runs)
    command = shlex.join(["ser", "report", *arguments])
    print("ser report: computing intervals, comparisons and figures", file=sys.stderr, flush=True)
    print("\n".join(write_report(folder, entries, options.unpaired, command)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="ser report", description=DESCRIPTION, epilog=FILES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", metavar="RUN", nargs="+", help="folder that `ser crossval --out` wrote")
    parser.add_argument(
        "--out", metavar="OUT", required=True, help="folder of the report: new, empty, or an earlier report"
    )
    parser.add_argument(
        "--unpaired",
        action="store_true",
        help="compare results on different test utterances too, by a test without pairing, labelled so",
    )
    return parser
