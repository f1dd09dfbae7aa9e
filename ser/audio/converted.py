"""Cache of converted recordings: 16 kHz PCM with checksums that are verified in every read."""

import hashlib
import os
import sys
from pathlib import Path
from zlib import crc32

import numpy as np
from tqdm import tqdm

from ser.audio.decoding import PCM, AudioError, open_recording
from ser.audio.recording import read_recording
from ser.errors import InputError
from ser.files import sweep_leftovers, write_bytes

WRITER_SECONDS = 3600  # an unfinished file unchanged for this long was left by a killed writer

CONVERTED = r"[0-9a-f]{32}\.pcm"  # names of the files
# A file is named by the digest of its source and holds blocks with checksums; only the last block is shorter.
_VERSION = b"ser-pcm3"
_BLOCK_BYTES = 16_384  # half a second; a slice is read up to this much beyond its ends, to verify checksums
_CHECKSUM_BYTES = 4
_STRIDE = _BLOCK_BYTES + _CHECKSUM_BYTES


def convert(sources: list[str], folder: Path | None = None) -> dict[str, tuple[Path, int]]:
    """Convert recordings that are not in the cache, and verify those that are.

    Several processes can do this at once: files are written atomically, with equal content.

    Args:
        folder: the cache; by default `$SER_CACHE`, else `$XDG_CACHE_HOME/ser`, else `~/.cache/ser`.

    Returns:
        The converted file of each source, and its number of samples.

    Raises:
        AudioError: a recording cannot be used.
        InputError: the folder cannot be written.
    """
    folder = folder or cache_folder()
    sweep_leftovers([folder], WRITER_SECONDS)
    targets: dict[str, Path] = {}
    lengths: dict[Path, int | None] = {}
    bar = {"unit": "file", "disable": None, "leave": False}
    for source in tqdm(sources, "finding converted audio", delay=1, **bar):
        targets[source] = target = folder / _name(source)
        if target not in lengths:
            lengths[target] = _check(target)
    missing = {target: source for source, target in targets.items() if lengths[target] is None}
    for target, source in tqdm(missing.items(), "converting audio", **bar):
        pcm = read_recording(source)
        try:
            write_bytes(target, _pack(pcm))
        except InputError as error:
            raise InputError(f"{error}; choose another folder with the environment variable SER_CACHE") from error
        lengths[target] = len(pcm)
    return {source: (target, lengths[target]) for source, target in targets.items()}


def read_converted(path: Path, start: int = 0, stop: int | None = None) -> np.ndarray:
    """Read a slice of the samples and verify the checksums of its blocks.

    Returns:
        (stop - start,) int16; fewer if the file ends earlier.

    Raises:
        AudioError: the file is missing, unreadable or damaged.
    """
    first, skipped = divmod(PCM.itemsize * start, _BLOCK_BYTES)
    end = None if stop is None else skipped + PCM.itemsize * (stop - start)
    try:
        with open(path, "rb") as file:
            file.seek(first * _STRIDE)
            content = file.read(None if end is None else -(-end // _BLOCK_BYTES) * _STRIDE)
    except OSError as error:
        raise AudioError(f"{path}: unreadable ({error.strerror})") from None
    blocks = [memoryview(content)[place : place + _STRIDE] for place in range(0, len(content), _STRIDE)]
    is_whole = end is not None or (blocks and len(blocks[-1]) < _STRIDE)
    if not is_whole or any(_checksum(block[:-_CHECKSUM_BYTES]) != block[-_CHECKSUM_BYTES:] for block in blocks):
        raise AudioError(f"{path}: damaged (wrong checksum); delete it and start again to convert the audio again")
    return np.frombuffer(b"".join(block[:-_CHECKSUM_BYTES] for block in blocks)[skipped:end], PCM)


def _pack(pcm: np.ndarray) -> bytes:
    content = pcm.astype(PCM).tobytes()
    blocks = (content[start : start + _BLOCK_BYTES] for start in range(0, len(content) + 1, _BLOCK_BYTES))
    return b"".join(block + _checksum(block) for block in blocks)


def _checksum(block: bytes | memoryview) -> bytes:
    """CRC-32: detects any one or two flipped bits, and misses other damage once in 2^32 blocks."""
    return crc32(block).to_bytes(_CHECKSUM_BYTES, "little")


def _check(path: Path) -> int | None:
    """The number of samples of a converted recording; None if it must be converted."""
    if not os.path.lexists(path):
        return None
    try:
        return len(read_converted(path))
    except AudioError:
        print(f"ser: {path} is damaged or unreadable; the audio is converted again", file=sys.stderr)
        return None


def _name(source: str) -> str:
    with open_recording(source) as file:
        return hashlib.sha256(_VERSION + hashlib.file_digest(file, "sha256").digest()).hexdigest()[:32] + ".pcm"


def cache_folder() -> Path:
    """The default cache."""
    if chosen := os.environ.get("SER_CACHE"):
        return Path(chosen).expanduser()
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared).expanduser() / "ser"
    return Path(os.path.expanduser("~/.cache/ser"))  # Path.expanduser fails without a home folder
