"""Shared by the readers of corpora: find the given folder, and check the audio of every row."""

import os
import shlex
from math import nan
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from ser.audio.checking import Checked, check_cuts
from ser.audio.cuts import Cut
from ser.audio.decoding import AudioError
from ser.audio.frames import SAMPLE_RATE_HZ
from ser.data.corpora.corpus import COLUMNS, Corpus
from ser.errors import InputError

AUDIO_COLUMNS = ("peak", "recording", "cautions", "silence_before", "silence_after")  # from `Checked`
BUILT_IN_MARKER = "ser-synthetic.json"  # file in the root of the built-in corpus
USE_BUILT_IN = "to use the built-in corpus instead: ser fit --config reccap --config demo"


def absolute(path: str) -> Path:
    """An absolute path; expands ~, which no shell does in YAML files."""
    return Path(os.path.expanduser(path)).absolute()


def not_given(corpus: str, what: str, option: str) -> InputError:
    """Error for a corpus ("EMO-DB") without folder or file, with the option to set and an alternative."""
    remedy = f"set --data.corpus.{option} on the command line or `{option}:` in the YAML"
    return InputError(f"no {what} was given for {corpus}; {remedy}\n{USE_BUILT_IN}")


def find_folder(corpus: Corpus, root: str | None) -> Path:
    """The absolute folder of the corpus: the given one, or the release's folder inside it.

    Raises:
        InputError: in two lines, the folder searched and how to use another corpus.
    """
    if not root:
        raise not_given(corpus.title, "folder", corpus.option)
    given = absolute(root)
    try:
        for folder in (given, given / corpus.inner):
            if corpus.holds(folder):
                return folder
        cause = f"no {corpus.looks_like} here or in {corpus.inner}/" if given.exists() else "no such folder"
    except (OSError, ValueError) as error:  # no permission, or an invalid file name
        cause = str(error)
    raise InputError(f"{corpus.title} not found in {given}: {cause}\n{use_instead(given)}")


def use_instead(place: Path) -> str:
    """How to read the corpus of another kind at this path, or the built-in one."""
    from ser.data.corpora.summary import detect  # it imports the readers, which import this module

    try:
        kind = type(detect(str(place)))
        if os.path.exists(place / BUILT_IN_MARKER) or (place.is_file() and place.suffix.lower() != ".csv"):
            return USE_BUILT_IN
    except (OSError, ValueError):
        return USE_BUILT_IN
    where = f"--data.corpus.{kind.option} {shlex.quote(str(place))}"
    return f"this is {kind.title}; to read it: --data {kind.__name__.lower()} {where}"


def check_audio(
    rows: list[dict], sources: list[str] | None = None, corpus: str = "audio"
) -> tuple[pd.DataFrame, list[str]]:
    """Read every recording completely, and once, and add `seconds` and `AUDIO_COLUMNS` of the utterances in it.

    Args:
        rows: utterances without `seconds`; those with `start` or `end` are parts of their recordings.
        sources: "file:line" of each row, for messages.
        corpus: name beside the progress bar.

    Returns:
        A table of the usable rows with `COLUMNS` and `AUDIO_COLUMNS`, and the problems of the others.
    """
    recordings: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        recordings.setdefault(row["path"], []).append(index)
    found: dict[int, Checked | AudioError] = {}
    for path, same in tqdm(recordings.items(), f"checking {corpus}", unit="file", disable=None, leave=False, delay=1):
        cuts = [Cut(rows[index].get("start", nan), rows[index].get("end", nan)) for index in same]
        try:
            found |= zip(same, check_cuts(path, cuts), strict=True)
        except AudioError as error:  # of the recording: said once
            found[same[0]] = AudioError(f"{error}; {len(same)} utterances are in it") if len(same) > 1 else error
    usable, problems = [], []
    for index, each in sorted(found.items()):
        if isinstance(each, AudioError):
            problems.append(f"{sources[index]}: {each}" if sources else str(each))
        else:
            num_samples, *audio = each
            seconds = num_samples / SAMPLE_RATE_HZ
            usable.append({**rows[index], "seconds": seconds, **dict(zip(AUDIO_COLUMNS, audio, strict=True))})
    return pd.DataFrame(usable, columns=list(dict.fromkeys([*COLUMNS, *AUDIO_COLUMNS]))), problems
