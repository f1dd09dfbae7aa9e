"""The built-in corpus: synthetic speech in the layout of IEMOCAP's release, written once and read like IEMOCAP."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import pandas as pd
from pydantic import Field
from scipy.io import wavfile
from tqdm import tqdm

from ser.audio.frames import SAMPLE_RATE_HZ
from ser.bounds import Seed, checked
from ser.data.corpora.corpus import Corpus, Listing
from ser.data.corpora.iemocap import IEMOCAP
from ser.data.corpora.release import BUILT_IN_MARKER
from ser.data.synthetic.dialogs import NUM_SESSIONS, Line, label_file, screenplay
from ser.errors import InputError

RECIPE = 5  # increase it when the same parameters give other files
# AppleDouble file, which macOS writes beside files on foreign disks: magic number, version, filler, one entry.
APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        \x00\x01\x00\x00\x00\x09\x00\x00\x00\x26" + bytes(
    [0, 0, 0, 8, 0xFF, 0xFE, 0x80, 0xC3, 0x28, 0, 1, 0xA0]
)


class Synthetic(Corpus):
    """Ten synthetic speakers in five sessions, four emotions; no download, no licence.

    Every utterance is a function of the seed and its own name. Emotions shift pitch, rate, energy, tilt and formants
    relative to the speaker, and speakers differ about as much as emotions do.

    Args:
        root: folder of the corpus, created if missing; it must not contain anything else.
        utterances_per_speaker: improvised utterances of the four emotions for each speaker, at least 8.
        seed: determines speakers and utterances.

    Raises:
        InputError: a parameter is out of range.
    """

    name = "synthetic"
    title = "the built-in corpus"

    @checked()
    def __init__(
        self,
        root: str | None = None,
        utterances_per_speaker: Annotated[int, Field(ge=8, le=10_000)] = 40,  # every emotion in both dialog halves
        seed: Seed = 1,
    ) -> None:
        self.root, self.recipe = root, RECIPE
        self.utterances_per_speaker, self.seed = utterances_per_speaker, seed

    def place(self) -> Path:
        if not self.root:
            raise InputError(
                "no folder was given for the built-in corpus; set --data.corpus.root on the command line or `root:` in "
                "the YAML\nto a new or empty folder, such as data/demo; the corpus is written into it once"
            )
        return Path(self.root).expanduser().resolve()

    def listed(self) -> Listing:
        self.prepare()
        return IEMOCAP(str(self.place())).listed()

    def note(self, table: pd.DataFrame) -> str | None:
        if self.recipe == RECIPE:
            return None
        return f"{self.place()} was written by an older version (recipe {self.recipe}), whose voices differ"

    def prepare(self) -> bool:
        """Write the corpus if it does not exist.

        It is written to a temporary folder beside its place and renamed, so it is complete or missing. If two processes
        do this at once, the later one uses the other's corpus and deletes its own.

        Returns:
            Whether this call wrote it.

        Raises:
            InputError: the folder has other content, or the corpus with other parameters, or cannot be written.
        """
        if self._found():
            return False
        root = self.place()
        if root == Path.cwd():  # renaming would replace the user's current folder
            raise InputError(
                f"{root} is the current folder; the built-in corpus needs a separate one, such as data/demo"
            )
        try:
            root.parent.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(".partial", f".{root.name}.", root.parent, ignore_cleanup_errors=True) as place:
                draft = Path(place) / root.name  # inside, because the temporary folder is closed to other users
                self._write(draft)
                try:
                    draft.rename(root)  # replaces an empty folder or none
                except OSError:
                    if self._found():
                        return False
                    raise
        except OSError as error:
            raise InputError(f"{root}: the built-in corpus cannot be written ({error.strerror or error})") from error
        return True

    def _found(self) -> bool:
        """Whether the folder holds this corpus already."""
        root = self.place()
        marker = root / BUILT_IN_MARKER
        if marker.is_file():
            wanted = self._parameters()
            try:
                found = json.loads(marker.read_text("utf-8"))
                held = {name: found.get(name) for name in wanted}
            except (OSError, ValueError, AttributeError) as error:
                raise InputError(
                    f"{marker}: unreadable ({error}); remove its folder to write the corpus again"
                ) from error
            # A corpus of an older recipe is read unchanged; results record its digest.
            self.recipe = held["recipe"]
            if self.recipe in range(RECIPE):
                held["recipe"] = RECIPE
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

    def _write(self, folder: Path) -> None:
        dialogs = [
            (f"Session{session}", dialog, lines)
            for session in range(1, NUM_SESSIONS + 1)
            for dialog, lines in screenplay(session, self.utterances_per_speaker, self.seed).items()
        ]
        progress = tqdm(dialogs, "writing the built-in corpus", unit="dialog", disable=None, leave=False)
        for session, dialog, lines in progress:
            audio = folder / session / "sentences" / "wav" / dialog
            audio.mkdir(parents=True)
            lengths = []
            for line in lines:
                pcm = line.speak(self.seed)
                wavfile.write(audio / f"{line.utterance}.wav", SAMPLE_RATE_HZ, pcm)
                lengths.append(len(pcm))
            (audio / f"._{lines[0].utterance}.wav").write_bytes(APPLE_DOUBLE)
            _write_labels(folder / session / "dialog" / "EmoEvaluation", dialog, lines, lengths)
        (folder / BUILT_IN_MARKER).write_text(json.dumps(self._parameters(), indent=2) + "\n", "utf-8")


def _write_labels(folder: Path, dialog: str, lines: list[Line], lengths: list[int]) -> None:
    """Write a dialog's labels, and files of the release that a reader must not mistake for labels."""
    first = lines[0].utterance
    newline = "\r\n" if int(first[3:5]) % 2 == 0 else "\n"  # the release has both
    for sub_folder in ("Attribute", "Categorical", "Self-evaluation"):
        (folder / sub_folder).mkdir(parents=True, exist_ok=True)
    (folder / f"{dialog}.txt").write_text(label_file(lines, lengths), "utf-8", newline=newline)
    (folder / f"._{dialog}.txt").write_bytes(APPLE_DOUBLE)
    (folder / "Categorical" / f"{dialog}_e2_cat.txt").write_text(f"{first} :Other; ()\n", "utf-8")
    (folder / "Attribute" / f"{dialog}_e3_atr.txt").write_text(f"{first} :act 3; :val 3; :dom 3; ()\n", "utf-8")
    # A self-evaluation in the form of a label line: reading sub-folders would give duplicate names.
    (folder / "Self-evaluation" / f"{dialog}.txt").write_text(
        f"[1.5000 - 2.5000]\t{first}\toth\t[3.0000, 3.0000, 3.0000]\n", "utf-8"
    )


def _words(parameters: dict) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items())
