"""How a process that reads data hands its batches over: in memory without a name, not in files of /dev/shm.

A container's /dev/shm has 64 MB. A reader that finds it full dies, and the training would wait for its batch for ever.
"""

import mmap
import multiprocessing
import os
from multiprocessing.reduction import DupFd, ForkingPickler

import torch
from torch import Tensor

from ser.errors import InputError

FEW_BYTES = 65_536  # are sent as they are, which takes less time than to open a file


def avoid_shared_files() -> None:
    """Send the tensors of this process in anonymous memory from now on, where the system has it (Linux)."""
    if hasattr(os, "memfd_create"):
        ForkingPickler.register(Tensor, _reduce)


def check_semaphores(num_workers: int) -> None:
    """Refuse processes that read data where the system has no room for the locks of their queues.

    Raises:
        InputError: naming the remedy.
    """
    try:
        _ = [multiprocessing.Lock() for _ in range(16 * num_workers)]
    except OSError as error:
        raise InputError(
            f"data.num_workers is {num_workers}, but /dev/shm has no room for what these processes share "
            f"({error.strerror}); give a container more (docker run --shm-size 1g), or use --data.num_workers 0"
        ) from error


def _reduce(tensor: Tensor) -> tuple:
    array = tensor.contiguous().numpy()
    if array.nbytes < FEW_BYTES:
        return torch.from_numpy, (array,)
    with open(os.memfd_create("batch"), "wb") as file:
        file.write(array.data)
        file.flush()
        return _rebuild, (DupFd(file.fileno()), tensor.dtype, tuple(tensor.shape))


def _rebuild(file: DupFd, dtype: torch.dtype, shape: tuple[int, ...]) -> Tensor:
    number = file.detach()
    try:
        memory = mmap.mmap(number, 0, flags=mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0))
    finally:
        os.close(number)
    return torch.frombuffer(memory, dtype=dtype).view(shape)
