"""Small IEMOCAP releases and WAV files, for the tests of the corpus readers."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

# Both actors speak in every dialog; the last field's letter is the speaker.
TURNS = ["M000 neu", "F000 ang", "M001 hap", "F001 sad", "M002 exc", "F002 xxx"]


def noise(seconds: float = 0.1, seed: int = 0) -> np.ndarray:
    """White noise, int16 at 16 kHz."""
    return np.random.default_rng(seed).integers(-3000, 3000, round(seconds * 16_000)).astype(np.int16)


def write_wav(path: Path, pcm: np.ndarray) -> Path:
    """Write 16 kHz mono 16-bit PCM."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(pcm.astype("<i2").tobytes())
    return path


class Release:
    """A folder like `IEMOCAP_full_release`: two sessions with an improvised dialog per half and a scripted one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for session in (1, 2):
            for dialog in ("F_impro01", "M_impro02a", "F_script01_1b"):
                self.add_dialog(session, f"Ses0{session}{dialog}")

    def labels(self, dialog: str) -> Path:
        return self.root / f"Session{dialog[4]}" / "dialog" / "EmoEvaluation" / f"{dialog}.txt"

    def audio(self, utterance: str) -> Path:
        dialog = utterance.rsplit("_", 1)[0]
        return self.root / f"Session{dialog[4]}" / "sentences" / "wav" / dialog / f"{utterance}.wav"

    def add_dialog(self, session: int, dialog: str) -> None:
        lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
        for index, turn in enumerate(TURNS):
            speaker, label = turn.split()
            lines += [
                f"[{index}.5000 - {index}.6000]\t{dialog}_{speaker}\t{label}\t[2.5000, 3.0000, 2.5000]",
                "C-E2:\tNeutral;\t()",
                "A-E3:\tval 3; act 2; dom  2;\t()",
                "",
            ]
            write_wav(self.audio(f"{dialog}_{speaker}"), noise(0.1, seed=index))
        path = self.labels(dialog)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes("\n".join(lines).encode())
        # Other files of a release, which must not be read.
        path.with_name(f"._{dialog}.txt").write_bytes(b"\x00\x05\x16\x07\xff\xfe[")
        self.audio(f"{dialog}_M000").with_name(f"._{dialog}_M000.wav").write_bytes(b"\x00\x05\x16\x07")
        for folder in ("Attribute", "Categorical", "Self-evaluation"):
            (path.parent / folder).mkdir(exist_ok=True)
            (path.parent / folder / f"{dialog}_e1.txt").write_text("[not a line of ours]\n")

    def line(self, dialog: str, number: int, new: str | bytes | None = None) -> str:
        """Return a line, counted from 1, and replace it if `new` is given."""
        path = self.labels(dialog)
        lines = path.read_bytes().split(b"\n")
        old = lines[number - 1].decode()
        if new is not None:
            lines[number - 1] = new if isinstance(new, bytes) else new.encode()
            path.write_bytes(b"\n".join(lines))
        return old


@pytest.fixture
def release(tmp_path) -> Release:
    return Release(tmp_path / "IEMOCAP_full_release")


@pytest.fixture
def wav():
    """A function that writes 16 kHz mono 16-bit PCM: wav(path, pcm)."""
    return write_wav


@pytest.fixture
def speech():
    """A function that returns a signal that is not silent: speech(seconds, seed)."""
    return noise
