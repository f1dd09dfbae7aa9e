"""Segments as a TextGrid, which Praat opens beside the sound."""

from pathlib import Path

import pandas as pd
from praatio.textgrid import IntervalTier, Textgrid

from ser.files import write_bytes

SILENCE = "silence"  # label of the intervals without speech


def write_textgrid(segments: pd.DataFrame, seconds: float, path: Path) -> None:
    """Write segments as the tier "emotion".

    Args:
        segments: with the columns start, end, emotion and silent.
        seconds: length of the recording.

    Raises:
        InputError: if the file cannot be written.
    """
    intervals = [(row.start, row.end, SILENCE if row.silent else row.emotion) for row in segments.itertuples()]
    grid = Textgrid(0, seconds)
    grid.addTier(IntervalTier("emotion", intervals, 0, seconds))
    part = path.with_name(f".{path.name}.part")  # the library writes to a name
    try:
        grid.save(str(part), format="long_textgrid", includeBlankSpaces=True)
        write_bytes(path, part.read_bytes())
    finally:
        part.unlink(missing_ok=True)
