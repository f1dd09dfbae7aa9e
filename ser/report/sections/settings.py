"""Under which conditions the results were made: folds, options, versions, commands."""

from __future__ import annotations

from importlib.metadata import version

from ser.emotions import EMOTIONS
from ser.report.page.blocks import Column, Table, percent
from ser.report.reported_results import Entry, counts_of
from ser.report.sections.options import NOT_RECORDED, NOT_SET, options_of, unrecorded, value_of
from ser.results.provenance import commit, versions
from ser.results.speaker_counts import counted

SETS = {"train": "training", "val": "validation", "test": "test"}


def protocol_table(entries: list[Entry], suffix: str) -> Table:
    """Who validates and is tested in every fold of results with one protocol and test set, and how many utterances."""
    entry = entries[0]
    columns = [Column("fold"), Column("validates"), Column("tested")]
    for name in SETS.values():
        columns += [Column(label, "count", name) for label in (*EMOTIONS, "n")]
    columns += [Column("segments", "count", "training"), Column("tails left out", "count", "training")]
    columns = [*columns[:8], *columns[18:], *columns[8:18]]
    rows = []
    for run in (run for run in entry.runs if run.seed == entry.about["seeds"][0]):
        sizes = {name: counts_of(run.details, name) for name in SETS}
        sizes = {name: [*counts, sum(counts)] for name, counts in sizes.items()}
        people = {name: ", ".join(who.split(":", 1)[-1] for who in run.about["speakers"][name]) for name in SETS}
        segments = [run.about["train_segments"], run.about["tails_left_out"]]
        rows.append(
            [str(run.fold), people["val"], people["test"], *sizes["train"], *segments, *sizes["val"], *sizes["test"]]
        )
    titles = ", ".join(each.title for each in entries)
    notes = [
        f"Utterances by emotion. Training uses segments of 2 s; rests too short for one are left out. "
        f"Folds of {titles}."
    ]
    return Table(f"protocol{suffix}", f"Protocol {entry.protocol} on {entry.about['corpus']}", columns, rows, notes)


def shared_sentence(entry: Entry) -> str:
    """What validation and test have in common, in words."""
    found = {kind: names for kind, names in entry.about["shared"].items() if names}
    if not found:
        return (
            f"Protocol {entry.protocol}: in no fold do validation and test share a speaker, a dialog, an utterance "
            "or a recording."
        )
    kinds = {kind: [*map(str, names[:10]), *(["..."] if names[10:] else [])] for kind, names in found.items()}
    listed = "; ".join(
        f"{counted(len(found[kind]), kind.removesuffix('s'))} ({', '.join(names)})" for kind, names in kinds.items()
    )
    shared = f"Protocol {entry.protocol}: validation and test share {listed}."
    voices = "The epoch was chosen on voices that are tested: as the paper's, it says little about new speakers."
    return f"{shared} {voices}" if "speakers" in found else shared


def settings_table(entries: list[Entry]) -> Table:
    """Everything that was set, and the versions, one column per result."""
    rows: dict[str, list[str]] = {}
    for entry in entries:
        for name, value in _settings(entry).items():
            rows.setdefault(name, ["-"] * len(entries))[entries.index(entry)] = value
    columns = [Column("setting"), *[Column(entry.title) for entry in entries]]
    options = dict.fromkeys(name for entry in entries for name in options_of(entry) if name not in rows)
    rows |= {name: [value_of(entry, name) for entry in entries] for name in options}
    every = [[name, *values] for name, values in rows.items()]
    unset = [name for name in options if NOT_SET in rows[name] and not {*rows[name]} - {NOT_SET, NOT_RECORDED}]
    notes = []
    if unset:
        notes.append(f"Options that no result is known to set, with rows in the CSV file alone: {', '.join(unset)}.")
    shown = [row for row in every if row[0] not in unset]
    return Table("settings", "Settings and versions", columns, shown, notes + unrecorded(entries), csv_rows=every)


def _settings(entry: Entry) -> dict[str, str]:
    about = entry.about
    values = {name: about[name] for name in ("system", "corpus", "protocol", "statistics", "epochs", "commit")}
    values |= {"folds": entry.folds, "seeds": ", ".join(map(str, about["seeds"]))}
    values["lambda"] = about["lambda"]
    validation = about["validation"]
    values["validation WA / UA %"] = f"{percent(validation['wa'])} / {percent(validation['ua'])}"
    values["test set"] = f"{entry.test_set['utterances']} utterances, digest {entry.test_set['digest']}"
    values |= {f"{what} digest": about.get(f"{what}_digest") for what in ("corpus", "code")}
    values |= {f"version of {name}": value for name, value in about["versions"].items()}
    return {name: "-" if value is None else str(value) for name, value in values.items()}


def report_versions() -> str:
    """What computed the report, which may be newer than what made the results."""
    found = versions() | {name: version(name) for name in ("scipy", "matplotlib")}
    listed = ", ".join(f"{name} {number}" for name, number in found.items())
    return f"The report was computed by {listed}; commit {commit() or 'unknown'}."
