"""Learning curves of many runs in one figure."""

import io
import re
from itertools import pairwise

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.ticker import MaxNLocator

from ser.report.page.drawing import drawing, styles
from ser.report.runs.reading import ComparedRun

GLYPHS = {"o": "\u25cf", "s": "\u25a0", "^": "\u25b2", "D": "\u25c6", "v": "\u25bc", "P": "\u271a"}
DASHES = {"-": "", "--": "7 3", "-.": "8 3 2 3", ":": "2 3"}
MARKERS_OF_LINE = 4  # a marker for every epoch would hide the lines of many runs
LINE = re.compile(r'<g id="(?:loss|wa)-(\d+)">')
HEAD = re.compile(r"^.*?(?=<svg)", flags=re.S)
