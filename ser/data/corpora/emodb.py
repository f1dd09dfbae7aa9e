"""EMO-DB (Burkhardt et al., 2005): ten German actors, single acted sentences."""

import os
import re
from pathlib import Path

from ser.data.corpora.corpus import Corpus, Listing
from ser.data.corpora.release import BUILT_IN_MARKER, absolute, find_folder
from ser.errors import InputError

EMOTION_OF_LETTER = {
    "N": "neutral",
    "W": "angry",
    "F": "happy",
    "T": "sad",
    "L": "bored",
    "E": "disgust",
    "A": "fearful",
}
SESSIONS = {1: ("03", "08"), 2: ("10", "09"), 3: ("11", "13"), 4: ("12", "14"), 5: ("15", "16")}  # man, woman
SESSION_OF_SPEAKER = {speaker: session for session, pair in SESSIONS.items() for speaker in pair}

_NAME = re.compile(rf"(\d\d)[a-z]\d\d([{''.join(EMOTION_OF_LETTER)}])[a-z]?")


class EmoDB(Corpus):
    """EMO-DB; its speakers are paired into five sessions of one man and one woman.

    Args:
        root: folder `wav`, or its parent.
    """

    name = "emodb"
    title = "EMO-DB"
    looks_like = "recordings named like 03a01Fa.wav (EMO-DB)"
    inner = "wav"
    sessions_of_release = 5

    def __init__(self, root: str | None = None) -> None:
        self.root = root

    @classmethod
    def holds(cls, place: Path) -> bool:
        return any(_NAME.fullmatch(path.stem) for path in recordings(place))

    def place(self) -> Path:
        if self.root and os.path.exists(absolute(self.root) / BUILT_IN_MARKER):
            raise InputError(f"{absolute(self.root)}: holds the built-in corpus, not EMO-DB")
        return find_folder(self, self.root)

    def listed(self) -> Listing:
        rows, problems = [], []
        for path in recordings(self.place()):
            form = _NAME.fullmatch(path.stem)
            if form is None:
                problems.append(f"{path}: not named like a recording of EMO-DB (03a01Fa.wav)")
            elif form[1] not in SESSION_OF_SPEAKER:
                known = ", ".join(sorted(SESSION_OF_SPEAKER))
                problems.append(f"{path}: unknown speaker {form[1]} (known: {known})")
            else:
                rows.append(
                    {
                        "utterance": path.stem,
                        "path": str(path),
                        "session": SESSION_OF_SPEAKER[form[1]],
                        "speaker": form[1],
                        "gender": "MF"[SESSIONS[SESSION_OF_SPEAKER[form[1]]].index(form[1])],
                        "emotion": EMOTION_OF_LETTER[form[2]],
                    }
                )
        return Listing(rows, None, problems)


def recordings(folder: Path) -> list[Path]:
    """The WAV files of a folder, without hidden ones."""
    return sorted(path for path in folder.glob("*.[wW][aA][vV]") if not path.name.startswith("."))
