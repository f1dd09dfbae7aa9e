"""`ser compare FOLDER [FOLDER ...]`: show any runs side by side, finished or not, on one page: a table of options and
scores, learning curves and confusion matrices."""

import argparse
import os
import shlex
import sys
from pathlib import Path

from ser.errors import InputError
from ser.paths import expand_home
from ser.training.options.arguments import Parser

DESCRIPTION = """Show runs of `ser fit`, `ser crossval`, `ser sweep`, `ser transfer` and `ser test` side by side: the
options that differ, scores, learning curves, confusion matrices, and which runs share a test set. Folders are searched
for runs, so that `runs/` shows all of them. Unfinished and damaged runs are shown with what they have. No network is
run, and no difference is tested: that does `ser report`."""
FILES = """OUT then contains index.html (one self-contained page with links to the runs' files), a CSV file for each
table and compare.json. An earlier page in OUT is replaced once the new one is complete; a folder with other files
is refused.

  ser compare runs
  ser compare runs/first runs/second studies/routing --out compare-routing
"""


def main(arguments: list[str]) -> int:
    """Run `ser compare ARGUMENTS`.

    Raises:
        InputError: if a folder does not exist, there is no run in any, or `--out` has other files.
    """
    options = expand_home(_parser().parse_args(arguments))
    if missing := [folder for folder in options.folders if not os.path.lexists(folder)]:
        raise InputError(f"{missing[0]}: there is no such folder")

    from ser.report.page.folder import check_folder
    from ser.report.runs.finding import find_runs
    from ser.report.runs.reading import read_run
    from ser.report.runs.writing import KIND, write_comparison

    out = check_folder(options.out, KIND)
    places, unread = find_runs(options.folders)
    if not places:
        causes = "".join(f"\n  {folder}: {cause}" for folder, cause in unread.items())
        raise InputError(f"{', '.join(options.folders)}: no run found{causes}")
    print(f"ser compare: reading {len(places)} runs", file=sys.stderr, flush=True)
    runs = [read_run(place) for place in places]
    command = shlex.join(["ser", "compare", *arguments])
    print("\n".join(write_comparison(Path(out), runs, unread, command)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="ser compare", description=DESCRIPTION, epilog=FILES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", metavar="FOLDER", nargs="+", help="folder of a run, or of any number of them")
    parser.add_argument(
        "--out",
        metavar="OUT",
        default="compare",
        help="folder of the page: new, empty, or an earlier page of ser compare (default: compare)",
    )
    return parser
