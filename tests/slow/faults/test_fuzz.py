"""WAV headers, label files and manifests with random faults: read as other readers read them, or a prompt error."""

from __future__ import annotations

import io
import struct
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ser.audio.decoding import AudioError, decode
from ser.data.corpora.csv_lines import read_lines
from ser.data.corpora.iemocap import EMOTION_OF_LABEL, read_dialog
from ser.data.corpora.manifest import REQUIRED
from tests.slow.faults.riff import FLOAT, PCM, chunk, extensible, form, readings, riff, samples, wav

WIDTHS = [(PCM, 8), (PCM, 16), (PCM, 24), (PCM, 32), (FLOAT, 32), (FLOAT, 64)]
NATIVE = chunk(b"fmt ", form()), chunk(b"data", samples(PCM, 16, frames=100))
SOUND = [
    *(wav(*width, channels, frames=100) for width in WIDTHS for channels in (1, 2)),
    *(riff(chunk(b"fmt ", extensible(*width)), chunk(b"data", samples(*width, frames=100))) for width in WIDTHS),
    riff(chunk(b"LIST", b"odd"), NATIVE[0], chunk(b"fact", bytes(4)), NATIVE[1]),
    riff(chunk(b"ds64", struct.pack("<QQQI", 280, 200, 100, 0)), *NATIVE, name=b"RF64"),
]
NUMBERS = [0, 1, 2, 3, 7, 8, 24, 255, 256, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]
NAMES = (b"fmt ", b"data", b"LIST", b"ds64", b"fact", b"RIFX", b"RF64", b"RIFF", b"WAVE", b"PEAK", b"bext", b"cart")
HEADER_PIECES = [
    *NAMES,
    *NATIVE,
    *(struct.pack("<I", number) for number in NUMBERS),
    *(struct.pack("<H", number % 2**16) for number in NUMBERS),
]

DIALOG = "Ses01F_impro01"
LABELS = "".join(
    f"[{turn}.2901 - {turn + 1}.2357]\t{DIALOG}_{'FM'[turn % 2]}00{turn // 2}\t{label}\t[2.5000, 2.5000, 2.5000]\n"
    f"C-E2:\tNeutral;\t()\nC-F1:\tAnger;\t(mostly)\n\n"
    for turn, label in enumerate(["neu", "ang", "hap", "sad", "xxx", "exc"])
).encode()
LABEL_PIECES = [b"\t", b"\n", b"\r", b"[", b"]", b" ", b"_", b"-", b"neu", b"sad", b"joy", b"M001", b"F", b"9", b"."]
LABEL_PIECES += [b"\xff", b"\0", b"\xc2\x85", b"\xd9\xa1", b"\xef\xbb\xbf", b"[1.0 - 2.0]\t", DIALOG.encode()]

MANIFEST = b"utterance,path,session,speaker,emotion\n" + b"".join(
    b"u%d,audio/%d.wav,%d,s%d,%s\n" % (row, row, row // 4, row // 2, emotion)
    for row, emotion in enumerate([b"neutral", b"angry", b"happy", b"sad"] * 2)
)
MANIFEST_PIECES = [b",", b"\n", b"\r\n", b'"', b'""', b" ", b"u1", b"sad", b"\xff", b"\xef\xbb\xbf", b"\r", b"emotion"]

Edit = tuple[int, int, bytes]  # offset, number of bytes deleted, bytes inserted


def damaged(content: bytes, edits: list[Edit]) -> bytes:
    for place, cut, piece in edits:
        content = content[:place] + piece + content[place + cut :]
    return content


def random_edits(random: np.random.Generator, reach: int, pieces: list[bytes]) -> list[Edit]:
    """One to three edits: bytes replaced, inserted or deleted, or the rest cut off."""
    edits = []
    for _ in range(random.integers(1, 4)):
        piece = pieces[random.integers(len(pieces))] if random.random() < 0.6 else random.bytes(random.integers(3))
        cut = [len(piece), 0, int(random.integers(9)), 10**6][random.choice(4, p=[0.6, 0.2, 0.18, 0.02])]
        edits.append((int(random.integers(reach)), cut, piece))
    return edits


def any_edits(reach: int, pieces: list[bytes]) -> st.SearchStrategy[list[Edit]]:
    piece = st.sampled_from(pieces) | st.binary(max_size=4)
    return st.lists(st.tuples(st.integers(0, reach), st.integers(0, 8), piece), min_size=1, max_size=4)


def fuzz_headers(folder: Path, number: int, seed: int = 0) -> Counter:
    """Check `number` WAV files with random faults in their headers; return the number of files per outcome."""

    def check(random: np.random.Generator) -> str:
        return check_header(folder, SOUND[random.integers(len(SOUND))], random_edits(random, 100, HEADER_PIECES))

    return _fuzz(check, number, seed)


def fuzz_labels(folder: Path, number: int, seed: int = 0) -> Counter:
    """Check `number` label files with random faults; return the number of files per outcome."""
    return _fuzz(lambda random: check_labels(folder, random_edits(random, len(LABELS), LABEL_PIECES)), number, seed)


def fuzz_manifests(folder: Path, number: int, seed: int = 0) -> Counter:
    """Check `number` CSV files with random faults; return the number of files per outcome."""

    def check(random: np.random.Generator) -> str:
        return check_manifest(folder, random_edits(random, len(MANIFEST), MANIFEST_PIECES))

    return _fuzz(check, number, seed)


def _fuzz(check: Callable[[np.random.Generator], str], number: int, seed: int) -> Counter:
    outcomes: Counter = Counter()
    for index in range(number):
        try:
            outcomes[check(np.random.default_rng([seed, index]))] += 1
        except BaseException as error:
            error.add_note(f"seed {seed}, file {index}")
            raise
    return outcomes


def check_header(folder: Path, content: bytes, edits: list[Edit]) -> str:
    """Every other decoder that reads the file reads the same, or the error names the file."""
    path = folder / "fuzz.wav"
    path.write_bytes(damaged(content, edits))
    start = time.process_time()
    try:
        heard, rate, *_ = decode(path)
    except AudioError as error:
        heard, rate, cause = None, 0, str(error)
    assert time.process_time() - start < 1, "too slow"
    if heard is None:
        assert cause.startswith(f"{path}: ")
        return "refused"
    heard = heard / 32_768 if heard.dtype == np.int16 else heard
    others = readings(path)
    for name, (expected, expected_rate) in others.items():
        assert (rate, len(heard)) == (expected_rate, len(expected)), name
        assert np.allclose(heard, expected, rtol=0, atol=1e-6), name
    return f"read as {' and '.join(others) or 'nobody else'} did"


def check_labels(folder: Path, edits: list[Edit]) -> str:
    """Every label read is in its line, according to an independent parser; every problem names its file."""
    labels, audio = folder / f"{DIALOG}.txt", folder / DIALOG
    if not audio.exists():
        audio.mkdir()
        for turn in range(6):
            (audio / f"{DIALOG}_{'FM'[turn % 2]}00{turn // 2}.wav").touch()
    labels.write_bytes(damaged(LABELS, edits))
    start = time.process_time()
    found, problems = read_dialog(labels, audio)
    assert time.process_time() - start < 1, "too slow"
    expected = [read_otherwise(line) for line in labels.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines()]
    assert all(label in expected for label in [(name, label) for name, _, label in found])
    assert all(path == audio / f"{name}.wav" for name, path, _ in found)
    assert len({name for name, *_ in found}) == len(found)
    assert all(problem.startswith((str(labels), str(audio))) for problem in problems)
    assert len(found) == 6 or problems
    return "refused" if problems else "read"


def read_otherwise(line: bytes) -> tuple[str, str] | None:
    """Name and label of a label line, parsed without regular expressions."""
    try:
        times, name, label, dimensions = (field.strip() for field in line.decode("utf-8").rstrip().split("\t"))
        start, end = map(float, times.removeprefix("[").removesuffix("]").split(" - "))
    except ValueError:
        return None
    dialog, _, turn = name.rpartition("_")
    sound = dialog == DIALOG and turn[:1] in ("F", "M") and turn.isalnum() and start < end
    return (name, label) if sound and label in EMOTION_OF_LABEL and len(dimensions.split(",")) == 3 else None


def check_manifest(folder: Path, edits: list[Edit]) -> str:
    """If there is no problem, the cells are those that pandas reads."""
    path = folder / "fuzz.csv"
    path.write_bytes(damaged(MANIFEST, edits))
    problems: list[str] = []
    rows = [cells for _, cells in read_lines(path, REQUIRED, problems)]
    if problems:
        assert all(problem.startswith(f"{path}") for problem in problems)
        return "refused"
    content = path.read_bytes()
    # pandas drops the comma after a lone carriage return, and before 3.1 everything after a NUL.
    if b"\r" in content.replace(b"\r\n", b"") or b"\0" in content:
        return "read as nobody else did"
    try:
        table = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    except ValueError:
        return "read as nobody else did"
    cells = [{key.strip(): str(cell).strip() for key, cell in row.items()} for row in table.to_dict("records")]
    assert rows == [row for row in cells if any(row.values())]
    return "read as pandas did"


def test_headers(tmp_path):
    outcomes = fuzz_headers(tmp_path, 1000)
    assert outcomes["refused"] > 500
    assert outcomes["read as scipy and libsndfile did"] > 100


def test_label_files(tmp_path):
    outcomes = fuzz_labels(tmp_path, 500)
    assert min(outcomes["refused"], outcomes["read"]) > 50


def test_manifests(tmp_path):
    outcomes = fuzz_manifests(tmp_path, 500)
    assert min(outcomes["refused"], outcomes["read as pandas did"]) > 50


FIXED = settings(
    deadline=None, max_examples=200, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FIXED
@given(st.sampled_from(SOUND), any_edits(100, HEADER_PIECES))
def test_headers_sought_by_hypothesis(tmp_path, content, edits):
    check_header(tmp_path, content, edits)


@FIXED
@given(any_edits(len(LABELS), LABEL_PIECES))
def test_label_files_sought_by_hypothesis(tmp_path, edits):
    check_labels(tmp_path, edits)


@FIXED
@given(any_edits(len(MANIFEST), MANIFEST_PIECES))
def test_manifests_sought_by_hypothesis(tmp_path, edits):
    check_manifest(tmp_path, edits)
