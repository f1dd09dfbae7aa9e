"""Distinct, safe file names for recordings."""

import re
from collections.abc import Sequence
from pathlib import Path

from ser.recognition.recordings import Recording

MOST_BYTES = 100  # of a name


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
