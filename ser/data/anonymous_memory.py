"""Send batches from data workers through anonymous memory, not through files in /dev/shm.

A container's /dev/shm has 64 MB. A worker that finds it full dies, and training would wait forever for its batch.
"""

import mmap
import multiprocessing
import os
from multiprocessing.reduction import DupFd, ForkingPickler

import torch
from torch import Tensor

from ser.errors import InputError

FEW_BYTES = 65_536  # smaller tensors are sent by value, which is faster than opening a file


def avoid_shared_files() -> None:
    """From now on, send the tensors of this process through anonymous memory if the system has it (Linux)."""
    if hasattr(os, "memfd_create"):
        ForkingPickler.register(Tensor, _reduce)


def check_semaphores(num_workers: int) -> None:
    """Refuse a number of workers for which the system cannot allocate the locks of their queues.

    Raises:
        InputError: with the remedy.
    """
    try:
        _ = [multiprocessing.Lock() for _ in range(16 * num_workers)]
    except OSError as error:
        raise InputError(
            f"data.num_workers is {num_workers}, but /dev/shm has no room for the locks of these processes "
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
