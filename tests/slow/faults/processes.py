"""Children of this process that may be killed, starved of disk or stripped of their privileges."""

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
    """Start work in a copy of this process, which has imported already what it needs; its process id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: this process has threads
        pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        tqdm.set_lock(RLock())  # its own one is shared with this process, and stays locked when a child is killed in it
        work()
        code = 0
    finally:
        os._exit(code)


def ask(work: Callable[[], object]) -> object:
    """What work returns, or the text of what it raises, when it is done in a copy of this process."""
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
    """Make file modes mean something to root too, by giving up all its capabilities."""
    version_3, this_process = 0x20080522, 0
    if os.geteuid() == 0 and ctypes.CDLL(None).capset(struct.pack("Ii", version_3, this_process), bytes(24)):
        raise OSError("capabilities cannot be given up")
