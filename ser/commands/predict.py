"""`ser predict RUN FILE [FILE ...] [--timeline] [--out PATH] [--json]`: answer for recordings with a trained system,
with the emotion of each, or the course of emotions in it."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from ser.errors import InputError
from ser.paths import expand_home
from ser.training.options.arguments import Parser

DESCRIPTION = """Answer for recordings with a trained system. RUN is the folder of a finished `ser fit`
or `ser crossval` (whose systems answer together), a checkpoint, or weights of
`ser export-weights`. FILE is a recording that libsndfile reads, a folder, which is
searched for recordings, or a CSV file with a column path (and optionally speaker, start
and end in seconds)."""
OUTPUT = """Without --timeline, a table is printed: the emotion with the largest posterior, the
posterior of each emotion, its entropy in bits, and what makes the answer doubtful. With
--timeline, the answers for overlapping windows are joined to segments. Recordings that
cannot be used are named, the others answered; the exit code is then 1.

  ser predict runs/reccap call.wav interview.flac recordings/
  ser predict runs/reccap recordings/ --json > answers.jsonl
  ser predict runs/reccap meeting.wav --timeline --out meeting
"""


def main(arguments: list[str]) -> int:
    """Run `ser predict ARGUMENTS`; the exit code is 1 if a recording could not be used.

    Raises:
        InputError: if the run or an option cannot be used.
    """
    options = expand_home(_parser().parse_args(_plain_names(arguments)))
    given = {name: getattr(options, name) for name in TIMELINE if getattr(options, name) is not None}
    if given and not options.timeline:
        raise InputError(f"--{next(iter(given))} needs --timeline")
    if options.timeline and options.max_seconds is not None:
        raise InputError("--max_seconds does not apply to --timeline, whose windows have --window_seconds")
    out = _check_out(options)

    from ser.recognition.recogniser import BATCH_SECONDS, MAX_SECONDS, load
    from ser.recognition.recordings import find_recordings
    from ser.recognition.stretches import TimelineOptions

    timeline_options = TimelineOptions(**given)
    listed = find_recordings(options.files)
    of_speaker = find_recordings(options.speaker or [])
    if of_speaker.problems:
        raise InputError("--speaker: " + "\n".join(of_speaker.problems))
    if listed.left_out:
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(listed.left_out.items()))
        _note(f"left out in folders, by their ending: {kinds}")
    for problem in listed.problems:
        _note(problem)
    if not listed.found:
        return 1
    recogniser = load(options.run, options.device)
    batch_seconds = BATCH_SECONDS if options.batch_seconds is None else options.batch_seconds
    if options.timeline:
        found = recogniser.timelines(listed.found, of_speaker.found, timeline_options, batch_seconds)
        failed = _write_timelines(listed.found, found, out, options.json)
    else:
        max_seconds = MAX_SECONDS if options.max_seconds is None else options.max_seconds
        found = recogniser.answers(listed.found, of_speaker.found, max_seconds, batch_seconds)
        failed = _write_answers(recogniser.emotions, found, len(listed.found), out, options.json)
    return 1 if failed or listed.problems else 0


def _check_out(options: argparse.Namespace) -> Path | None:
    """The file or folder to write, checked before the systems are loaded."""
    from ser.files import about_out, is_in_use, new_file

    if options.out is None:
        return None
    if not options.timeline:
        return new_file("--out", options.out, (".csv",), make_folder=True)
    with about_out(folder := Path(options.out)):
        if folder.is_file() or is_in_use(folder):
            raise InputError(f"--out {folder} already exists and is not an empty folder; choose another")
    return folder


def _write_answers(emotions: tuple[str, ...], found: Iterable, number: int, out: Path | None, as_lines: bool) -> int:
    """Print answers, and write them as CSV; the number of errors."""
    from tqdm import tqdm

    from ser.files import write_text
    from ser.recognition.answers import as_json, as_table, as_text

    answers, failed = [], 0
    with tqdm(total=number, desc="recordings", unit="file", disable=None, leave=False, delay=1) as bar:
        for each in found:
            bar.update()
            if isinstance(each, Exception):
                bar.clear()
                _note(str(each))
                failed += 1
            elif as_lines:
                print(as_json(each, emotions), flush=True)
            if not isinstance(each, Exception) and (out or not as_lines):
                answers.append(each)
    if not as_lines and answers:
        print(as_text(answers, emotions))
    if out and answers:
        write_text(out, as_table(answers, emotions).to_csv(index=False))
        _say(f"\nWritten: {out}", as_lines)
    return failed


def _write_timelines(recordings: list, found: Iterator, out: Path | None, as_lines: bool) -> int:
    """Print or write timelines; the number of errors."""
    from ser.recognition.file_names import file_names

    failed = 0
    for name, each in zip(file_names(recordings), found, strict=True):
        if isinstance(each, Exception):
            _note(str(each))
            failed += 1
            continue
        if as_lines:
            print(json.dumps(each.as_dict(), allow_nan=False), flush=True)
        else:
            print(each)
        if out:
            paths = each.write(out, name)
            _say("Written: " + ", ".join(map(str, paths)) + "\n", as_lines)
    return failed


def _note(line: str) -> None:
    from ser.systems.lineage import printable

    print(f"ser predict: {printable(line)}", file=sys.stderr, flush=True)  # a name can contain a newline


def _say(line: str, to_stderr: bool) -> None:
    print(line, file=sys.stderr if to_stderr else sys.stdout, flush=True)


TIMELINE = ("window_seconds", "step_seconds", "smoothing", "silence", "silence_db")


def _plain_names(arguments: list[str]) -> list[str]:
    """Options can be written with "-" or "_"."""
    return [
        "--" + name[2:].replace("-", "_") + equals + value if word.startswith("--") else word
        for word in arguments
        for name, equals, value in [word.partition("=")]
    ]


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="ser predict", description=DESCRIPTION, epilog=OUTPUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", metavar="RUN", help="a run, a cross-validation, a checkpoint or exported weights")
    parser.add_argument("files", metavar="FILE", nargs="+", help="recordings, folders or CSV files")
    parser.add_argument("--out", metavar="PATH", help="a CSV file of the answers; with --timeline, a new folder")
    parser.add_argument("--json", action="store_true", help="print a line of JSON per recording, and nothing else")
    parser.add_argument(
        "--speaker",
        metavar="FILE",
        nargs="+",
        help="recordings of the person who speaks, or a CSV file with the columns path and speaker; only for a "
        "system trained with data.statistics speaker",
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:1, ... (default: a GPU if there is one)")
    parser.add_argument(
        "--max_seconds",
        type=float,
        help="a longer recording is answered by the duration-weighted mean over blocks of this length (default: 60)",
    )
    parser.add_argument(
        "--batch_seconds",
        type=float,
        help="audio of a batch: more needs more memory; the answer is the same (default: 20)",
    )
    timeline = parser.add_argument_group("the course of emotions")
    timeline.add_argument(
        "--timeline",
        action="store_true",
        help="answer for overlapping windows; --out receives CSV, JSON, Praat TextGrid and a picture per recording",
    )
    timeline.add_argument("--window_seconds", type=float, help="length of a window (default: 2)")
    timeline.add_argument("--step_seconds", type=float, help="between the starts of windows (default: 0.5)")
    timeline.add_argument("--smoothing", type=int, help="windows of the median, an odd number (default: 5)")
    timeline.add_argument(
        "--silence", choices=("energy", "silero"), help="how silence is found (default: energy; silero needs ser[vad])"
    )
    timeline.add_argument(
        "--silence_db", type=float, help="sound this much weaker than the loudest is silence (default: 40)"
    )
    return parser
