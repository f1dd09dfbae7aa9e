"""The report as one HTML page and as Markdown."""

from __future__ import annotations

from base64 import b64encode

from jinja2 import Environment, PackageLoader, StrictUndefined

from ser.report.page.blocks import Commands, Listing, Picture, Section, Table, escape


def html_page(title: str, subtitle: str, sections: list[Section]) -> str:
    """One page that needs no network and no script: styles and images are inside it."""
    loader = PackageLoader("ser.report.page", ".")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["base64"] = lambda content: b64encode(content).decode("ascii")
    return environment.get_template("page.html").render(title=title, subtitle=subtitle, sections=sections)


def markdown_page(title: str, subtitle: str, sections: list[Section]) -> str:
    """The same text, tables and figures in Markdown; figures are the PNG files beside it."""
    parts = [f"# {escape(title)}", escape(subtitle)]
    for section in sections:
        parts += [f"## {escape(section.title)}", *map(_markdown, section.blocks)]
    return "\n\n".join(parts) + "\n"


def _markdown(block: Table | Picture | Listing | Commands | str) -> str:
    match block:
        case Table():
            return block.markdown()
        case Picture():
            return f"![{escape(block.alt)}]({block.name}.png)\n\n{escape(block.title)}"
        case Listing():
            return "\n".join(f"- {escape(line)}" for line in block)
        case Commands():
            return "\n".join(["```", *block, "```"])
    return escape(block)
