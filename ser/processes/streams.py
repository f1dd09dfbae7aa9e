"""Standard streams: closed ones are opened, and output to a closed pipe is dropped."""

import io
import os
import sys


def open_missing() -> None:
    """Open /dev/null in place of closed standard streams, or the next opened file would become one of them."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            stream = open(number, mode, closefd=False)  # noqa: SIM115  open until the program's end
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def outlive_readers() -> None:
    """Redirect output to /dev/null once the reader of a pipe has closed it, so that `ser ... | head` ends quietly.

    Streams that have been replaced, as in tests, are left alone.
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
