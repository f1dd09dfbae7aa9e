"""The recordings that a user names: files, folders, manifests, or samples with their rate."""

import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import soundfile

from ser.audio.blocks import Block
from ser.audio.cuts import WHOLE, Cut
from ser.audio.decoding import ANY_LENGTH, AudioError, decode_blocks
from ser.audio.sound import Sound, listen
from ser.data.corpora.csv_lines import read_lines
from ser.errors import InputError
from ser.paths import text_of
from ser.recognition.samples import Samples, blocks_of_samples

MANIFESTS = (".csv", ".tsv")
AUDIO = {f".{name.lower()}" for name in soundfile.available_formats()} | {".aif", ".aifc", ".oga", ".opus", ".sph"}
AUDIO -= {".raw", ".sd2"}  # they do not say their sample rate


@dataclass(frozen=True)
class Recording:
    """One recording, or a part of one.

    Args:
        path: of the file, as it was named; "" for samples.
        cut: the part.
        speaker: as in the manifest; "" if unknown.
        samples: the audio, if there is no file.
    """

    path: str
    cut: Cut = WHOLE
    speaker: str = ""
    samples: Samples | None = None

    @property
    def file_name(self) -> str:
        """The path as text that can be written as UTF-8; "samples" without a file."""
        return text_of(self.path) if self.path else "samples"

    @property
    def name(self) -> str:
        """The path as text, and the part's times."""
        return self.file_name if self.cut.is_whole else f"{self.file_name}, {self.cut}"

    def blocks(self) -> Iterator[Block]:
        """The whole recording at its own rate.

        Raises:
            AudioError: if it cannot be used.
        """
        if self.samples is None:
            return decode_blocks(self.path, ANY_LENGTH, any_container=True)
        return blocks_of_samples(*self.samples)


@dataclass
class Recordings:
    """The recordings of all inputs, in order, each once.

    Args:
        found: the recordings.
        problems: one line for each input or line that has none.
        left_out: files in folders that are not audio, by their ending.
    """

    found: list[Recording] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    left_out: Counter = field(default_factory=Counter)


def find_recordings(inputs: Iterable[str | Path]) -> Recordings:
    """List the recordings of files, folders (searched to any depth) and manifests."""
    listed, seen = Recordings(), set()
    for given in inputs:
        path = os.fspath(given)
        number = len(listed.problems)
        if not path:
            found = []
            listed.problems.append("an empty name is no recording")
        elif Path(path).suffix.lower() in MANIFESTS and os.path.isfile(path):
            found = _of_manifest(Path(path), listed.problems)
            if not found and len(listed.problems) == number:
                listed.problems.append(f"{text_of(path)}: there is no recording in this list")
        elif os.path.isdir(path):
            found = [Recording(file) for file in _files_in(path, listed.left_out, listed.problems)]
            if not found and len(listed.problems) == number:
                listed.problems.append(f"{text_of(path)}: there is no audio file in this folder")
        else:
            found = [Recording(path)]  # reading it says if it is missing
        for recording in found:
            start, end = recording.cut
            key = (os.path.abspath(recording.path), 0.0 if math.isnan(start) else start, str(end))  # NaN is not NaN
            if key not in seen:
                seen.add(key)
                listed.found.append(recording)
    return listed


def _files_in(folder: str, left_out: Counter, problems: list[str]) -> list[str]:
    """Audio files of a folder, sorted; links are followed, but no folder is read twice."""
    found, visited = [], set()

    def unreadable(error: OSError) -> None:
        problems.append(f"{text_of(error.filename)}: unreadable ({error.strerror})")

    for place, folders, files in os.walk(folder, onerror=unreadable, followlinks=True):
        status = os.stat(place)
        if (status.st_dev, status.st_ino) in visited:
            folders.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.startswith("."):  # copies by macOS have the ending of the recording
                continue
            suffix = os.path.splitext(name)[1].lower()
            if suffix in AUDIO:
                found.append(os.path.join(place, name))
            else:
                left_out[suffix or name] += 1
    return found


def _of_manifest(file: Path, problems: list[str]) -> list[Recording]:
    """Recordings of a CSV file with a column path, and optionally speaker, start and end (seconds)."""
    found = []
    for number, cells in read_lines(file, ("path",), problems, ("speaker", "start", "end")):
        place = f"{text_of(str(file))}:{number}"
        try:
            cut = Cut(*(float(cells.get(name) or "nan") for name in Cut._fields))
        except ValueError:
            problems.append(f"{place}: start and end must be numbers of seconds, such as 1.5")
            continue
        fault = "column path is empty" if not cells["path"] else None if cut.is_whole else cut.fault()
        if fault:
            problems.append(f"{place}: {fault}")
        else:
            found.append(Recording(str(file.parent / cells["path"]), cut, cells.get("speaker", "")))
    return found


def read_sounds(recordings: Iterable[Recording]) -> Iterator[tuple[Recording, Sound | Exception]]:
    """The sound of each recording, or why it cannot be used; consecutive parts of a file are converted once."""
    before, sound = None, None
    for recording in recordings:
        try:
            if sound is None or recording.path != before or recording.samples is not None:
                before, sound = recording.path, None
                sound = listen(recording.blocks())
            found = _part(sound, recording)
        except AudioError as error:
            found = error
        except InputError as error:  # no room for converted audio
            found = AudioError(f"{recording.file_name}: {error}")
        yield recording, found


def _part(sound: Sound, recording: Recording) -> Sound:
    try:
        part = sound.cut(recording.cut)
    except AudioError as error:
        raise AudioError(f"{recording.file_name}: {error}") from None
    if not part.num_samples:
        raise AudioError(f"{recording.name}: shorter than a sample")
    return part
