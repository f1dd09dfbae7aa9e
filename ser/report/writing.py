"""Writing a report: everything is computed first, then all files appear at once."""

from __future__ import annotations

from pathlib import Path

from ser.files import write_bytes, write_text
from ser.report.outline import Say, write_sections
from ser.report.page.blocks import Picture, Table
from ser.report.page.folder import new_folder, write_marker
from ser.report.page.rendering import html_page, markdown_page
from ser.report.reported_results import Entry
from ser.results.speaker_counts import counted


def write_report(folder: Path, entries: list[Entry], unpaired: bool, command: str, say: Say) -> list[str]:
    """Write the report.

    Args:
        folder: new, empty or an earlier report's.
        entries: the results.
        unpaired: compare results on different test sets as well.
        command: the one that makes this report.
        say: is told what is being done.

    Returns:
        What to tell the user: the findings and the files.
    """
    commands = [*dict.fromkeys(entry.about["command"] for entry in entries), command]
    sections = write_sections(entries, unpaired, commands, say)
    tables, pictures = (
        [block for section in sections for block in section.blocks if isinstance(block, form)]
        for form in (Table, Picture)
    )
    corpus = entries[0].about["corpus"]
    title = f"Capsule networks for speech emotion recognition: {corpus} beside the paper"
    subtitle = " ".join([_what(entries), "The paper: Wu et al., ICASSP 2019."])
    say("writing")
    with new_folder(folder) as place:
        write_text(place / "index.html", html_page(title, subtitle, sections))
        write_text(place / "tables.md", markdown_page(title, subtitle, sections))
        for table in tables:
            write_text(place / f"{table.name}.csv", table.csv())
        for picture in pictures:
            write_bytes(place / f"{picture.name}.png", picture.png)
        results = [{"name": entry.name, "test_set": entry.test_set["digest"]} for entry in entries]
        write_marker(place, {"results": results, "corpus": corpus, "command": command})
    files = [f"{folder / 'index.html'}  the report", f"{folder / 'tables.md'}  its tables"]
    files.append(f"{folder}/*.csv, *.png  {len(tables)} tables, {len(pictures)} figures")
    return ["", *sections[0].blocks[0], "", *files]


def _what(entries: list[Entry]) -> str:
    by_test: dict[tuple, list[Entry]] = {}
    for entry in entries:
        about = entry.about
        folds = f"only {entry.named_folds}, " if entry.is_incomplete else ""
        key = (about["corpus"], entry.protocol, folds, entry.test_set["utterances"], len(entry.test_set["speakers"]))
        by_test.setdefault(key, []).append(entry)
    return " ".join(
        f"{', '.join(entry.title for entry in members)}: corpus {corpus}, protocol {protocol}, {folds}"
        f"{counted(utterances, 'test utterance')} of {counted(speakers, 'speaker')}."
        for (corpus, protocol, folds, utterances, speakers), members in by_test.items()
    )
