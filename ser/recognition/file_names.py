"""Distinct, safe file names for recordings."""

import re
from collections.abc import Sequence
from pathlib import Path

from ser.recognition.recordings import Recording

MOST_BYTES = 100  # of a name


def safe_name(text: str) -> str:
    r"""A file name of letters, digits, "_", "." and "-" only.

    Example:
        >>> safe_name("call 1"), safe_name("../<script>\n"), safe_name("?")
        ('call_1', 'script', 'recording')
    """
    name = re.sub(r"[^\w.-]+", "_", text).strip("._-")
    return name.encode()[:MOST_BYTES].decode(errors="ignore") or "recording"


def file_names(recordings: Sequence[Recording]) -> list[str]:
    r"""A distinct safe file name, without ending, for each recording.

    Example:
        >>> file_names([Recording("a/call 1.wav"), Recording("b/CALL_1.mp3"), Recording("<script>\n.wav")])
        ['call_1', 'CALL_1-2', 'script']
    """
    taken: set[str] = set()
    names = []
    for recording in recordings:
        times = "" if recording.cut.is_whole else f"-{recording.cut}"
        stem = safe_name(Path(recording.file_name).stem + times)
        name, number = stem, 1
        while name.casefold() in taken:  # some file systems do not tell capitals apart
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names
