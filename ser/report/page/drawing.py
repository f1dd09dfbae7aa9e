"""The style of every figure, readable in black and white: series differ in lightness, marker and line as in hue."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ser.report.page.blocks import Picture

# Distinct for the colour-blind, and by 10 or more in lightness (CIE L* 0, 57, 34, 20, 46): the lightest has a contrast
# of 3.5 with white paper. Neighbours differ most.
COLOURS = ("#000000", "#c77400", "#004f9e", "#4b1766", "#007d5b")
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 2)))
GREY = "#767676"  # for what is not a series: the paper's numbers, guides
DOTS_PER_INCH = 150
STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "text.parse_math": False,  # a "$" in a name is a dollar
}


def styles(number: int) -> list[dict]:
    """Colour, marker and line of each series; the first 30 differ."""
    looks = islice(zip(cycle(COLOURS), cycle(MARKERS), cycle(LINES), strict=False), number)
    return [{"color": colour, "marker": marker, "linestyle": line} for colour, marker, line in looks]


def label(name: str, most: int = 40) -> str:
    """A name for a figure: one line of at most `most` characters, without its middle if it is longer.

    Example:
        >>> label("data.corpus.a_very_long\\nname", 15)
        'data.co…ng name'
    """
    name = " ".join(name.split())
    return name if len(name) <= most else f"{name[: most // 2]}…{name[-(most - most // 2 - 1) :]}"


class Drawing:
    """A figure in progress."""

    def __init__(self, width: float, height: float) -> None:
        self.figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH)
        self.canvas = FigureCanvasAgg(self.figure)

    def png(self, software: str | None = None) -> bytes:
        """The finished figure as a PNG; `software` is written into it."""
        out = io.BytesIO()
        self.canvas.print_png(out, metadata={"Software": software})  # `savefig` would compute the layout once more
        return out.getvalue()

    def picture(self, name: str, title: str, alt: str) -> Picture:
        """The finished figure as a block of a page."""
        return Picture(name, title, alt, self.png(), self.figure.get_figwidth())


@contextmanager
def drawing(width: float, height: float) -> Iterator[Drawing]:
    """Draw a figure of this size in inches, in the common style."""
    with rc_context(STYLE):
        yield Drawing(width, height)
