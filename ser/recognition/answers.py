"""Answers for recordings as a table, as JSON, and as text."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ser.recognition.recordings import Recording
from ser.results.predictions import posterior_columns
from ser.systems.lineage import printable

SPREAD = "sd_"  # of the columns of the standard deviation over systems
MOST_PATH = 32  # letters of a path in the text


@dataclass(frozen=True)
class Answer:
    """The posterior of one recording.

    Args:
        seconds: length of the recording, or of its part.
        each: posterior of every system, (systems, emotions).
        cautions: what makes it doubtful, by kind.
    """

    recording: Recording
    seconds: float
    each: np.ndarray
    cautions: dict[str, str]

    @property
    def posterior(self) -> np.ndarray:
        """Mean over the systems, (emotions,)."""
        return self.each.mean(axis=0)


def entropy(posterior: np.ndarray) -> np.ndarray:
    """Shannon entropy in bits over the last axis: 0 for certainty, log2(N) if N emotions are equally probable.

    Example:
        >>> entropy(np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])).tolist()
        [1.0, 0.0]
    """
    return np.abs(-(posterior * np.log2(np.where(posterior > 0, posterior, 1))).sum(axis=-1))


def as_row(answer: Answer, emotions: Sequence[str]) -> dict:
    """One answer as plain values: path, emotion, posterior, its spread over several systems, entropy, seconds,
    cautions (a list)."""
    mean, cut = answer.posterior, answer.recording.cut
    row = {"path": answer.recording.file_name}
    if not cut.is_whole:
        row |= {name: None if math.isnan(value) else value for name, value in cut._asdict().items()}
    row["emotion"] = emotions[int(mean.argmax())]
    row |= dict(zip(posterior_columns(emotions), mean.tolist(), strict=True))
    if len(answer.each) > 1:
        spread = answer.each.std(axis=0, ddof=1).tolist()
        row |= {f"{SPREAD}{emotion}": value for emotion, value in zip(emotions, spread, strict=True)}
    row |= {"entropy": float(entropy(mean)), "seconds": answer.seconds}
    return row | {"cautions": [f"{kind} ({measure})" for kind, measure in answer.cautions.items()]}


def as_json(answer: Answer, emotions: Sequence[str]) -> str:
    """One answer as a line of JSON."""
    return json.dumps(as_row(answer, emotions), allow_nan=False)


def as_table(answers: Sequence[Answer], emotions: Sequence[str]) -> pd.DataFrame:
    """One row per answer; several cautions are joined by "; "."""
    table = pd.DataFrame([as_row(answer, emotions) for answer in answers])
    if table.empty:
        return pd.DataFrame(columns=["path", "emotion", *posterior_columns(emotions), "entropy", "seconds", "cautions"])
    order = ["path", *(name for name in ("start", "end") if name in table)]
    table["cautions"] = table.cautions.map("; ".join)
    return table[[*order, *(name for name in table if name not in order)]]


def as_text(answers: Sequence[Answer], emotions: Sequence[str]) -> str:
    """Answers for a terminal: a line each, percentages, and the kinds of cautions."""
    rows = []
    for answer in answers:
        mean = answer.posterior
        row = {"recording": _shortened(answer.recording.name), "emotion": emotions[int(mean.argmax())]}
        row |= {f"{emotion} %": f"{100 * value:.1f}" for emotion, value in zip(emotions, mean, strict=True)}
        if len(answer.each) > 1:
            row["spread %"] = f"{100 * answer.each.std(axis=0, ddof=1)[int(mean.argmax())]:.1f}"
        row |= {"entropy": f"{entropy(mean):.2f}", "seconds": f"{answer.seconds:.1f}"}
        rows.append(row | {"cautions": ", ".join(answer.cautions)})
    table = pd.DataFrame(rows)
    left = [name for name in ("recording", "emotion", "cautions") if name in table]
    for name in left:
        width = max(len(name), *map(len, table[name]))
        table[name] = table[name].str.ljust(width)
        table = table.rename(columns={name: name.ljust(width)})
    return "\n".join(line.rstrip() for line in table.to_string(index=False).splitlines())


def _shortened(name: str) -> str:
    name = printable(name)
    return name if len(name) <= MOST_PATH else f"…{name[1 - MOST_PATH :]}"
