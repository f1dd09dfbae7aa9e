"""The report as one HTML page and as Markdown."""

from base64 import b64encode

from jinja2 import Environment, PackageLoader, StrictUndefined

from ser.report.page.blocks import Commands, Picture, Section, Table, escape


def html_page(title: str, subtitle: str, sections: list[Section]) -> str:
    """One self-contained page without scripts: styles and images are inside it."""
    loader, layout = PackageLoader("ser.report.page", "."), {"trim_blocks": True, "lstrip_blocks": True}
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, **layout)
    environment.filters["base64"] = lambda content: b64encode(content).decode("ascii")
    return environment.get_template("page.html").render(title=title, subtitle=subtitle, sections=sections)


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
            return "\n".join(["```", *block, "```"])
        case list():
            return "\n".join(f"- {escape(line)}" for line in block)
    return escape(block)
