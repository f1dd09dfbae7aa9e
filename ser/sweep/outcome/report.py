"""The report of a study, as a page of Markdown with its tables and figures."""

from __future__ import annotations

from pathlib import Path

from ser.files import write_text
from ser.report.page.blocks import Commands, Section, Table
from ser.sweep.outcome.findings import Findings


def write_report(folder: Path, findings: Findings, result: Table | None, commands: list[str]) -> list[str]:
    """Write `report.md`, the tables and the figures; the names of the files.

    Args:
        folder: new, made by the caller.
        findings: of the study.
        result: `claim`, or None where nothing was tested.
        commands: those that made the study and this report.
    """
    from ser.report.page.rendering import markdown_page

    plan = findings.shared.plan
    first = [result] if result else ["The test set was left out (--no-test): nothing is claimed."]
    described = [f"{name}: {text}" for name, text in plan.space.described().items()]
    described.append(f"folds {', '.join(map(str, plan.folds))}, seeds {', '.join(map(str, plan.seeds))}")
    sections = [
        Section("result", "Result", [f"Best: {findings.choice}.", *first]),
        Section("study", "What was tried", [described, Commands(commands)]),
        *findings.sections(),
    ]
    files = findings.write(folder)
    if result:
        write_text(folder / "claim.csv", result.csv())
    subtitle = f"{len(findings.trials)} planned trials by {plan.sampler}, {plan.objective} on validation utterances."
    write_text(folder / "report.md", markdown_page(f"Study {plan.study}", subtitle, sections))
    return ["report.md", *(["claim.csv"] if result else []), *files]
