"""How the results were made: folds, options and differences from the paper's recipe, versions."""

import json
from importlib.metadata import version

from ser.report.page.blocks import Table
from ser.report.page.values import Column, percent
from ser.report.reported_results import Entry, counts_of
from ser.report.sections.comparisons import Pair
from ser.results.names import protocol_of
from ser.results.paper import RECIPE
from ser.results.provenance import commit, versions
from ser.results.speaker_counts import counted

SETS = {"train": "training", "val": "validation", "test": "test"}
NOT_SET, NOT_RECORDED = "not set", "not recorded"  # for None, and for an option that an older version did not record
UNSTATED = "not stated: the default here"
SYSTEM = "model.class_path"
# Options of testing and scoring, not of training; `same_test_set` compares the test set with the paper's.
MEASURED = ("data.protocol", "data.test_halves", "data.num_folds", "data.splits", "epochs_averaged")


def protocol_table(entries: list[Entry], suffix: str) -> Table:
    """Validation and test speakers and numbers of utterances of every fold, for results on the same test set."""
    entry = entries[0]
    counts = {name: [Column(label, "count", name) for label in (*entry.emotions, "n")] for name in SETS.values()}
    segments = [Column(label, "count", "training") for label in ("segments", "tails left out")]
    columns = [Column("fold"), Column("validates"), Column("tested")]
    columns += [*counts["training"], *segments, *counts["validation"], *counts["test"]]
    rows = []
    for run in (run for run in entry.runs if run.seed == entry.about["seeds"][0]):
        numbers_of_set = {name: counts_of(run.details, name, entry.emotions) for name in SETS}
        sizes = {name: [*numbers, sum(numbers)] for name, numbers in numbers_of_set.items()}
        people = {name: ", ".join(who.split(":", 1)[-1] for who in run.about["speakers"][name]) for name in SETS}
        segments = [run.about["train_segments"], run.about["tails_left_out"]]
        rows.append(
            [str(run.fold), people["val"], people["test"], *sizes["train"], *segments, *sizes["val"], *sizes["test"]]
        )
    notes = [
        *(f"Leak, allowed with --allow_leaks: {line}." for line in entry.about.get("leaks") or []),
        "Utterances by emotion. Training uses segments; tails that are too short for one are left out. "
        f"Folds of {', '.join(each.title for each in entries)}.",
    ]
    return Table(f"protocol{suffix}", f"Protocol {entry.protocol} on {entry.about['corpus']}", columns, rows, notes)


def shared_sentence(entry: Entry) -> str:
    """A sentence on what validation and test have in common."""
    found = {kind: names for kind, names in entry.about["shared"].items() if names}
    if not found:
        return (
            f"Protocol {entry.protocol}: in no fold do validation and test share a speaker, a dialog, an utterance "
            "or a recording."
        )
    listed = []
    for kind, names in found.items():
        first = ", ".join(map(str, names[:10])) + (", ..." if names[10:] else "")
        listed.append(f"{counted(len(names), kind.removesuffix('s'))} ({first})")
    voices = " The epoch was chosen on tested speakers, as in the paper: the result says little about new speakers."
    shared = f"Protocol {entry.protocol}: validation and test share {'; '.join(listed)}."
    return f"{shared}{voices}" if "speakers" in found else shared


def options_of(entry: Entry) -> dict[str, object]:
    """The recorded options of a result by name on the command line."""
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


def value_of(entry: Entry, name: str) -> str:
    """An option's value in a result as text; "-" if its system or corpus has no such option."""
    options = options_of(entry)
    return text_of(options[name]) if name in options else NOT_RECORDED if entry.about.get("options") is None else "-"


def unrecorded(entries: list[Entry]) -> list[str]:
    """A sentence on results of older versions, which did not record all options, if there are any."""
    titles = [entry.title for entry in entries if entry.about.get("options") is None]
    what = "options not recorded (older version); other differences from the paper and other results are unknown."
    return [f"{', '.join(titles)}: {what}"] if titles else []


def unlike(entries: list[Entry], pairs: list[Pair]) -> list[str]:
    """A sentence on the options, besides the system, in which compared results differ, if there are any."""
    options, names = {entry.title: options_of(entry) for entry in entries}, set()
    for one, other in ((options[pair.first], options[pair.second]) for pair in pairs if pair.comparison):
        names |= {name for name in one.keys() & other.keys() if one[name] != other[name]} - {SYSTEM}
    return [f"Compared results differ in these options, see the settings: {', '.join(sorted(names))}."] if names else []


def departures(entry: Entry) -> dict[str, tuple[object, str]]:
    """Options in which a result differs from the paper's recipe: the recipe's value and its source.

    The recipe is what the paper states and, for all else, the defaults of the program that made the result.
    """
    defaults = {name: (value, UNSTATED) for name, value in (entry.about.get("defaults") or {}).items()}
    recipe, options = {**defaults, **RECIPE}, options_of(entry)
    return {
        name: recipe[name]
        for name in sorted(recipe.keys() & options.keys())
        if name not in MEASURED and options[name] != recipe[name][0]
    }


def recipe_table(entries: list[Entry]) -> Table | str:
    """Every option in which a result differs from the paper's recipe, with its value in all results."""
    found = {name: stated for entry in entries for name, stated in departures(entry).items()}
    if not found:
        return " ".join(["No recorded option differs from the paper's recipe.", *unrecorded(entries)])
    columns = [Column("option"), Column("recipe"), Column("source"), *(Column(entry.title) for entry in entries)]
    rows = [
        [name, text_of(value), source, *(value_of(entry, name) for entry in entries)]
        for name, (value, source) in sorted(found.items())
    ]
    note = "The recipe: what the paper states, and the defaults of this program for all else."
    title = "Options in which results differ from the paper's recipe"
    return Table("recipe", title, columns, rows, [note, *unrecorded(entries)])


def settings_table(entries: list[Entry]) -> Table:
    """All settings and versions, one column per result."""
    settings = [_settings(entry) for entry in entries]
    names = dict.fromkeys(name for each in settings for name in each)
    rows = [[name, *(each.get(name, "-") for each in settings)] for name in names]
    options = dict.fromkeys(name for entry in entries for name in options_of(entry) if name not in names)
    rows += [[name, *(value_of(entry, name) for entry in entries)] for name in options]
    shown = [row for row in rows if NOT_SET not in row or {*row[1:]} - {NOT_SET, NOT_RECORDED}]
    columns = [Column("setting"), *(Column(entry.title) for entry in entries)]
    notes = ["Options that no result sets are only in the CSV file.", *unrecorded(entries)]
    return Table("settings", "Settings and versions", columns, shown, notes, csv_rows=rows, filter=True)


def _settings(entry: Entry) -> dict[str, str]:
    about = entry.about
    values = {name: about[name] for name in ("system", "corpus", "protocol", "statistics", "epochs", "commit")}
    values["protocol"] = protocol_of(about)
    values |= {"folds": entry.folds, "seeds": ", ".join(map(str, about["seeds"])), "lambda": about["lambda"]}
    values["validation WA / UA %"] = " / ".join(percent(about["validation"][score]) for score in ("wa", "ua"))
    values["test set"] = f"{entry.test_set['utterances']} utterances, digest {entry.test_set['digest']}"
    values |= {f"{what} digest": about.get(f"{what}_digest") for what in ("corpus", "code")}
    values |= {f"version of {name}": value for name, value in about["versions"].items()}
    return {name: "-" if value is None else str(value) for name, value in values.items()}


def report_versions() -> str:
    """The versions that computed the report, which can be newer than those of the results."""
    found = versions() | {name: version(name) for name in ("scipy", "matplotlib")}
    listed = ", ".join(f"{name} {number}" for name, number in found.items())
    return f"The report was computed by {listed}; commit {commit() or 'unknown'}."
