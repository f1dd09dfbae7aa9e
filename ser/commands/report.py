"""`ser report FOLDER [FOLDER ...] --out FOLDER`: compare results of cross-validations with the paper's tables and with
each other, or show a matrix of corpora with results of ser transfer."""

import argparse
import shlex
import sys

from ser.errors import InputError
from ser.paths import expand_home
from ser.training.options.arguments import Parser

DESCRIPTION = """Compare results of `ser crossval` with the tables of Wu et al. (2019) and with each other, with
intervals and tests. With a result of `ser transfer` among them, the report is a matrix of corpora: rows trained on,
columns tested on, the cross-validation of each corpus on the diagonal. Everything is computed from the saved
predictions; no network is run."""
FILES = """OUT then contains index.html (one self-contained page), tables.md, a CSV file for each table and a PNG file
for each figure. An earlier report in OUT is replaced once the new one is complete; a folder with other files
is refused.

  ser report runs/seqcap runs/reccap runs/gru_seqcap --out report
  ser report runs/emodb runs/nemo runs/emodb-on-nemo runs/nemo-on-emodb --out across
"""


def main(arguments: list[str]) -> int:
    """Run `ser report ARGUMENTS`.

    Returns:
        0; everything is read and checked before anything is written.

    Raises:
        InputError: for a folder without a result, results that cannot be compared, or an `--out` with other files.
    """
    options = expand_home(_parser().parse_args(arguments))

    from ser.report.across_corpora import is_across, read_cells
    from ser.report.page.folder import check_folder
    from ser.report.reported_results import read_entries
    from ser.report.writing import write_report
    from ser.report.writing_across_corpora import write_across_corpora

    folder = check_folder(options.out)
    print("ser report: reading the results", file=sys.stderr, flush=True)
    command = shlex.join(["ser", "report", *arguments])
    if is_across(options.runs):
        if options.unpaired:
            raise InputError("--unpaired compares results on one corpus; a matrix of corpora has no comparisons")
        cells = read_cells(options.runs)
        print("ser report: computing intervals and figures", file=sys.stderr, flush=True)
        print("\n".join(write_across_corpora(folder, cells, command)))
        return 0
    entries = read_entries(options.runs)
    print("ser report: computing intervals, comparisons and figures", file=sys.stderr, flush=True)
    print("\n".join(write_report(folder, entries, options.unpaired, command)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="ser report", description=DESCRIPTION, epilog=FILES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", metavar="RUN", nargs="+", help="folder of a result of ser crossval or ser transfer")
    parser.add_argument(
        "--out", metavar="OUT", required=True, help="folder of the report: new, empty, or an earlier report"
    )
    parser.add_argument(
        "--unpaired",
        action="store_true",
        help="also compare results on different test utterances, by an unpaired test, labelled as such",
    )
    return parser
