"""The best trial of a study, tested once, with validation and test scores in one table."""

import os
import subprocess
import sys
from pathlib import Path

from ser.errors import InputError
from ser.report.page.blocks import Table
from ser.report.page.values import Column
from ser.results.identity import FREE, PER_FOLD, flatten
from ser.results.lambda_curve import apply
from ser.results.pooled import pooled_scores
from ser.results.pooled_result import read_pooled
from ser.results.predictions import emotions_note
from ser.results.reading import read_about
from ser.results.statistics import bootstrap_speakers, ua_note
from ser.sweep.outcome.findings import BEST, Findings
from ser.sweep.study.plan import LAMBDA
from ser.training.options.configuration import read_yaml

STATISTICS = "data.statistics"
TESTED = "best"  # folder of the best configuration's cross-validation, in the study's folder


def run_best(findings: Findings, words: list[str]) -> Path | None:
    """Cross-validate the best configuration on the study's folds, once, with additional options of `ser crossval`.

    Returns:
        The folder of the cross-validation, or None if it failed.

    Raises:
        InputError: if another configuration of this study has been tested already.
    """
    folder = findings.folder / TESTED
    if (folder / "config.yaml").is_file():
        varied = ("folds", "seeds", *FREE, *PER_FOLD)
        before, now = (
            {name: value for name, value in flatten(config).items() if not name.startswith(varied)}
            for config in (read_yaml(folder / "config.yaml"), findings.config)
        )
        if differences := [name for name in sorted(before | now) if before.get(name) != now.get(name)]:
            lines = "\n".join(f"  {name}: {before.get(name)} there, {now.get(name)} now best" for name in differences)
            raise InputError(
                f"{folder} is the test of an earlier best trial. Testing each new best would choose on the test set; "
                f"use --no-test, or move the folder away and report both tests\n{lines}"
            )
        if (folder / "result.json").is_file() and read_about(folder):
            return folder
    command = ["crossval", "--config", str(findings.folder / BEST), "--out", str(folder), *words]
    # With the study's number of threads sums are rounded alike, so that retraining repeats the trial exactly.
    threads = set(findings.shared.results()[findings.best].user_attrs.get("threads", ()))
    more = {"OMP_NUM_THREADS": str(*threads)} if len(threads) == 1 else {}
    shown = [*(f"{name}={value}" for name, value in more.items()), "ser", *command]
    print(f"\ntesting the best: {' '.join(shown)}", flush=True)
    done = subprocess.run([sys.executable, "-m", "ser", *command], env={**os.environ, **more})
    return None if done.returncode else folder


def claim(findings: Findings, tested: Path | None) -> Table:
    """Table of the best trial's validation and test scores; `tested` is None for a study of saved posteriors."""
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
            why = "there each fold's best epoch was chosen with the configured lambda, here with the chosen one"
            notes.append(f"After retraining, validation differs{f': {why}' if plan.choose_lambda else ''}.")
    for name, table in weighed.items():
        scores, limits = pooled_scores(table), bootstrap_speakers(table)
        rows.append([name, scores["wa"], limits["wa"], scores["ua"], limits["ua"]])
        notes += [f"{name}, {note}" for note in (emotions_note(scores), ua_note(limits)) if note]
    folds = ", ".join(map(str, plan.folds))
    varied = plan.space.dimensions.get(STATISTICS)
    tried = {findings.config["data"].get("statistics", "train"), *(varied.choices if varied else ())}
    part = "the test set took no part in the choice"
    if others := sorted(tried - {"train"}):
        part = (
            "no label of the test set took part in the choice, but its audio standardises the input "
            f"({STATISTICS}: {' and '.join(others)}), so the test is not speaker-independent"
        )
    notes.append(
        f"Validation is the best of {findings.counts} and therefore optimistic; {part}. Both are of folds {folds} only."
    )
    columns = [Column("set")]
    for score in ("WA", "UA"):
        columns += [Column(f"{score} %", "percent"), Column(f"{score} interval", "interval")]
    return Table("claim", "The best trial: validation and test, with 95 % intervals", columns, rows, notes)
