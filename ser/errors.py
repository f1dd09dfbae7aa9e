"""Errors that the user can mend: one clear message, exit code 2, no traceback."""

import errno
import sys

# What the operating system says of a file that its user can mend: rights, room, kinds and names of files.
MENDABLE = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
    *(errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP),
}


class InputError(ValueError):
    """What the user gave (an option, a file, a corpus) cannot be used as it is."""


class CorpusError(InputError):
    """A corpus has problems; all that were found are reported together.

    Args:
        corpus: what was read, "IEMOCAP in /data/iemocap".
        problems: one line each, "file: cause" or "file:line: cause".
    """

    def __init__(self, corpus: str, problems: list[str]) -> None:
        self.problems = list(problems)
        count = f"{len(self.problems)} problem" + ("" if len(self.problems) == 1 else "s")
        super().__init__("\n".join([f"{corpus}: {count}", *(f"  {line}" for line in self.problems)]))


def show(value: object) -> str:
    """A value for a message: text in quotation marks, and no more digits than Python prints."""
    try:
        return repr(value) if isinstance(value, str) else str(value)
    except ValueError:
        return f"a number of more than {sys.get_int_max_str_digits()} digits"


def about_file(error: OSError) -> str:
    """What the operating system refused, as "file: cause".

    Raises:
        OSError: the error itself, where it names no file or the user cannot mend it.
    """
    if error.filename is None or error.errno not in MENDABLE:
        raise error
    return f"{error.filename}: {error.strerror}"


def refusal_within(error: BaseException) -> BaseException:
    """The InputError that led to an error, or the error itself."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, InputError):
        cause = cause.__cause__ or cause.__context__
    return cause or error
