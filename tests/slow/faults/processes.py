"""Run work in forked children, which can be killed, given a full disk or stripped of privileges."""

from __future__ import annotations

import ctypes
import os
import pickle
import struct
import warnings
from collections.abc import Callable
from threading import RLock

from tqdm import tqdm


def fork(work: Callable[[], object]) -> int:
    """Start work in a fork of this process, where its imports are already loaded; return the process id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: this process has threads
        pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        tqdm.set_lock(RLock())  # the default lock is shared with this process, and stays locked if a holder is killed
        work()
        code = 0
    finally:
        os._exit(code)


def ask(work: Callable[[], object]) -> object:
    """Do work in a fork of this process; return its result, or the text of the exception that it raised."""
    reading, writing = os.pipe()

    def answer() -> None:
        try:
            result = work()
        except Exception as error:
            result = f"{type(error).__name__}: {error}"
        with open(writing, "wb") as pipe:
            pickle.dump(result, pipe)

    pid = fork(answer)
    os.close(writing)
    with open(reading, "rb") as pipe:
        content = pipe.read()
    os.waitpid(pid, 0)
    return pickle.loads(content)


def give_up_privileges() -> None:
    """Give up all capabilities, so that file modes apply to root too."""
    version_3, this_process = 0x20080522, 0
    if os.geteuid() == 0 and ctypes.CDLL(None).capset(struct.pack("Ii", version_3, this_process), bytes(24)):
        raise OSError("capabilities cannot be given up")
