"""Standard streams that are always there: closed ones are opened, and a reader that has gone away is not missed."""

import io
import os
import sys


def open_missing() -> None:
    """Open /dev/null in place of closed standard streams, or the next file that is opened would be taken for one."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            stream = open(number, mode, closefd=False)  # noqa: SIM115  open until the program's end
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def outlive_readers() -> None:
    """Let what is printed after the reader of a pipe has gone go to /dev/null, so that `ser ... | head` ends quietly.

    A stream that has been replaced by another one, as tests do, is left alone.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is getattr(sys, f"__{name}__") and isinstance(stream, io.TextIOWrapper):
            stream.flush()
            patient = io.TextIOWrapper(
                io.BufferedWriter(_Pipe(stream.fileno(), "wb", closefd=False)),
                encoding=stream.encoding,
                errors=stream.errors,
                line_buffering=stream.line_buffering or stream.write_through,  # the latter: python -u
            )
            setattr(sys, name, patient)
            setattr(sys, f"__{name}__", patient)


class _Pipe(io.FileIO):
    def write(self, content: bytes) -> int | None:
        try:
            return super().write(content)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return super().write(content)
