"""Lambda of a two-branch system: the whole curve, the choice on validation, and the test result with it."""

from __future__ import annotations

import io
from typing import BinaryIO

import numpy as np
import pandas as pd

from ser.report.page.blocks import Column, Paragraph, Picture, Table
from ser.report.reported_results import Entry
from ser.report.sections.comparisons import Pair, comparison_table, correct
from ser.report.sections.folds import SCORE_COLUMNS, score_cells
from ser.results.lambda_curve import LAMBDAS, PAPER_LAMBDA, apply, choose, curve, validation_notes
from ser.results.pooled import pooled_scores
from ser.results.statistics import bootstrap_speakers, compare, ua_note

SHOWN = {round(tenth / 10, 2) for tenth in range(11)}
SETS = {"val": "validation", "test": "test"}


def lambda_blocks(entry: Entry) -> list:
    """Everything about lambda for a result, and again for the mean posteriors of the last epochs where they exist."""
    tables = {"test": entry.predictions, "val": entry.pooled.validation}
    blocks = [
        Paragraph(
            "Lambda weighs the capsule branch, 1 - lambda the GRU branch. It touches no training, so that the curve "
            "follows from the saved posteriors. It is chosen for each fold on that fold's validation rows; test rows "
            "choose nothing."
        ),
        *_blocks(entry.title, entry.stem, tables, entry.about["lambda"], entry.about["lambda"]),
    ]
    if entry.pooled.averaged:
        title = f"{entry.title}, mean posterior of the last {entry.about['averaged']['epochs']} epochs"
        blocks += _blocks(title, f"{entry.stem}-averaged", entry.pooled.averaged, entry.about["lambda"], None)
    return blocks


def _blocks(
    title: str, stem: str, tables: dict[str, pd.DataFrame], tested_with: float, chosen_with: float | None
) -> list:
    choices = choose(tables["val"])
    curves = {name: curve(tables[name]) for name in SETS}
    fixed, tuned = apply(tables["test"], PAPER_LAMBDA), apply(tables["test"], choices)
    outcomes = {f"{PAPER_LAMBDA} (the paper's)": fixed, "chosen per fold on validation": tuned}
    if tested_with != PAPER_LAMBDA:
        outcomes = {f"{tested_with:g} (as the result was made)": tables["test"], **outcomes}
    names = (f"lambda {PAPER_LAMBDA}", "lambda chosen per fold")
    pair, *_ = correct([Pair(*names, compare(fixed, tuned), label=f"chosen per fold - {PAPER_LAMBDA}")])
    return [
        _outcome_table(title, stem, outcomes),
        comparison_table(f"lambda-difference-{stem}", f"{title}: what choosing changes", [pair], [pair.finding()]),
        _picture(title, stem, curves, choices),
        _curve_table(title, stem, curves, _notes_of_curve(tables, chosen_with)),
        _choice_table(title, stem, choices),
    ]


def _notes_of_curve(tables: dict[str, pd.DataFrame], chosen_with: float | None) -> list[str]:
    notes = {name: ua_note(bootstrap_speakers(tables[name])) for name in SETS}
    drawn = [f"{SETS[name]}, {note}" for name, note in notes.items() if note]
    return [*validation_notes(tables["val"], tables["test"], chosen_with), *drawn]


def _outcome_table(title: str, stem: str, outcomes: dict[str, pd.DataFrame]) -> Table:
    rows, notes = [], {}
    for name, table in outcomes.items():
        intervals = bootstrap_speakers(table)
        rows.append([name, *score_cells(pooled_scores(table), intervals)])
        notes[ua_note(intervals)] = None  # the same for every lambda
    columns = [Column("lambda"), *SCORE_COLUMNS]
    return Table(f"lambda-{stem}", f"{title}: test result with a lambda", columns, rows, list(filter(None, notes)))


def _curve_table(title: str, stem: str, curves: dict[str, pd.DataFrame], of_validation: list[str]) -> Table:
    columns = [Column("lambda")]
    for name in SETS.values():
        for measure in ("WA", "UA"):
            columns.append(Column(f"{measure} %", "short percent", name))
            columns.append(Column(f"{measure} 95 % interval", "interval", name))
    rows: list[list] = [[f"{value:.2f}"] for value in LAMBDAS]
    for name in SETS:
        for row, point in zip(rows, curves[name].to_dict("records"), strict=True):
            for score in ("wa", "ua"):
                row += [point[score], (point[f"{score}_low"], point[f"{score}_high"])]
    shown = [row for row in rows if float(row[0]) in SHOWN]
    notes = [
        "Every tenth; the CSV file has every hundredth. Choosing lambda by the test columns would be cheating.",
        *of_validation,
    ]
    return Table(f"lambda-curve-{stem}", f"{title}: the curve over lambda", columns, shown, notes, csv_rows=rows)


def _choice_table(title: str, stem: str, choices: pd.DataFrame) -> Table:
    columns = [Column("fold"), Column("seed"), Column("lambda", "number")]
    columns += [Column(f"{measure} %", "short percent", "validation") for measure in ("WA", "UA")]
    rows = [[f"{row.fold:g}", f"{row.seed:g}", float(row.lambda_), row.wa, row.ua] for row in choices.itertuples()]
    return Table(f"lambda-choices-{stem}", f"{title}: lambda chosen on validation, by WA", columns, rows)


def _picture(title: str, stem: str, curves: dict[str, pd.DataFrame], choices: pd.DataFrame) -> Picture:
    out = io.BytesIO()
    draw(pd.concat([curves[name].assign(set=name) for name in SETS]), choices, out)
    lowest, highest = curves["test"].wa.min(), curves["test"].wa.max()
    alt = f"WA and UA of {title} over lambda; test WA between {100 * lowest:.1f} and {100 * highest:.1f} %."
    caption = f"{title}: WA and UA over lambda on test (with 95 % interval) and on validation rows."
    return Picture(f"lambda-{stem}", caption, alt, out.getvalue(), inches=10)


SOFTWARE = "ser lambda"  # written into the picture, so that no other file is replaced


def draw(curves: pd.DataFrame, lambdas: pd.DataFrame, file: BinaryIO) -> None:
    """The curves as a picture: WA and UA, test with its interval, validation dotted, choices as ticks at the foot."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.3), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True)
    for axes, score in zip(panels, ("wa", "ua"), strict=True):
        validation, test = (curves[curves.set == name] for name in ("val", "test"))
        band = (100 * test[f"{score}_low"], 100 * test[f"{score}_high"])
        axes.fill_between(test.lambda_, *band, color="0.85", label="95 % of draws of speakers (test)")
        axes.plot(test.lambda_, 100 * test[score], "k-", label="test")
        axes.plot(validation.lambda_, 100 * validation[score], "k:", label="validation")
        axes.axvline(PAPER_LAMBDA, color="0.4", linestyle="--", linewidth=1, label="0.6, the paper's")
        foot = np.full(len(lambdas), 0.02)
        axes.plot(
            lambdas.lambda_, foot, "k|", markersize=10, transform=axes.get_xaxis_transform(), label="chosen, per fold"
        )
        axes.set(xlabel="lambda (0: GRU alone, 1: capsules alone)", ylabel=f"{score.upper()}, %", xlim=(-0.01, 1.01))
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
    figure.savefig(file, dpi=120, format="png", metadata={"Software": SOFTWARE})
