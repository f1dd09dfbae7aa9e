"""Batches from data-loading workers need no space in /dev/shm; a killed worker gives a clear error."""

import ctypes
import os
import signal
import struct
import sys
from types import SimpleNamespace

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from ser.data import Synthetic
from ser.data.anonymous_memory import FEW_BYTES, _rebuild, avoid_shared_files, check_semaphores
from ser.data.datamodule import EmotionData
from ser.errors import InputError
from ser.training.options.command import run
from tests.conftest import CONF
from tests.process import Command

NEW_NAMESPACE, PRIVATE = 0x00020000, 0x4000 | 1 << 18  # Linux: CLONE_NEWNS; MS_REC | MS_PRIVATE
NOT_PERMITTED = 77


class Tensors(Dataset):
    """Tensors of several types: large, small, empty, and non-contiguous."""

    kinds = (torch.float32, torch.float64, torch.int64, torch.int16, torch.bool)

    def __len__(self) -> int:
        return 4 * len(self.kinds)

    def __getitem__(self, place: int) -> tuple[torch.Tensor, ...]:
        kind = self.kinds[place // 4]
        large = torch.arange(place, place + FEW_BYTES).remainder(251).to(kind)
        return large, large[:3], large.view(256, -1).T, large[0], large[:0]


def test_tensors_arrive_as_they_were_sent():
    loader = DataLoader(Tensors(), batch_size=None, num_workers=2, worker_init_fn=lambda _: avoid_shared_files())
    for received, sent in zip(loader, Tensors(), strict=True):
        for one, other in zip(received, sent, strict=True):
            assert one.dtype == other.dtype
            assert torch.equal(one, other)
            one.zero_()  # it is writable


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="memfd_create exists on Linux only")
def test_a_received_batch_leaves_no_descriptor_open():
    """One leaked descriptor per batch would end a training after about a thousand batches."""
    number = os.memfd_create("batch")
    os.write(number, struct.pack("<6f", 1, 2, 3, 4, 5, 6))
    received = _rebuild(SimpleNamespace(detach=lambda: number), torch.float32, (2, 3))
    assert received.tolist() == [[1, 2, 3], [4, 5, 6]]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def small_shm(kilobytes: int) -> None:
    """Mount a small /dev/shm for this process."""
    libc = ctypes.CDLL(None)
    if (
        libc.unshare(NEW_NAMESPACE)
        or libc.mount(b"none", b"/", None, PRIVATE, None)
        or libc.mount(b"tmpfs", b"/dev/shm", b"tmpfs", 0, f"size={kilobytes}k".encode())
    ):
        os._exit(NOT_PERMITTED)


def shm_of_512_kilobytes() -> None:
    small_shm(512)


def shm_of_4_kilobytes() -> None:
    small_shm(4)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts its own /dev/shm")
@pytest.mark.parametrize(("prepare", "code"), [(shm_of_512_kilobytes, 0), (shm_of_4_kilobytes, 2)])
def test_a_training_with_a_small_shm(tiny, tmp_path, prepare, code):
    """Two batches of 614 kB do not fit into 512 kB; not even the locks of a queue fit into 4 kB."""
    options = ["--config", CONF / "cnn_gru.yaml", *tiny, "--data.batch_size", 64, "--data.num_workers", 2]
    process = Command(["fit", *options, "--out", tmp_path / "run"], tmp_path / "log", prepare=prepare)
    try:
        ended = process.wait(120)
    except TimeoutError:  # it waits for a dead worker
        process.kill()
        raise
    if ended.code == NOT_PERMITTED:
        pytest.skip("this user cannot mount a /dev/shm")
    assert ended.code == code, ended.out
    assert "Traceback" not in ended.out
    if code:
        assert "data.num_workers is 2, but /dev/shm has no room" in ended.out
        assert "--shm-size" in ended.out
        assert not (tmp_path / "run").exists()


def test_the_locks_of_no_process_need_no_room(monkeypatch):
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("multiprocessing.Lock", full)
    check_semaphores(0)
    with pytest.raises(InputError, match=r"num_workers is 3, but /dev/shm .* \(No space left on device\)"):
        check_semaphores(3)


class Dying(Dataset):
    """Kills its worker, as the out-of-memory killer does."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, place: int) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_reads_data_and_is_killed_ends_the_command_with_the_remedy(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["ser", "fit"])
    with pytest.raises(InputError, match=r"data-loading worker was killed.*--data\.num_workers 0"):
        run(lambda: list(DataLoader(Dying(), batch_size=None, num_workers=1)), "fit")


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # Python 3.12: pytest has threads
def test_readers_change_no_batch_and_none_is_begun_for_a_single_one(tiny_corpus):
    for seconds, several in ((60.0, False), (1.3, True)):
        loaders = []
        for workers in (0, 2):
            data = EmotionData(Synthetic(str(tiny_corpus), 8), max_batch_seconds=seconds, num_workers=workers)
            data.setup()
            loaders.append(data.val_dataloader())
        own, read = loaders
        assert (len(read) > 1) == several
        assert read.num_workers == (2 if several else 0)
        for one, other in zip(own, read, strict=True):
            for before, now in zip(one, other, strict=True):
                assert (before is None and now is None) or torch.equal(before, now)
