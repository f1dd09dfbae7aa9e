"""Learning curves of many runs in one figure."""

import io
import re

from markupsafe import Markup, escape
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ser.report.page.blocks import Curves, Line
from ser.report.page.drawing import drawing, styles
from ser.report.runs.compared_run import ComparedRun

GLYPHS = {"o": "\u25cf", "s": "\u25a0", "^": "\u25b2", "D": "\u25c6", "v": "\u25bc", "P": "\u271a"}
DASHES = {"-": "", "--": "7 3", "-.": "8 3 2 3", ":": "2 3"}
MARKERS_OF_LINE = 4  # one for every epoch would hide the lines of many runs
LINE = re.compile(r'<g id="(?:loss|wa)-(\d+)">')
DIFFERENT = 30  # looks of lines before they repeat
SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "ser"}  # text stays text; equal runs give an equal page
WITHOUT = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def draw_curves(runs: list[ComparedRun]) -> Curves | None:
    """Training loss and validation WA of every run with epochs; None if there is none.

    Every line is in a group of its run's row, so that a page can hide it.
    """
    drawn = [(row, run) for row, run in enumerate(runs) if run.curves is not None]
    if not drawn:
        return None
    looks = styles(len(drawn))
    with drawing(11, 4.2) as sheet, rc_context(SETTINGS):
        loss, accuracy = sheet.figure.subplots(1, 2)
        for (row, run), look in zip(drawn, looks, strict=True):
            _draw(loss, run, "train_loss", 1, f"loss-{row}", look)
            _draw(accuracy, run, "val_wa", 100, f"wa-{row}", look)
        loss.set(xlabel="epoch", ylabel="training loss")
        accuracy.set(xlabel="epoch", ylabel="validation WA (%)", ylim=(0, 102))
        for axes in (loss, accuracy):
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
        out = io.StringIO()
        sheet.figure.savefig(out, format="svg", metadata=WITHOUT)
    names = {row: run.name for row, run in drawn}
    alt = f"Training loss and validation WA over epochs of {len(drawn)} runs; the numbers are in each metrics.csv."
    lines = [_line(row, run, look) for (row, run), look in zip(drawn, looks, strict=True)]
    title = "Training loss and validation WA over epochs."
    if len(drawn) > DIFFERENT:
        title += (
            f" The looks of lines repeat after {DIFFERENT}: choose some by the filter of the table or the boxes below."
        )
    return Curves(title, _inline(out.getvalue(), names, alt), lines)


def _draw(axes: Axes, run: ComparedRun, column: str, scale: float, group: str, look: dict) -> None:
    curves = run.curves
    every = max(1, -(-len(curves) // MARKERS_OF_LINE))
    (line,) = axes.plot(curves.epoch, scale * curves[column], linewidth=1.2, markersize=4.5, markevery=every, **look)
    line.set_gid(group)


def _line(row: int, run: ComparedRun, look: dict) -> Line:
    style = look["linestyle"]
    dashes = DASHES[style] if isinstance(style, str) else " ".join(str(2 * part) for part in style[1])
    return Line(row, run.name, look["color"], dashes, GLYPHS[look["marker"]])


def _inline(svg: str, names: dict[int, str], alt: str) -> Markup:
    """The element of an SVG file, with the name of its run on every line."""
    svg = svg[svg.index("<svg") :].replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1)
    svg = re.sub(r"\s*<metadata>.*?</metadata>|\s*<style.*?</style>", "", svg, flags=re.S)

    def group(found: re.Match) -> str:
        row = int(found[1])
        return f'{found[0][:-1]} data-row="{row}"><title>{escape(names[row])}</title>'

    return Markup(LINE.sub(group, svg))
