"""Lines of a CSV file that somebody has written by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path


def read_lines(file: Path, required: tuple[str, ...], problems: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells of every record that can be taken apart.

    Args:
        file: CSV, UTF-8, comma-separated.
        required: columns that it must have; others are allowed.
        problems: receives one line ("file:line: cause") for everything else.
    """
    try:
        content = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        problems.append(f"{file}: unreadable ({error.strerror})")
        return
    broken = set()
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            problems.append(f"{file}:{number}: not UTF-8 (byte 0x{line[error.start]:02x})")
            broken.add(number)
    reader = csv.reader(io.StringIO(content.decode("utf-8", "replace"), newline=""), strict=True)
    header: list[str] | None = None
    try:
        for record in reader:
            cells = [cell.strip() for cell in record]
            if not any(cells):
                continue
            if header is None:
                header = cells
                missing = [column for column in required if column not in header]
                if missing or len(set(header)) < len(header):
                    cause = f"no column {', '.join(missing)}" if missing else "two columns with the same name"
                    problems.append(f"{file}:{reader.line_num}: {cause} (needed: {', '.join(required)})")
                    return
            elif len(cells) != len(header):
                problems.append(f"{file}:{reader.line_num}: {len(cells)} cells, but the header has {len(header)}")
            elif reader.line_num not in broken:
                yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        problems.append(f"{file}:{reader.line_num}: not a line of CSV ({error})")
    if header is None:
        problems.append(f"{file}: empty")
