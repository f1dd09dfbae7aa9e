"""The options that results were made with: how they differ from one another, and from the paper's recipe."""

from __future__ import annotations

import json

from ser.report.page.blocks import Column, Paragraph, Table
from ser.report.reported_results import Entry
from ser.report.sections.comparisons import Pair
from ser.results.paper import RECIPE

UNRECORDED = "options not recorded (older version)"
NOT_SET, NOT_RECORDED = "not set", "not recorded"  # a value of None, and that of an option of an older version
UNSTATED = "not stated: the default here"
SYSTEM = "model.class_path"
# What is tested and scored, not how a system is trained: `same_test_set` says whether that is the paper's.
MEASURED = ("data.protocol", "data.test_halves", "epochs_averaged")


def is_recorded(entry: Entry) -> bool:
    """Whether a result names all its options; those of older versions name some."""
    return entry.about.get("options") is not None


def options_of(entry: Entry) -> dict[str, object]:
    """Every option of a result by its name on the command line, as far as they were recorded."""
    about = entry.about
    options = about.get("options")
    if options is None:
        options = {
            SYSTEM: f"ser.systems.{about['system']}",
            "data.protocol": about["protocol"],
            "data.statistics": about["statistics"].split()[0],
            "trainer.max_epochs": about["epochs"],
            **{f"model.{name}": value for name, value in about["model"].items()},
        }
    return {**options, "folds": about["folds"], "seeds": about["seeds"]}


def text_of(value: object) -> str:
    """An option's value as text."""
    return NOT_SET if value is None else value if isinstance(value, str) else json.dumps(value)


def differing(first: Entry, second: Entry) -> dict[str, tuple[str, str]]:
    """Options that two results both have, with two values each."""
    one, other = options_of(first), options_of(second)
    names = sorted(one.keys() & other.keys())
    return {name: (text_of(one[name]), text_of(other[name])) for name in names if one[name] != other[name]}


def only_in(first: Entry, second: Entry) -> list[str]:
    """Options that the first result has and the second has not, with their values; its system's own, as a rule."""
    own, others = options_of(first), options_of(second)
    known = is_recorded(first) and is_recorded(second)  # or a name that is missing need not be an option it lacks
    missing = sorted(name for name in own.keys() - others.keys() if known or name.startswith("model."))
    return [f"{name} {text_of(own[name])}" for name in missing]


def difference_table(entries: list[Entry], pairs: list[Pair]) -> Table:
    """For every two results that are compared: the options in which they differ."""
    by_title = {entry.title: entry for entry in entries}
    rows = []
    for pair in pairs:
        if pair.comparison is None:
            continue
        first, second = by_title[pair.first], by_title[pair.second]
        found = [f"{name} {one} / {other}" for name, (one, other) in differing(first, second).items()]
        found += [f"{entry.title}: {UNRECORDED}" for entry in (first, second) if not is_recorded(entry)]
        cells = (found, only_in(first, second), only_in(second, first))
        rows.append([f"{pair.second} - {pair.first}", *("; ".join(cell) or "none" for cell in cells)])
    columns = [Column("second minus first"), Column("options that differ: first / second")]
    columns += [Column("only the first has"), Column("only the second has")]
    return Table("comparison-options", "Options in which the compared results differ", columns, rows)


def unlike(entries: list[Entry], pairs: list[Pair]) -> list[str]:
    """The options, besides the system, in which results that are compared differ, if there are any."""
    by_title = {entry.title: entry for entry in entries}
    compared = [(by_title[pair.first], by_title[pair.second]) for pair in pairs if pair.comparison]
    names = sorted({name for pair in compared for name in differing(*pair)} - {SYSTEM})
    return [f"Compared results differ in these options, see the table: {', '.join(names)}."] if names else []


def unrecorded(entries: list[Entry]) -> list[str]:
    """A sentence on the results whose options are not known, if there are any."""
    titles = [entry.title for entry in entries if not is_recorded(entry)]
    if not titles:
        return []
    return [f"{', '.join(titles)}: {UNRECORDED}; how else they differ from others and from the paper is not known."]


def departures(entry: Entry) -> dict[str, tuple[object, str]]:
    """Options in which a result differs from the paper's recipe: the recipe's value, and where it says so.

    The recipe is what the paper states; in all else, the defaults of the program that made the result.
    """
    defaults = {name: (value, UNSTATED) for name, value in (entry.about.get("defaults") or {}).items()}
    recipe, options = {**defaults, **RECIPE}, options_of(entry)
    return {
        name: recipe[name]
        for name in sorted(recipe.keys() & options.keys())
        if name not in MEASURED and options[name] != recipe[name][0]
    }


def recipe_table(entries: list[Entry]) -> Table | Paragraph:
    """Every option in which a result differs from the paper's recipe, with its value in all results."""
    found = {name: stated for entry in entries for name, stated in departures(entry).items()}
    if not found:
        return Paragraph(" ".join(["No recorded option differs from the paper's recipe.", *unrecorded(entries)]))
    columns = [Column("option"), Column("recipe"), Column("source"), *(Column(entry.title) for entry in entries)]
    rows = [
        [name, text_of(value), source, *(value_of(entry, name) for entry in entries)]
        for name, (value, source) in sorted(found.items())
    ]
    notes = ["The recipe: what the paper states, and the defaults of this program where it states nothing."]
    title = "Options in which results differ from the paper's recipe"
    return Table("recipe", title, columns, rows, [*notes, *unrecorded(entries)])


def value_of(entry: Entry, name: str) -> str:
    """An option's value in a result as text; "-" where its system or corpus has no such option."""
    options = options_of(entry)
    return text_of(options[name]) if name in options else "-" if is_recorded(entry) else NOT_RECORDED
