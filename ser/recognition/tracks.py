"""A timeline as text, CSV, JSON, Praat TextGrid and picture."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from praatio.textgrid import IntervalTier, Textgrid

from ser.files import write_bytes, write_text
from ser.recognition.recordings import Recording
from ser.recognition.timeline import Timeline
from ser.recognition.timeline_figure import draw
from ser.systems.lineage import printable

SILENCE = "silence"  # label in the TextGrid
ENDINGS = (".csv", ".json", ".TextGrid", ".png")
MOST_BYTES = 100  # of a file's name without its ending


def file_names(recordings: Sequence[Recording]) -> list[str]:
    r"""A distinct file name without ending for each recording: letters, digits, "_", "." and "-" only.

    Example:
        >>> file_names([Recording("a/call 1.wav"), Recording("b/CALL_1.mp3"), Recording("<script>\n.wav")])
        ['call_1', 'CALL_1-2', 'script']
    """
    taken: set[str] = set()
    names = []
    for recording in recordings:
        times = "" if recording.cut.is_whole else f"-{recording.cut}"
        stem = re.sub(r"[^\w.-]+", "_", Path(recording.file_name).stem + times).strip("._-")
        stem = stem.encode()[:MOST_BYTES].decode(errors="ignore") or "recording"
        name, number = stem, 1
        while name.casefold() in taken:  # some file systems do not tell capitals apart
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


def write_tracks(timeline: Timeline, folder: Path, name: str) -> list[Path]:
    """Write the four files of a timeline.

    Raises:
        InputError: if one cannot be written.
    """
    paths = [folder / f"{name}{ending}" for ending in ENDINGS]
    write_text(paths[0], timeline.windows.to_csv(index=False))
    write_text(paths[1], json.dumps(as_dict(timeline), indent=1, allow_nan=False) + "\n")
    write_textgrid(timeline, paths[2])
    write_bytes(paths[3], draw(timeline, printable(Path(timeline.path).name)))
    return paths


def as_dict(timeline: Timeline) -> dict:
    """A timeline as plain values; None in silence."""
    return {
        "path": timeline.path,
        "seconds": timeline.seconds,
        "emotions": list(timeline.emotions),
        "options": vars(timeline.options),
        "cautions": [f"{kind} ({measurement})" for kind, measurement in timeline.cautions.items()],
        "segments": _rows(timeline.segments),
        "windows": _rows(timeline.windows),
    }


def as_text(timeline: Timeline) -> str:
    """The segments for a terminal, a line each: start, end, answer."""
    lines = [f"{printable(timeline.path)}: {timeline.seconds:.1f} s"]
    lines += [f"  caution: {kind} ({measurement})" for kind, measurement in timeline.cautions.items()]
    for row in timeline.segments.itertuples():
        lines.append(f"  {row.start:8.2f} {row.end:8.2f}  {'(silence)' if row.silent else row.emotion}")
    return "\n".join(lines)


def _rows(table: pd.DataFrame) -> list[dict]:
    return table.astype(object).replace([np.nan, ""], None).to_dict(orient="records")


def write_textgrid(timeline: Timeline, path: Path) -> None:
    """The segments as the tier "emotion" of a Praat TextGrid, with "silence" where there is no speech."""
    rows = timeline.segments.itertuples()
    intervals = [(row.start, row.end, SILENCE if row.silent else row.emotion) for row in rows]
    grid = Textgrid(0, timeline.seconds)
    grid.addTier(IntervalTier("emotion", intervals, 0, timeline.seconds))
    part = path.with_name(f".{path.name}.part")  # the library writes to a name
    try:
        grid.save(str(part), format="long_textgrid", includeBlankSpaces=True)
        write_bytes(path, part.read_bytes())
    finally:
        part.unlink(missing_ok=True)
