"""The course of emotions in a recording, and its files: CSV, JSON, Praat TextGrid and picture."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ser.files import write_bytes, write_text
from ser.recognition.file_names import safe_name
from ser.recognition.stretches import TimelineOptions
from ser.recognition.textgrid import write_textgrid
from ser.recognition.timeline_figure import draw
from ser.systems.lineage import printable


@dataclass(frozen=True, repr=False)
class Timeline:
    """The course of emotions in one recording.

    Args:
        path: of the recording; "samples" without a file.
        seconds: its length.
        emotions: in the order of the posteriors.
        windows: one row per window: start, end, emotion (smoothed; "" in silence), silent (at its centre),
            p_<emotion>, with several systems their standard deviation sd_<emotion>, entropy, and for capsule systems
            length_<number> (mean length of a window emo-capsule over the system's own windows) and coupling_<number>
            (their mean coupling to an utterance capsule). There are as many capsules as emotions, but nothing in
            training ties a capsule to an emotion. Start and end in seconds; numbers are NaN in silence.
        segments: one row per segment: start, end, emotion ("" in silence), silent. They cover the recording.
        cautions: what makes the answers doubtful, by kind.
        options: how it was made.
        systems: the checkpoints that answered.
    """

    path: str
    seconds: float
    emotions: tuple[str, ...]
    windows: pd.DataFrame
    segments: pd.DataFrame
    cautions: dict[str, str]
    options: TimelineOptions
    systems: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The cautions and segments, a line each: start, end, answer."""
        lines = [f"{printable(self.path)}: {self.seconds:.1f} s"]
        lines += [f"  caution: {kind} ({measurement})" for kind, measurement in self.cautions.items()]
        for row in self.segments.itertuples():
            lines.append(f"  {row.start:8.2f} {row.end:8.2f}  {'(silence)' if row.silent else row.emotion}")
        return "\n".join(lines)

    __repr__ = __str__

    def as_dict(self) -> dict:
        """Everything as plain values; None in silence."""
        return {
            "path": self.path,
            "seconds": self.seconds,
            "systems": list(self.systems),
            "emotions": list(self.emotions),
            "options": asdict(self.options),
            "cautions": [f"{kind} ({measurement})" for kind, measurement in self.cautions.items()],
            "segments": _rows(self.segments),
            "windows": _rows(self.windows),
        }

    def picture(self) -> bytes:
        """A PNG of posteriors, answers and, for capsule systems, coupling over time; a notebook shows it."""
        return draw(self.windows, self.segments, self.emotions, self.seconds, printable(Path(self.path).name))

    _repr_png_ = picture

    def write(self, folder: str | os.PathLike, name: str | None = None) -> list[Path]:
        """Write name.csv (windows), name.json, name.TextGrid (segments) and name.png.

        Args:
            name: by default that of the recording.

        Raises:
            InputError: if one cannot be written.
        """
        name = safe_name(Path(self.path).stem if name is None else name)
        endings = ("csv", "json", "TextGrid", "png")
        paths = [Path(folder) / f"{name}.{ending}" for ending in endings]
        write_text(paths[0], self.windows.to_csv(index=False))
        write_text(paths[1], json.dumps(self.as_dict(), indent=1, allow_nan=False) + "\n")
        write_textgrid(self.segments, self.seconds, paths[2])
        write_bytes(paths[3], self.picture())
        return paths


def _rows(table: pd.DataFrame) -> list[dict]:
    return table.astype(object).replace([np.nan, ""], None).to_dict(orient="records")
