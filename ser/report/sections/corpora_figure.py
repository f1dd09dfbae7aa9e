"""The figure of a matrix of corpora, in shades of grey with numbers."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from ser.report.across_corpora import Cell
from ser.report.page.blocks import Picture
from ser.report.page.drawing import drawing, label
from ser.report.page.values import percent
from ser.report.sections.corpora import SCORES, by_system, corpora_of

SIDE_INCHES = 1.15  # of a cell
FRAME_INCHES = (1.9, 1.5)  # names around a panel
DARK = 0.6  # shares above this have white numbers


def draw_matrices(cells: list[Cell], over: str = "") -> Picture:
    """WA and UA of every system: rows trained on, columns tested on.

    Args:
        over: on which emotions all results are, for the title; "" if each has its own.
    """
    trained, tested = corpora_of(cells)
    systems = by_system(cells)
    width = 2 * (SIDE_INCHES * len(tested) + FRAME_INCHES[0])
    with drawing(width, len(systems) * (0.6 * SIDE_INCHES * len(trained) + FRAME_INCHES[1])) as sheet:
        panels = sheet.figure.subplots(len(systems), 2, squeeze=False)
        for row, (system, own) in zip(panels, systems.items(), strict=True):
            for axes, (score, measure) in zip(row, SCORES.items(), strict=True):
                _draw_panel(axes, own, score, trained, tested)
                axes.set_title(f"{measure} of {system} (%)", fontsize=10)
        title = "WA and UA, rows trained on, columns tested on; the score shades the cell, boxes are cross-validations."
        values = "; ".join(f"{cell.title} {percent(cell.scores['wa'], 1)}" for cell in cells)
        words = f"Over {over}: " if over else ""
        if len({frozenset(cell.emotions) for cell in cells}) > 1:
            title += " The results are over different emotions, see the tables."
        return sheet.picture(
            f"corpora{over and '-common'}", f"{words}{title}", f"{words}WA, rows trained on: {values}."
        )


def _draw_panel(axes: Axes, cells: list[Cell], score: str, trained: list[str], tested: list[str]) -> None:
    shares = np.full((len(trained), len(tested)), np.nan)
    for cell in cells:
        shares[trained.index(cell.trained), tested.index(cell.tested)] = cell.scores[score]
    axes.imshow(np.ma.masked_invalid(shares), cmap="Greys", vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        known = not np.isnan(share)
        look = {"color": "white" if known and share > DARK else "black", "ha": "center", "va": "center"}
        axes.text(column, row, percent(share, 1) if known else "-", fontsize=10, **look)
        if known and trained[row] == tested[column]:
            place = (column - 0.46, row - 0.46)
            axes.add_patch(Rectangle(place, 0.92, 0.92, fill=False, edgecolor=look["color"], linewidth=1))
    axes.set_xticks(
        range(len(tested)), [label(name, 16) for name in tested], fontsize=9, rotation=20 if len(tested) > 3 else 0
    )
    axes.set_yticks(range(len(trained)), [label(name, 16) for name in trained], fontsize=9)
    axes.set(xlabel="tested on", ylabel="trained on")
    axes.grid(visible=False)
    axes.spines[["top", "right"]].set_visible(True)
