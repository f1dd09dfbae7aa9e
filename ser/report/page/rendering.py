"""A page of sections as HTML and as Markdown."""

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from markupsafe import escape as escape_html

from ser.report.page.blocks import Commands, Picture, Section, Table, escape
from ser.report.page.values import without_unit

# Spaces between a number and its unit, and around the sign in "p = 0.25".
UNBROKEN = re.compile(
    r" (?=%)|(?<=\d) (?=(?:points?|seconds?|s|ms|Hz|kHz|MB|GB)\b)|(?<=\b[np]) (?=[=<])|(?<=[=<]) (?=\d)"
)
NO_BREAK = "\N{NO-BREAK SPACE}"


def html_page(title: str, subtitle: str, sections: list[Section], files: Sequence[str] = (), about: Any = None) -> str:
    """One self-contained page: style, script, figures and data are inside it, and it asks no server for anything.

    Args:
        files: names of more files in the page's folder; the page ends with links to them.
        about: embedded as JSON in the element `about`.
    """
    loader, layout = PackageLoader("ser.report.page", "."), {"trim_blocks": True, "lstrip_blocks": True}
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, **layout)
    script, _, _ = loader.get_source(environment, "script.js")
    made = [block for section in sections for block in section.blocks]
    linked = [f"{each.name}.csv" for each in made if isinstance(each, Table)]
    linked += [f"{each.name}.png" for each in made if isinstance(each, Picture)]
    environment.filters |= {
        "base64": lambda content: b64encode(content).decode("ascii"),
        "json": embedded_json,
        "units": with_units,
        "without_unit": without_unit,
        "words": partial(_with_links, names=[*linked, *files]),
    }
    digest = f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}"  # no other script runs on the page
    values = {"title": title, "subtitle": subtitle, "sections": sections, "about": about}
    listed = [file for file in files if file not in linked]
    template = environment.get_template("page.html")
    return template.render(**values, files=listed, script=Markup(script), script_digest=digest)


def embedded_json(value: Any) -> Markup:
    """JSON inside an element of a page, without a character that could end or open an element.

    Example:
        >>> print(embedded_json({"name": "</script>"}))
        {"name": "\\u003c/script\\u003e"}
    """
    text = json.dumps(value, allow_nan=False)
    return Markup("".join(f"\\u{ord(each):04x}" if each in "<>&" else each for each in text))


def with_units(text: str) -> str:
    """The text with no-break spaces between numbers and their units."""
    return UNBROKEN.sub(NO_BREAK, text)


def _with_links(text: str, names: list[str]) -> Markup:
    """The text with the names of files as links."""
    anyone = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    parts = re.split(rf"(?<![\w./-])({anyone})(?![\w-]|\.\w)", text) if names else [text]
    link = Markup('<a href="{0}">{0}</a>')
    return Markup("").join(
        link.format(part) if place % 2 else escape_html(with_units(part)) for place, part in enumerate(parts)
    )


def markdown_page(title: str, subtitle: str, sections: list[Section]) -> str:
    """The same text, tables and figures in Markdown; figures are PNG files in the same folder."""
    parts = [f"# {escape(title)}", escape(subtitle)]
    for section in sections:
        parts += [f"## {escape(section.title)}", *map(_markdown, section.blocks)]
    return "\n\n".join(parts) + "\n"


def _markdown(block: Table | Picture | Commands | list[str] | str) -> str:
    match block:
        case Table():
            return block.markdown()
        case Picture():
            return f"![{escape(block.alt)}]({block.name}.png)\n\n{escape(block.title)}"
        case Commands():
            longest = max((len(ticks) for line in block for ticks in re.findall("`+", line)), default=0)
            return "\n".join([fence := "`" * max(3, longest + 1), *block, fence])
        case list():
            return "\n".join(f"- {escape(line)}" for line in block)
    return escape(block)
