"""Lambda of a two-branch system: the curve, the choice on validation, and the test result with it."""

from dataclasses import replace

import numpy as np
import pandas as pd

from ser.report.page.blocks import Picture, Table
from ser.report.page.values import Column
from ser.report.reported_results import Entry
from ser.report.sections.comparisons import Pair, comparison_table, correct
from ser.report.sections.folds import SCORE_COLUMNS, score_cells
from ser.results.lambda_curve import CURVE_COLUMNS, LAMBDAS, PAPER_LAMBDA, apply, choose, curve, validation_notes
from ser.results.pooled import pooled_scores
from ser.results.predictions import emotions_note
from ser.results.statistics import bootstrap_speakers, compare, ua_note

SETS = {"val": "validation", "test": "test"}
INCHES = 10
SOFTWARE = "ser lambda"  # written into the PNG, so that no other file is replaced
ABOUT = (
    "Lambda is the weight of the capsule branch, 1 - lambda that of the GRU branch. Training does not depend on it, so "
    "the curve is computed from the saved posteriors. Each fold's lambda is chosen on its validation rows, never on "
    "test rows."
)


def lambda_blocks(entry: Entry) -> list:
    """The section on lambda of a result, repeated for the mean posteriors of the last epochs if there are any."""
    tables, lambda_ = {"test": entry.predictions, "val": entry.pooled.validation}, entry.about["lambda"]
    picture, *found = _blocks(entry.title, entry.stem, *weigh(tables, lambda_, lambda_))
    blocks = [picture, ABOUT, *found]
    if averaged := entry.pooled.averaged:
        title = f"{entry.title}, mean posterior of the last {entry.about['averaged']['epochs']} epochs"
        blocks += _blocks(title, f"{entry.stem}-averaged", *weigh(averaged, lambda_, None))
    return blocks


def _blocks(title: str, stem: str, curves: pd.DataFrame, choices: pd.DataFrame, tables: list[Table]) -> list:
    was = 100 * curves.wa[curves.set == "test"]
    alt = f"WA and UA of {title} over lambda; test WA between {was.min():.1f} and {was.max():.1f} %."
    caption = f"{title}: WA and UA over lambda on test (with 95 % interval) and on validation rows."
    named = [replace(each, name=f"{each.name}-{stem}", title=f"{title}: {each.title}") for each in tables]
    return [Picture(f"lambda-{stem}", caption, alt, draw(curves, choices), INCHES), *named]


def weigh(
    tables: dict[str, pd.DataFrame], tested_with: float, chosen_with: float | None, metric: str = "wa"
) -> tuple[pd.DataFrame, pd.DataFrame, list[Table]]:
    """The effect of lambda on a result.

    Args:
        tables: predictions with the posteriors of both branches, "test" and "val".
        tested_with: the lambda of the result.
        chosen_with: lambda in the validation WA by which the epochs were chosen; None if no score chose them.
        metric: "wa" or "ua", by which lambda is chosen.

    Returns:
        The curves of both sets (`CURVE_COLUMNS`), the choice of every fold, and four tables to print.

    Raises:
        InputError: if a branch's posterior is missing.
    """
    choices = choose(tables["val"], metric)
    curves = pd.concat([curve(tables[name]).assign(set=name) for name in SETS])[CURVE_COLUMNS]
    fixed, tuned = apply(tables["test"], PAPER_LAMBDA), apply(tables["test"], choices)
    outcomes = {f"{PAPER_LAMBDA} (the paper's)": fixed, "chosen per fold on validation": tuned}
    if tested_with != PAPER_LAMBDA:
        outcomes = {f"{tested_with:g} (used in the result)": tables["test"], **outcomes}
    rows = [[name, *score_cells(pooled_scores(table), bootstrap_speakers(table))] for name, table in outcomes.items()]
    names = (f"lambda {PAPER_LAMBDA}", "lambda chosen per fold")
    pairs = correct([Pair(*names, compare(fixed, tuned), label=f"chosen per fold - {PAPER_LAMBDA}")])
    made = [
        Table("lambda", "Test result by lambda", [Column("lambda"), *SCORE_COLUMNS], rows),
        comparison_table("lambda-difference", "Effect of choosing lambda", pairs, []),
        _curve_table(curves, _notes(tables, chosen_with)),
        _choice_table(choices, metric),
    ]
    return curves, choices, made


def _notes(tables: dict[str, pd.DataFrame], chosen_with: float | None) -> list[str]:
    notes = ["Steps of 0.1; the CSV file has steps of 0.01. Do not choose lambda by the test columns."]
    notes += validation_notes(tables["val"], tables["test"], chosen_with)
    for name, title in SETS.items():
        found = (emotions_note(pooled_scores(tables[name])), ua_note(bootstrap_speakers(tables[name])))
        notes += [f"{title}, {note}" for note in found if note]
    return notes


def _curve_table(curves: pd.DataFrame, notes: list[str]) -> Table:
    columns = [Column("lambda")]
    rows: list[list] = [[f"{value:.2f}"] for value in LAMBDAS]
    for name, label in SETS.items():
        for measure in ("WA", "UA"):
            columns.append(Column(f"{measure} %", "short percent", label))
            columns.append(Column(f"{measure} 95 % interval", "interval", label))
        for row, point in zip(rows, curves[curves.set == name].to_dict("records"), strict=True):
            for score in ("wa", "ua"):
                row += [point[score], (point[f"{score}_low"], point[f"{score}_high"])]
    return Table("lambda-curve", "The curve over lambda", columns, rows[::10], notes, csv_rows=rows)


def _choice_table(choices: pd.DataFrame, metric: str) -> Table:
    columns = [Column("fold"), Column("seed"), Column("lambda", "number")]
    columns += [Column(f"{measure} %", "short percent", "validation") for measure in ("WA", "UA")]
    rows = [[f"{row.fold:g}", f"{row.seed:g}", float(row.lambda_), row.wa, row.ua] for row in choices.itertuples()]
    title = f"Lambda chosen on each fold's validation rows, by {metric.upper()}"
    return Table("lambda-choices", title, columns, rows)


def draw(curves: pd.DataFrame, lambdas: pd.DataFrame) -> bytes:
    """Draw WA and UA over lambda as a PNG: test with its interval, validation, and the choices as ticks."""
    from ser.report.page.drawing import GREY, drawing, styles

    looks = {name: {**look, "markevery": 10, "markersize": 4} for name, look in zip(SETS, styles(2)[::-1], strict=True)}
    with drawing(INCHES, 4.3) as sheet:
        panels = sheet.figure.subplots(1, 2, sharex=True)
        for axes, score in zip(panels, ("wa", "ua"), strict=True):
            validation, test = (curves[curves.set == name] for name in ("val", "test"))
            band = (100 * test[f"{score}_low"], 100 * test[f"{score}_high"])
            axes.fill_between(test.lambda_, *band, color="#d9d9d9", label="95 % of draws of speakers (test)")
            axes.plot(test.lambda_, 100 * test[score], label="test", **looks["test"])
            axes.plot(validation.lambda_, 100 * validation[score], label="validation", **looks["val"])
            axes.axvline(PAPER_LAMBDA, color=GREY, linestyle=(0, (1, 2)), label="0.6, the paper's")
            foot, place = np.full(len(lambdas), 0.02), axes.get_xaxis_transform()
            axes.plot(lambdas.lambda_, foot, "k|", markersize=10, transform=place, label="chosen, per fold")
            axes.set(
                xlabel="lambda (0: GRU alone, 1: capsules alone)", ylabel=f"{score.upper()} (%)", xlim=(-0.01, 1.01)
            )
        sheet.figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=9)
        return sheet.png(SOFTWARE)
