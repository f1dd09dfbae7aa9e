"""The report as one HTML page and as Markdown."""

from __future__ import annotations

from base64 import b64encode

from jinja2 import Environment, PackageLoader, StrictUndefined

from ser.report.page.blocks import Picture, Section, escape


def html_page(title: str, subtitle: str, sections: list[Section]) -> str:
    """One page that needs no network and no script: styles and images are inside it."""
    environment = Environment(
        loader=PackageLoader("ser.report.page", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = _data_uri
    return environment.get_template("page.html").render(title=title, subtitle=subtitle, sections=sections)


def _data_uri(picture: Picture) -> str:
    return "data:image/png;base64," + b64encode(picture.png).decode("ascii")


def markdown_page(title: str, subtitle: str, sections: list[Section]) -> str:
    """The same text, tables and figures in Markdown; figures are the PNG files beside it."""
    parts = [f"# {escape(title)}", escape(subtitle)]
    for section in sections:
        parts += [f"## {escape(section.title)}", *(block.markdown() for block in section.blocks)]
    return "\n\n".join(parts) + "\n"
