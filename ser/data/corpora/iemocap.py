"""IEMOCAP (Busso et al., 2008), in the layout of its release."""

import re
from pathlib import Path
from typing import Literal

from ser.data.corpora.corpus import Corpus, Listing
from ser.data.corpora.release import BUILT_IN_MARKER, find_folder
from ser.errors import InputError

EMOTION_OF_LABEL = {
    **{"neu": "neutral", "ang": "angry", "hap": "happy", "sad": "sad", "exc": "excited", "fru": "frustrated"},
    **{"sur": "surprised", "fea": "fearful", "dis": "disgust", "oth": "other", "xxx": "undecided"},  # xxx: no majority
}
STYLES = ("improvised", "scripted", "all")

_DIALOG = re.compile(r"Ses(\d\d)[FM]_(impro|script)\w+")
_TIMES = re.compile(r"\[(\d+(?:\.\d+)?) - (\d+(?:\.\d+)?)\]")
_DIMENSIONS = re.compile(r"\[[^\[\],]+,[^\[\],]+,[^\[\],]+\]")  # valence, activation, dominance: not used


class IEMOCAP(Corpus):
    """Five sessions of one woman and one man; ten speakers, improvised and scripted dialogs.

    Args:
        root: folder `IEMOCAP_full_release`, or its parent.
        style: which dialogs to use.
        merge_excited: count "excited" as happy (the paper does not), as `data.merge` {excited: happy} does.

    Source:
        Wu et al. (2019), section 4: improvised dialogs, four emotions; 2280 utterances, excited not merged.
    """

    title = "IEMOCAP"
    looks_like = "Session1 ... Session5 (IEMOCAP)"
    inner = "IEMOCAP_full_release"
    sessions_of_release = 5

    def __init__(
        self,
        root: str | None = None,
        style: Literal["improvised", "scripted", "all"] = "improvised",
        merge_excited: bool = False,
    ) -> None:
        if style not in STYLES:
            raise InputError(f"style is {style!r}, but must be one of {', '.join(STYLES)}")
        self.root = root
        self.style = style
        self.merge_excited = merge_excited

    @property
    def name(self) -> str:
        """ "iemocap", or "synthetic" for the built-in corpus, so that results on it are never reported as IEMOCAP."""
        built_in = self.root and (self.place() / BUILT_IN_MARKER).is_file()
        return "synthetic" if built_in else "iemocap"

    @classmethod
    def holds(cls, place: Path) -> bool:
        return bool(_sessions(place))

    def place(self) -> Path:
        return find_folder(self, self.root)

    def listed(self) -> Listing:
        emotions = EMOTION_OF_LABEL | ({"exc": "happy"} if self.merge_excited else {})
        rows, problems = [], []
        sessions = _sessions(self.place())
        for other in sorted(set(self.place().glob("Session*/")) - set(sessions)):
            problems.append(f"{other}: not named like a session (Session1)")
        for session in sessions:
            number = int(session.name.removeprefix("Session"))
            label_folder = session / "dialog" / "EmoEvaluation"
            audio_folder = session / "sentences" / "wav"
            if missing := [f"{folder}: missing" for folder in (label_folder, audio_folder) if not folder.is_dir()]:
                problems += missing
                continue
            label_files = {path.stem: path for path in sorted(label_folder.glob("Ses*.txt"))}
            for audio in sorted(audio_folder.glob("Ses*/")):
                if audio.name not in label_files and self._selects(audio.name):
                    problems.append(f"{audio}: audio without a label file ({label_folder / audio.name}.txt)")
            for dialog, labels in label_files.items():
                form = _DIALOG.fullmatch(dialog)
                if form is None or int(form[1]) != number:
                    problems.append(f"{labels}: not named like a dialog of session {number}")
                elif self._selects(dialog):
                    found, unsound = read_dialog(labels, audio_folder / dialog)
                    problems += unsound
                    rows += [_row(name, path, emotions[label]) for name, path, label in found]
        return Listing(rows, None, problems)

    def _selects(self, dialog: str) -> bool:
        return self.style == "all" or ("impro" in dialog) == (self.style == "improvised")


def _row(utterance: str, path: Path, emotion: str) -> dict:
    # The letter after the session is the actor with motion-capture markers; the last field begins with the speaker.
    speaker = utterance.rsplit("_", 1)[1][0]
    return {
        "utterance": utterance,
        "path": str(path),
        "session": int(utterance[3:5]),
        "speaker": f"{utterance[:5]}{speaker}",
        "gender": speaker,
        "dialog_half": utterance[5],
        "emotion": emotion,
    }


def read_dialog(labels: Path, audio: Path) -> tuple[list[tuple[str, Path, str]], list[str]]:
    """Read one label file and match it with its folder of audio.

    Args:
        labels: `Session{n}/dialog/EmoEvaluation/<dialog>.txt`.
        audio: `Session{n}/sentences/wav/<dialog>`.

    Returns:
        Name, recording and label of every valid line, and the problems of the others.
    """
    if not labels.is_file():  # opening a pipe would block
        return [], [f"{labels}: not a file"]
    try:
        content = labels.read_bytes()
    except OSError as error:
        return [], [f"{labels}: unreadable ({error.strerror})"]
    recordings = {path.stem: path for path in audio.glob("*.wav") if not path.name.startswith(".")}
    labelled: list[tuple[str, Path, str]] = []
    problems: list[str] = []
    line_of: dict[str, int] = {}
    lines = content.removeprefix(b"\xef\xbb\xbf").splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode("utf-8")
            if not text.startswith("["):  # an evaluator's single vote
                if named := re.search(rf"{re.escape(labels.stem)}_[FM]\w+", text):
                    raise ValueError(f"{named[0]} is named in a line that does not begin with '['")
                continue
            utterance, label = parse_line(text, labels.stem)
            if utterance in line_of:
                raise ValueError(f"{utterance} was already labelled in line {line_of[utterance]}")
            line_of[utterance] = number
            if utterance not in recordings:
                raise ValueError(f"{utterance} has no audio file ({audio / utterance}.wav)")
            labelled.append((utterance, recordings[utterance], label))
        except UnicodeDecodeError as error:
            problems.append(f"{labels}:{number}: not UTF-8 (byte 0x{line[error.start]:02x})")
        except ValueError as error:
            problems.append(f"{labels}:{number}: {error}")
    if not any(line.startswith(b"[") for line in lines):
        problems.append(f"{labels}: no line with an utterance")
    mentioned = set(content.decode("utf-8", "replace").split())  # including lines with problems
    for utterance in sorted(recordings.keys() - mentioned):
        problems.append(f"{recordings[utterance]}: audio without a label line in {labels}")
    return labelled, problems


def parse_line(line: str, dialog: str) -> tuple[str, str]:
    """Utterance name and label of one line of a label file.

    Raises:
        ValueError: with the cause, if the line is invalid.

    Example:
        >>> parse_line("[6.29 - 8.24]\\tSes01F_impro01_M000\\tneu\\t[2.5, 2.5, 2.5]", "Ses01F_impro01")
        ('Ses01F_impro01_M000', 'neu')
    """
    fields = [field.strip() for field in line.rstrip().split("\t")]
    if len(fields) != 4 or not all(fields) or not _DIMENSIONS.fullmatch(fields[3]):
        raise ValueError("malformed line; expected [start - end], name, label and [V, A, D], separated by tabs")
    times, utterance, label, _ = fields
    form = _TIMES.fullmatch(times)
    if form is None:
        raise ValueError(f"malformed times {times!r}")
    if float(form[2]) <= float(form[1]):
        raise ValueError(f"{utterance} ends at {form[2]} s, not after its start at {form[1]} s")
    if not re.fullmatch(rf"{re.escape(dialog)}_[FM][^\W_]+", utterance):
        raise ValueError(f"{utterance} is not named like an utterance of dialog {dialog}")
    if label not in EMOTION_OF_LABEL:
        raise ValueError(f"unknown emotion {label!r} (known: {', '.join(EMOTION_OF_LABEL)})")
    return utterance, label


def _sessions(folder: Path) -> list[Path]:
    found = [path for path in folder.glob("Session*") if re.fullmatch(r"Session[1-9]\d?", path.name) and path.is_dir()]
    return sorted(found, key=lambda path: int(path.name.removeprefix("Session")))
