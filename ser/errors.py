"""Errors that the user can fix: one clear message, exit code 2, no traceback."""

import errno
import sys
from difflib import get_close_matches

# System errors that the user can fix: permissions, disk space, file types and file names.
FIXABLE = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
    *(errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP),
}


class InputError(ValueError):
    """An option, a file or a corpus given by the user cannot be used."""


class CorpusError(InputError):
    """All problems found in a corpus, reported together.

    Args:
        corpus: its name and path, "IEMOCAP in /data/iemocap".
        problems: one line each, "file: cause" or "file:line: cause".
    """

    def __init__(self, corpus: str, problems: list[str]) -> None:
        self.problems = list(problems)
        count = f"{len(self.problems)} problem" + ("" if len(self.problems) == 1 else "s")
        super().__init__("\n".join([f"{corpus}: {count}", *(f"  {line}" for line in self.problems)]))


def show(value: object) -> str:
    """Format a value for a message: quote text, and describe an integer that is too long for Python to print."""
    try:
        return repr(value) if isinstance(value, str) else str(value)
    except ValueError:
        return f"a number of more than {sys.get_int_max_str_digits()} digits"


def nearest(name: str, known: list[str]) -> str:
    """A suggestion of the known name most similar to a wrong one; empty if none is similar.

    If no whole name is similar, the first parts are compared.

    Example:
        >>> nearest("data.fodl", ["data.fold", "data.seed"]), nearest("x", ["data.fold"])
        ('; did you mean data.fold?', '')
    """
    first = name.partition(".")[0]
    found = get_close_matches(name, known, 1) or get_close_matches(first, [each.partition(".")[0] for each in known], 1)
    return f"; did you mean {found[0]}?" if found else ""


def about_file(error: OSError) -> str:
    """Format a system error as "file: cause".

    Raises:
        OSError: the same error, if it names no file or the user cannot fix it.
    """
    if error.filename is None or error.errno not in FIXABLE:
        raise error
    return f"{error.filename}: {error.strerror}"


def refusal_within(error: BaseException) -> BaseException:
    """The InputError among an error's causes, or the error itself."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, InputError):
        cause = cause.__cause__ or cause.__context__
    return cause or error
