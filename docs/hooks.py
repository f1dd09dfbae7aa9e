"""Hooks of MkDocs: help texts come from the commands, and files of the repository's root are pages of the site."""

import io
import os
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path

from ser.commands import main

ROOT = Path(__file__).parents[1]
COMMAND = re.compile(r"^```console\n\$ (ser .*)\n```$", flags=re.M)
PAGE_OF_ROOT = re.compile(r"^<!-- ([A-Z]+\.md) -->$", flags=re.M)
LINK = re.compile(r"\[([^]]+)\]\(([^):]+)\)")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put the output below each `ser` command of a console block, and a root file in the place of its name."""
    markdown = PAGE_OF_ROOT.sub(lambda found: LINK.sub(link, (ROOT / found[1]).read_text(encoding="utf-8")), markdown)
    return COMMAND.sub(lambda found: f"```console\n$ {found[1]}\n{output(found[1].split())}```", markdown)


def link(found: re.Match) -> str:
    """A link of a root file, as the site's folder `design` needs it; without a page, only its text."""
    text, target = found.groups()
    if target.startswith("docs/"):
        return f"[{text}](../{target.removeprefix('docs/')})"
    page = target.lower()
    return f"[{text}]({page})" if (ROOT / "docs" / "design" / page).is_file() else text


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
