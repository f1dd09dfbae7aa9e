"""Read CSV files written by hand or by a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path


def read_lines(
    file: Path, required: tuple[str, ...], problems: list[str], optional: tuple[str, ...] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and cells of every valid record.

    Args:
        file: CSV, UTF-8; separated by commas, semicolons or tabs, or as declared in the first line (`sep=;`).
        required: columns that must exist, in small or capital letters; others are allowed.
        problems: receives one line ("file:line: cause") for every invalid record.
        optional: columns that may exist, in small or capital letters.
    """
    try:
        content = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        problems.append(f"{file}: unreadable ({error.strerror})")
        return
    text = content.decode("utf-8", "surrogateescape")  # a byte 0xNN that is not UTF-8 becomes U+DCNN
    separator, announced = _separator(text, required)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    header: list[str] | None = None
    try:
        for record in reader:
            cells = [cell.strip() for cell in record]
            if not any(cells):
                continue
            if foreign := re.search("[\udc80-\udcff]", "".join(cells)):
                problems.append(f"{file}:{reader.line_num}: not UTF-8 (byte 0x{ord(foreign[0]) & 0xFF:02x})")
                if header is not None:
                    continue
            if announced:
                announced = False
            elif header is None:
                known = {column.lower(): column for column in (*required, *optional)}
                header = [known.get(cell.lower(), cell) for cell in cells]
                missing = [column for column in required if column not in header]
                named = [column for column in header if column]  # spreadsheets write empty columns
                if missing or len(set(named)) < len(named):
                    cause = f"no column {', '.join(missing)}" if missing else "two columns with the same name"
                    needed = f"needed: {', '.join(required)}; read with the separator {separator!r}"
                    problems.append(f"{file}:{reader.line_num}: {cause} ({needed})")
                    return
            elif len(cells) != len(header):
                problems.append(f"{file}:{reader.line_num}: {len(cells)} cells, but the header has {len(header)}")
            else:
                yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        problems.append(f"{file}:{reader.line_num}: not a line of CSV ({error})")
    if header is None:
        problems.append(f"{file}: empty")


def _separator(text: str, required: tuple[str, ...]) -> tuple[str, bool]:
    """The separator that the first line declares, else the one that finds most required columns in it.

    Returns:
        The separator, and whether the first line declares it (for spreadsheets) and is not the header.

    Example:
        >>> _separator("utterance;set", ("utterance", "set")), _separator("sep=;", ("utterance", "set"))
        ((';', False), (';', True))
    """
    first = next((line for line in io.StringIO(text) if line.strip()), "")
    if said := re.fullmatch(r'"?sep=([^\w\s"]|\t)"?', first.rstrip("\r\n ")):
        return said[1], True

    def found(separator: str) -> int:
        cells = {cell.strip().strip('"').lower() for cell in first.split(separator)}
        return len(cells & {column.lower() for column in required})

    return max(",;\t", key=found), False
