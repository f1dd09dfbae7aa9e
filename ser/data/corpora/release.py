"""What the readers of corpora share: finding the folder that was given, and checking the audio of every row."""

import os
import shlex
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from ser.audio.decoding import AudioError
from ser.audio.frames import SAMPLE_RATE_HZ
from ser.audio.recording import check_recording
from ser.data.corpora.corpus import COLUMNS, Corpus
from ser.errors import InputError

HEARD = ("peak", "recording", "cautions")  # of a recording, as `check_recording` finds them
BUILT_IN_MARKER = "ser-synthetic.json"  # lies in the root of the built-in corpus
USE_BUILT_IN = "to use the built-in corpus instead: ser fit --config reccap --config demo"


def absolute(path: str) -> Path:
    """The place that a user names; ~ works in YAML files too, where no shell has replaced it."""
    return Path(os.path.expanduser(path)).absolute()


def not_given(corpus: str, what: str, option: str) -> InputError:
    """No folder or file was given for a corpus ("EMO-DB"): which option names it, and the way out."""
    where = f"neither --data.corpus.{option} on the command line nor `{option}:` in the YAML names one"
    return InputError(f"no {what} was given for {corpus}: {where}\n{USE_BUILT_IN}")


def find_folder(corpus: Corpus, root: str | None) -> Path:
    """The folder that holds the corpus, absolute: the one given, or the release's own within it.

    Raises:
        InputError: in two lines, where it was looked for and how to use the built-in corpus instead.
    """
    if not root:
        raise not_given(corpus.title, "folder", corpus.option)
    given = absolute(root)
    try:
        for folder in (given, given / corpus.inner):
            if corpus.holds(folder):
                return folder
        cause = f"no {corpus.looks_like} here or in {corpus.inner}/" if given.exists() else "no such folder"
    except (OSError, ValueError) as error:  # not allowed to look, or a name that no file system takes
        cause = str(error)
    raise InputError(f"{corpus.title} not found in {given}: {cause}\n{use_instead(given)}")


def use_instead(place: Path) -> str:
    """How to read the corpus of another kind that is there, or the built-in one."""
    from ser.data.corpora.summary import detect  # imports the readers, which import this module

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
    """Read every recording completely and add `seconds` and the columns of `HEARD`.

    Args:
        rows: utterances without `seconds`.
        sources: "file:line" of each row, for its problem.
        corpus: name beside the progress bar.

    Returns:
        A table of `ser.data.corpora.corpus.COLUMNS` and `HEARD` with the usable rows, and the problems of the others.
    """
    usable, problems = [], []
    for index, row in enumerate(tqdm(rows, f"checking {corpus}", unit="file", disable=None, leave=False, delay=1)):
        try:
            num_samples, *heard = check_recording(row["path"])
            usable.append({**row, "seconds": num_samples / SAMPLE_RATE_HZ, **dict(zip(HEARD, heard, strict=True))})
        except AudioError as error:
            problems.append(f"{sources[index]}: {error}" if sources else str(error))
    return pd.DataFrame(usable, columns=[*COLUMNS, *HEARD]), problems
