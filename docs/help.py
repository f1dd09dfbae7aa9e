"""A hook of MkDocs: below `$ ser COMMAND --help` in a console block it puts what the command prints."""

import io
import os
import re
import sys
from contextlib import redirect_stdout

from ser.commands import main

BLOCK = re.compile(r"^```console\n\$ (ser .*)\n```$", flags=re.M)


def on_page_markdown(markdown: str, **_: object) -> str:
    """Replace each block of one `ser` command by the command and its output."""
    return BLOCK.sub(lambda found: f"```console\n$ {found[1]}\n{output(found[1].split())}```", markdown)


def output(words: list[str]) -> str:
    """Run a command in this process: torch and Lightning are imported once for all of them."""
    os.environ["COLUMNS"] = "88"
    sys.argv, printed = words, io.StringIO()
    with redirect_stdout(printed):
        try:
            code = main(words[1:])
        except SystemExit as stop:
            code = stop.code
    if code:
        raise SystemExit(f"{' '.join(words)} ended with {code}")
    return printed.getvalue().replace(" \b", "")  # jsonargparse takes a space back
