"""Writing a report: everything is computed first, then all files appear at once."""

from __future__ import annotations

from pathlib import Path

from ser.files import write_bytes, write_text
from ser.report.outline import Say, write_sections
from ser.report.page.blocks import Picture, Table
from ser.report.page.folder import new_folder, write_marker
from ser.report.page.rendering import html_page, markdown_page
from ser.report.reported_results import Entry
from ser.report.sections.folds import same_tests
from ser.results.speaker_counts import counted


def write_report(folder: Path, entries: list[Entry], unpaired: bool, command: str, say: Say) -> list[str]:
    """Write the report that `command` makes; what to tell the user: the findings and the files."""
    commands = [*dict.fromkeys(entry.about["command"] for entry in entries), command]
    sections = write_sections(entries, unpaired, commands, say)
    blocks = [block for section in sections for block in section.blocks]
    corpus = entries[0].about["corpus"]
    title = f"Capsule networks for speech emotion recognition: {corpus} beside the paper"
    subtitle = f"{_what(entries)} The paper: Wu et al., ICASSP 2019."
    say("writing")
    with new_folder(folder) as place:
        write_text(place / "index.html", html_page(title, subtitle, sections))
        write_text(place / "tables.md", markdown_page(title, subtitle, sections))
        for block in blocks:
            if isinstance(block, Table):
                write_text(place / f"{block.name}.csv", block.csv())
            elif isinstance(block, Picture):
                write_bytes(place / f"{block.name}.png", block.png)
        results = [{"name": entry.name, "test_set": entry.test_set["digest"]} for entry in entries]
        write_marker(place, {"results": results, "corpus": corpus, "command": command})
    files = [f"{folder}/index.html  the report", f"{folder}/tables.md  its tables"]
    return ["", *sections[0].blocks[0], "", *files, f"{folder}/*.csv, *.png  every table and figure by itself"]


def _what(entries: list[Entry]) -> str:
    sentences = []
    for _, members in same_tests(entries):
        first, titles = members[0], ", ".join(entry.title for entry in members)
        folds = f"only {first.named_folds}, " if first.is_incomplete else ""
        utterances = counted(first.test_set["utterances"], "test utterance")
        tested = f"{utterances} of {counted(len(first.test_set['speakers']), 'speaker')}"
        sentences.append(f"{titles}: corpus {first.about['corpus']}, protocol {first.protocol}, {folds}{tested}.")
    return " ".join(sentences)
