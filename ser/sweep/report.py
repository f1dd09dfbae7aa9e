"""What a study leaves for a reader: tables and figures at its end, and a report that tests the best trial once."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ser.configuration import read_yaml
from ser.errors import InputError
from ser.files import write_bytes, write_text
from ser.identity import FREE, PER_FOLD, flatten
from ser.lambda_curve import apply, curve
from ser.pooled import pooled_scores, read_pooled
from ser.report.document import Column, Commands, Listing, Paragraph, Picture, Section, Table, percent, percent_interval
from ser.saved import read_about
from ser.statistics import bootstrap_speakers
from ser.sweep.figures import (
    draw_history,
    draw_importances,
    draw_lambda,
    draw_routing,
    draw_slices,
    importances,
    name_of,
    value_of,
)
from ser.sweep.lambdas import Saved
from ser.sweep.outcome import BEST, best_trial, complete, trials_table, write_outcome
from ser.sweep.plan import LAMBDA
from ser.sweep.routing import ITERATIONS, routing_cells, routing_table, trial_validation
from ser.sweep.study import SharedStudy

TESTED = "best"  # the folder of the best configuration's cross-validation, in the study's
MOST_ROWS = 10


@dataclass
class Findings:
    """Everything a study shows, computed once for its folder, its report and W&B."""

    shared: SharedStudy
    folder: Path
    config: dict | None  # of the best trial
    saved: Saved | None = None
    trials: pd.DataFrame = field(init=False)
    pictures: list[Picture] = field(default_factory=list)
    importances: dict[str, float] | str = ""
    curve: pd.DataFrame | None = None
    routing: Table | None = None
    best: int | None = field(init=False)

    def __post_init__(self) -> None:
        plan, results = self.shared.plan, self.shared.results()
        self.trials, self.best = trials_table(self.shared), best_trial(plan, results)
        if self.best is None:
            return
        self.importances = importances(plan, results)
        self.pictures = [draw_history(plan, results)]
        if not self.saved:  # the lambda curve is its slice
            self.pictures.append(draw_slices(plan, results))
        if isinstance(self.importances, dict):
            self.pictures.append(draw_importances(self.importances, len(complete(results))))
        if ITERATIONS in plan.space.dimensions:
            cells = routing_cells(self.shared, self.folder, self.config["model"]["class_path"])
            self.routing = routing_table(cells, len(plan.folds))
            self.pictures.append(draw_routing(cells))
        self._draw_lambda(results)

    def _draw_lambda(self, results: dict) -> None:
        row, others = results[self.best], []
        if self.saved:
            table, chosen, whose = self.saved.validation, row.params[LAMBDA], str(self.saved.folder)
        elif self.shared.plan.choose_lambda:
            table, chosen = trial_validation(self.shared, self.folder, row), row.user_attrs["lambda_"]
            whose = f"trial {self.best}"
            others = [each.user_attrs["lambda_"] for place, each in complete(results).items() if place != self.best]
        else:
            return
        if table is not None:
            self.curve = curve(table)
            self.pictures.append(draw_lambda(self.curve, chosen, others, whose))

    @property
    def counts(self) -> str:
        """How many trials the choice was made from."""
        states = self.trials.state.value_counts()
        return f"{len(self.trials)} trials ({', '.join(f'{number} {state}' for state, number in states.items())})"

    @property
    def choice(self) -> str:
        """Which trial is the best, and of how many."""
        plan, row = self.shared.plan, self.trials[self.trials.trial == self.best].iloc[0]
        point = ", ".join(f"{name_of(name)} {value_of(name, row[name])}" for name in plan.space.dimensions)
        chosen = f", lambda {row.lambda_:.2f}" if pd.notna(row.lambda_) else ""
        return f"trial {self.best} of {self.counts}, by {plan.objective}: {point}{chosen}"

    def write(self, folder: Path) -> list[str]:
        """Tables, figures and the best configuration; the names of the files."""
        write_outcome(folder, self.trials, self.config, f"study {self.shared.plan.study}: {self._from()}")
        for picture in self.pictures:
            write_bytes(folder / f"{picture.name}.png", picture.png)
        if self.routing:
            write_text(folder / "routing.csv", self.routing.csv())
            write_text(folder / "routing.md", self.routing.markdown() + "\n")
        tables = ["routing.csv", "routing.md"] if self.routing else []
        return [
            "trials.csv",
            *([BEST] if self.config else []),
            *tables,
            *(f"{each.name}.png" for each in self.pictures),
        ]

    def _from(self) -> str:
        return "no complete trial" if self.best is None else self.choice

    def sections(self) -> list[Section]:
        """Trials, figures and the routing table for the report."""
        plan = self.shared.plan
        done = self.trials.sort_values(plan.metric, ascending=False, kind="stable", na_position="last")
        names = list(plan.space.dimensions)
        columns = [Column("trial", "count"), Column("state"), *(Column(name_of(name)) for name in names)]
        columns += [Column(f"validation {name}", "percent") for name in ("WA", "UA")]
        rows = [
            [int(row.trial), row.state, *(value_of(name, row[name]) for name in names), _share(row.wa), _share(row.ua)]
            for _, row in done.head(MOST_ROWS).iterrows()
        ]
        title = f"The best {len(rows)} trials of {len(done)}" if len(done) > len(rows) else "All trials"
        trials = Table("trials", title, columns, rows, ["All of them, with errors and workers, are in trials.csv."])
        found = [Section("trials", "Trials", [trials])]
        if self.routing:
            pictures = [each for each in self.pictures if each.name == "routing"]
            found.append(Section("routing", "Routing iterations", [self.routing, *pictures]))
        rest: list = [each for each in self.pictures if each.name != "routing"]
        if isinstance(self.importances, str):
            rest.append(Paragraph(self.importances))
        return [*found, Section("figures", "Figures", rest)]


def _share(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def run_best(findings: Findings, words: list[str]) -> Path | None:
    """Test the best configuration on the study's folds, once: the folder of its cross-validation.

    Args:
        findings: of the study, whose folder has `best.yaml`.
        words: more options of `ser crossval` (`--jobs`, `--devices`).

    Returns:
        None if the cross-validation did not come to its end.

    Raises:
        InputError: if another configuration of this study was tested already.
    """
    folder = findings.folder / TESTED
    if (folder / "config.yaml").is_file():
        before, now = (_tested(each) for each in (read_yaml(folder / "config.yaml"), findings.config))
        if differences := [name for name in sorted(before | now) if before.get(name) != now.get(name)]:
            lines = "\n".join(f"  {name}: {before.get(name)} there, {now.get(name)} now best" for name in differences)
            raise InputError(
                f"{folder} holds the test of what was best before. To test each new best is to choose on the test set; "
                f"use --no-test, or move the folder away and say so\n{lines}"
            )
        if (folder / "result.json").is_file() and read_about(folder):
            return folder
    command = ["crossval", "--config", str(findings.folder / BEST), "--out", str(folder), *words]
    # With as many threads as in the study: sums end in the same bits, and training again repeats the trial.
    threads = set(findings.shared.results()[findings.best].user_attrs.get("threads", ()))
    more = {"OMP_NUM_THREADS": str(*threads)} if len(threads) == 1 else {}
    shown = [*(f"{name}={value}" for name, value in more.items()), "ser", *command]
    print(f"\ntesting the best: {' '.join(shown)}", flush=True)
    done = subprocess.run([sys.executable, "-m", "ser", *command], env={**os.environ, **more})
    return None if done.returncode else folder


def _tested(config: dict) -> dict:
    varied = ("folds", "seeds", *FREE, *PER_FOLD)
    return {name: value for name, value in flatten(config).items() if not name.startswith(varied)}


def claim(findings: Findings, tested: Path | None) -> Table:
    """Validation and test of the best trial beside each other.

    Args:
        findings: of the study.
        tested: the folder of the best configuration's cross-validation, None for a study of saved posteriors.
    """
    plan, row = findings.shared.plan, findings.shared.results()[findings.best]
    rows, notes = [], []
    in_study = {name: row.user_attrs[name] for name in ("wa", "ua")}
    if saved := findings.saved:
        weighed = {name: apply(getattr(saved, name), row.params[LAMBDA]) for name in ("validation", "test")}
    else:
        pooled = read_pooled(tested)
        weighed = {"validation": pooled.validation, "test": pooled.predictions}
        again = pooled_scores(pooled.validation)
        if any(abs(again[name] - in_study[name]) > 1e-9 for name in in_study):
            rows.append(["validation, in the study", in_study["wa"], None, in_study["ua"], None])
            why = "each fold's best epoch was chosen with the run's own lambda then, and with the chosen one now"
            notes.append(f"Trained again, validation differs{f': {why}' if plan.choose_lambda else ''}.")
    for name, table in weighed.items():
        scores, limits = pooled_scores(table), bootstrap_speakers(table)
        rows.append([name, scores["wa"], limits["wa"], scores["ua"], limits["ua"]])
    folds = ", ".join(map(str, plan.folds))
    notes.append(
        f"Validation is the best of {findings.counts} and therefore flatters; the test set took no part in the choice. "
        f"Both are of folds {folds} and say nothing about other folds."
    )
    columns = [Column("set")]
    for score in ("WA", "UA"):
        columns += [Column(score, "percent"), Column(f"{score} interval", "interval")]
    return Table("claim", "The best trial: validation and test, %, with 95 % intervals", columns, rows, notes)


def write_report(folder: Path, findings: Findings, result: Table | None, commands: list[str]) -> list[str]:
    """Write `report.md`, the tables and the figures; the names of the files.

    Args:
        folder: new, made by the caller.
        findings: of the study.
        result: `claim`, or None where nothing was tested.
        commands: those that made the study and this report.
    """
    from ser.report.page import markdown_page

    plan = findings.shared.plan
    first = [result] if result else [Paragraph("The test set was left out (--no-test): nothing is claimed.")]
    described = [f"{name}: {text}" for name, text in plan.space.described().items()]
    described.append(f"folds {', '.join(map(str, plan.folds))}, seeds {', '.join(map(str, plan.seeds))}")
    sections = [
        Section("result", "Result", [Paragraph(f"Best: {findings.choice}."), *first]),
        Section("study", "What was tried", [Listing(described), Commands(commands)]),
        *findings.sections(),
    ]
    files = findings.write(folder)
    if result:
        write_text(folder / "claim.csv", result.csv())
    subtitle = f"{len(findings.trials)} planned trials by {plan.sampler}, {plan.objective} on validation utterances."
    write_text(folder / "report.md", markdown_page(f"Study {plan.study}", subtitle, sections))
    return ["report.md", *(["claim.csv"] if result else []), *files]


def describe_claim(result: Table) -> str:
    """Validation and test as text for a person."""
    lines = ["", result.title]
    for name, *cells in result.rows:
        scores = []
        for title, share, limits in (("WA", *cells[:2]), ("UA", *cells[2:])):
            scores.append(f"{title} {percent(share)}" + (f" [{percent_interval(limits)}]" if limits else ""))
        lines.append(f"  {name:26s} {'   '.join(scores)}")
    return "\n".join([*lines, *(f"  {note}" for note in result.notes)])
