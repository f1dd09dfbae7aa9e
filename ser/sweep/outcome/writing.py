"""The report of a study: one page, the same as Markdown, and its tables and figures as files."""

from pathlib import Path

from ser.files import write_text
from ser.report.page.blocks import Commands, Section, Table
from ser.report.page.folder import MARKER
from ser.report.page.rendering import html_page, markdown_page
from ser.report.page.values import Column
from ser.sweep.outcome.findings import UNTOLD, Findings
from ser.sweep.study.shared_study import short

MOST_ROWS = 10


def write_report(folder: Path, findings: Findings, result: Table | None, commands: list[str]) -> list[str]:
    """Write the page, `report.md`, tables (the test's result is `claim.csv`) and figures; return the files' names."""
    plan = findings.shared.plan
    pictures = {picture.name: picture for picture in findings.pictures}
    history = [pictures.pop("history")] if "history" in pictures else []
    first = [result] if result else ["The test set was not used (--no-test)."]
    described = [f"{name}: {text}" for name, text in plan.space.described().items()]
    described.append(f"folds {', '.join(map(str, plan.folds))}, seeds {', '.join(map(str, plan.seeds))}")
    sections = [
        Section("result", "Result", [*history, [f"Best: {findings.choice}."], *first]),
        Section("options", "Options", [*pictures.values(), *([] if findings.importances else [UNTOLD])]),
        *([Section("routing", "Routing iterations", [findings.routing])] if findings.routing else []),
        Section("trials", "Trials", [best_trials(findings)]),
        Section("study", "What was tried", [described, Commands(commands)]),
    ]
    files = [*(["claim.csv"] if result else []), *findings.write(folder)]
    if result:
        write_text(folder / "claim.csv", result.csv())
    title = f"Study {plan.study}"
    subtitle = f"{len(findings.trials)} planned trials by {plan.sampler}, {plan.objective} on validation utterances."
    about = {"study": plan.study, "best": findings.choice, "commands": commands}
    page = html_page(title, subtitle, sections, ["report.md", *files, MARKER], about)
    write_text(folder / "index.html", page)
    write_text(folder / "report.md", markdown_page(title, subtitle, sections))
    return ["index.html", "report.md", *files]


def best_trials(findings: Findings) -> Table:
    """The best trials by the objective."""
    plan = findings.shared.plan
    done = findings.trials.sort_values(plan.metric, ascending=False, kind="stable", na_position="last")
    shown = done.astype(object).where(done.notna(), None).head(MOST_ROWS)
    names = list(plan.space.dimensions)
    columns = [Column("trial", "count"), Column("state"), *map(Column, names)]
    columns += [Column(f"validation {name} %", "percent") for name in ("WA", "UA")]
    rows = [[row.trial, row.state, *map(short, row[names]), row.wa, row.ua] for _, row in shown.iterrows()]
    title = f"The best {len(rows)} trials of {len(done)}" if len(done) > len(rows) else "All trials"
    return Table("trials", title, columns, rows, ["trials.csv has all of them, with errors and workers."])
