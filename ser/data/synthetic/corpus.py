"""The built-in corpus: synthetic speech in the layout of IEMOCAP's release, written once and read as IEMOCAP is."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import wave
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from ser.data.corpora.corpus import Corpus
from ser.data.corpora.iemocap import IEMOCAP
from ser.data.corpora.release import BUILT_IN_MARKER
from ser.data.synthetic.dialogs import LABELS, NUM_SESSIONS, Line, label_file, screenplay
from ser.data.synthetic.synthesis import SAMPLE_RATE_HZ
from ser.emotions import EMOTIONS
from ser.errors import InputError, check_bounds

RECIPE = 4  # raise it whenever the same parameters give other files
# A resource fork as a Mac leaves it beside a file on a foreign disk: magic number, version, filler, one entry.
APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        \x00\x01\x00\x00\x00\x09\x00\x00\x00\x26" + bytes(
    [0, 0, 0, 8, 0xFF, 0xFE, 0x80, 0xC3, 0x28, 0, 1, 0xA0]
)


class Synthetic(Corpus):
    """Ten synthetic speakers in five sessions, four emotions; no download, no licence.

    Every utterance is a function of the seed and its own name. Emotions shift pitch, rate, energy, spectral tilt and
    formants relative to the speaker, and speakers differ about as much as emotions do.

    Args:
        root: folder of the corpus, made when it is missing; it must not hold anything else.
        utterances_per_speaker: improvised utterances of the four emotions for each speaker, at least 8.
        seed: of speakers and utterances.

    Raises:
        InputError: a parameter is out of range.
    """

    def __init__(self, root: str | None = None, utterances_per_speaker: int = 40, seed: int = 1) -> None:
        # With 8, every speaker has every emotion in both halves of the dialogs.
        check_bounds("utterances_per_speaker", utterances_per_speaker, at_least=8, at_most=10_000)
        check_bounds("seed", seed, at_least=0, at_most=2**32 - 1)
        self.root = root
        self.utterances_per_speaker = utterances_per_speaker
        self.seed = seed

    @property
    def name(self) -> str:
        return "synthetic"

    @property
    def location(self) -> str:
        return str(self.folder())

    def folder(self) -> Path:
        """The folder of the corpus, absolute.

        Raises:
            InputError: none was given.
        """
        if not self.root:
            raise InputError(
                "no folder was given for the built-in corpus: neither --data.corpus.root on the command line nor "
                "`root:` in the YAML names one\nname a new or an empty one, such as data/demo; the corpus is written "
                "into it once"
            )
        return Path(self.root).expanduser().resolve()

    def read(self) -> tuple[pd.DataFrame, list[str]]:
        self.prepare()
        return IEMOCAP(str(self.folder())).read()

    @property
    def counts(self) -> dict[str, float]:
        """What the folder holds, for a message: `utterances`, their `seconds`, and how many improvised utterances of
        each of the four emotions."""
        return self._marker()["counts"]

    def prepare(self) -> bool:
        """Write the corpus if it is not there.

        It is written beside its place and renamed into it, so that it is there as a whole or not at all; when two
        processes do this at once, the later one finds the other's corpus and drops its own.

        Returns:
            Whether it was written now.

        Raises:
            InputError: the folder holds something else, or the corpus with other parameters, or cannot be written.
        """
        if self._found():
            return False
        root = self.folder()
        if root == Path.cwd():  # renaming would take the user's current folder away
            raise InputError(
                f"{root} is the current folder; the built-in corpus needs one of its own, such as data/demo"
            )
        # Not tempfile.mkdtemp: its folders are closed to everybody else.
        draft = root.parent / f".{root.name}.{secrets.token_hex(4)}.partial"
        try:
            draft.mkdir(parents=True)
            self._write(draft)
            return self._move(draft)
        except OSError as error:
            raise InputError(f"{root}: the built-in corpus cannot be written ({error.strerror or error})") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _found(self) -> bool:
        """Whether the folder holds this corpus already."""
        root = self.folder()
        if (root / BUILT_IN_MARKER).is_file():
            marker = self._marker()
            wanted = self._parameters()
            held = {name: marker.get(name) for name in wanted}
            if held != wanted:
                raise InputError(
                    f"{root} holds the built-in corpus with {_words(held)}, but {_words(wanted)} was asked for; "
                    "give another folder, or remove this one"
                )
            return True
        if root.is_dir():
            if any(root.iterdir()):
                raise InputError(f"{root} is not empty and not the built-in corpus; nothing was written there")
        elif root.exists():
            raise InputError(f"{root} is a file, not a folder for the built-in corpus")
        return False

    def _parameters(self) -> dict[str, int]:
        return {"utterances_per_speaker": self.utterances_per_speaker, "seed": self.seed, "recipe": RECIPE}

    def _marker(self) -> dict:
        path = self.folder() / BUILT_IN_MARKER
        try:
            marker = json.loads(path.read_text("utf-8"))
            marker["counts"]["utterances"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}: unreadable ({error}); remove its folder to have the corpus written anew"
            ) from error
        return marker

    def _move(self, draft: Path) -> bool:
        """Rename the finished draft into its place, unless another process was faster."""
        root = self.folder()
        try:
            draft.rename(root)  # takes the place of nothing, or of an empty folder
        except OSError:
            if self._found():
                return False
            raise
        return True

    def _write(self, folder: Path) -> None:
        lines = {n: screenplay(n, self.utterances_per_speaker, self.seed) for n in range(1, NUM_SESSIONS + 1)}
        total = sum(len(dialog) for session in lines.values() for dialog in session.values())
        labels: list[str] = []
        samples = 0
        with tqdm(total=total, desc="writing the built-in corpus", unit="utterance", disable=None, leave=False) as bar:
            for number, session in lines.items():
                for dialog, spoken in session.items():
                    lengths = []
                    for line in spoken:
                        lengths.append(self._write_line(folder / f"Session{number}/sentences/wav" / dialog, line))
                        bar.update()
                    _write_labels(folder / f"Session{number}/dialog/EmoEvaluation", dialog, spoken, lengths)
                    samples += sum(lengths)
                    labels += [line.label for line in spoken if "_impro" in dialog]
        per_emotion = {emotion: labels.count(LABELS[emotion]) for emotion in EMOTIONS}
        counts = {"utterances": total, "seconds": round(samples / SAMPLE_RATE_HZ, 1), **per_emotion}
        marker = folder / BUILT_IN_MARKER
        draft = marker.with_suffix(".partial")
        draft.write_text(json.dumps({**self._parameters(), "counts": counts}, indent=2) + "\n", "utf-8")
        os.replace(draft, marker)

    def _write_line(self, folder: Path, line: Line) -> int:
        pcm = line.speak(self.seed)
        folder.mkdir(parents=True, exist_ok=True)
        with wave.open(str(folder / f"{line.utterance}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE_HZ)
            file.writeframes(pcm.astype("<i2").tobytes())
        if line.utterance.endswith("F000"):
            (folder / f"._{line.utterance}.wav").write_bytes(APPLE_DOUBLE)
        return len(pcm)


def _write_labels(folder: Path, dialog: str, lines: list[Line], lengths: list[int]) -> None:
    """The dialog's labels, and around them what the release has and a reader must not take for labels."""
    newline = "\r\n" if lines[0].session % 2 == 0 else "\n"  # both occur
    for sub_folder in ("Attribute", "Categorical", "Self-evaluation"):
        (folder / sub_folder).mkdir(parents=True, exist_ok=True)
    (folder / f"{dialog}.txt").write_text(label_file(lines, lengths, newline), "utf-8", newline="")
    (folder / f"._{dialog}.txt").write_bytes(APPLE_DOUBLE)
    first = lines[0].utterance
    (folder / "Categorical" / f"{dialog}_e2_cat.txt").write_text(f"{first} :Other; ()\n", "utf-8")
    (folder / "Attribute" / f"{dialog}_e3_atr.txt").write_text(f"{first} :act 3; :val 3; :dom 3; ()\n", "utf-8")
    # One rater's own view, in the form of a label line: who reads sub-folders gets doubled names.
    (folder / "Self-evaluation" / f"{dialog}.txt").write_text(
        f"[1.5000 - 2.5000]\t{first}\toth\t[3.0000, 3.0000, 3.0000]\n", "utf-8"
    )


def _words(parameters: dict) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items())
