"""A signal ends a training after the current step, with a checkpoint, an exit code, and the command to continue."""

import multiprocessing
import os
import re
import shlex
import signal
import time
from pathlib import Path

import pytest
import torch

from ser.processes.interruption import AT_ONCE_SECONDS, ENDING, LISTENER, Interrupted, leave_signals_to_parent
from tests.conftest import CONF
from tests.process import Command, children_of

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGUSR1: 138, signal.SIGUSR2: 140}
PATIENCE_SECONDS = 600  # on a busy machine
FORK = multiprocessing.get_context("fork")


def fit(tiny, *more) -> list[str]:
    options = ["--config", CONF / "cnn_gru.yaml", *tiny, "--trainer.max_epochs", 6, "--data.num_workers", 2, *more]
    return ["ser", "fit", *map(str, options)]


def start(command: list[str], place: Path, **options) -> Command:
    """Start a shell command, `ser ...`, in its own process group, as a terminal does."""
    assert command[0] == "ser"
    return Command(command[1:], place / "out", place / "err", own_group=True, **options)


def epochs_of(folder) -> int:
    path = folder / "metrics.csv"
    return len(path.read_text().splitlines()) - 1 if path.exists() else 0


def test_interrupted_by_every_signal_it_ends_as_if_it_had_not_been(tiny, tmp_path):
    folder, whole = tmp_path / "broken", tmp_path / "whole"
    command = fit(tiny, "--out", folder)
    for place, number in enumerate(ENDING):
        process = start(command, tmp_path)
        process.until(lambda place=place: epochs_of(folder) > place)
        os.killpg(process.pid, number)  # a terminal and SLURM signal all processes at once
        ended = process.wait(PATIENCE_SECONDS)
        assert ended.code == CODES[number], ended.err
        assert "Traceback" not in ended.err
        assert ended.err.splitlines()[-1] == shlex.join(command)
        kept = [torch.load(path, weights_only=True)["global_step"] for path in (folder / "checkpoints").glob("*.ckpt")]
        assert max(kept) > 0
        assert not (folder / "result.json").exists()
    last = start(command, tmp_path).wait(PATIENCE_SECONDS)
    assert last.code == 0, last.err
    assert "continues   from" in last.out
    undisturbed = start(fit(tiny, "--out", whole), tmp_path).wait(PATIENCE_SECONDS)
    assert undisturbed.code == 0, undisturbed.err
    for name in ("metrics.csv", "predictions.csv", "validation.csv"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes(), name


def test_the_command_names_the_folder_that_the_run_has_named_itself(tiny, tmp_path):
    process = start(fit(tiny), tmp_path, cwd=tmp_path)
    folders = process.until(lambda: [each for each in tmp_path.glob("runs/*") if epochs_of(each)])
    os.killpg(process.pid, signal.SIGINT)
    ended = process.wait(PATIENCE_SECONDS)
    assert ended.code == 130, ended.err
    assert "Traceback" not in ended.err
    (folder,) = folders
    command = shlex.split(ended.err.splitlines()[-1])
    assert command[-2:] == ["--out", f"runs/{folder.name}"]
    last = start(command, tmp_path, cwd=tmp_path).wait(PATIENCE_SECONDS)
    assert last.code == 0, last.err
    assert "continues   from" in last.out
    assert (folder / "result.json").is_file()


@pytest.mark.parametrize(
    ("number", "heard"), [(signal.SIGINT, "SIGTERM"), (signal.SIGTERM, "SIGTERM"), (signal.SIGUSR1, "SIGTERM|SIGUSR1")]
)
def test_a_cross_validation_ends_in_order_and_goes_on(number, heard, tiny, tmp_path):
    """The trainings receive the signal too; they leave Ctrl-C to their parent, which terminates them."""
    folder = tmp_path / "folds"
    options = ["--config", CONF / "cnn_gru.yaml", *tiny, "--trainer.max_epochs", 4, "--folds", "1,6", "--out", folder]
    command = ["ser", "crossval", *map(str, options)]
    process = start(command, tmp_path)
    process.until(lambda: epochs_of(folder / "seed1-fold01"))
    asked = time.time()
    os.killpg(process.pid, number)
    ended = process.wait(PATIENCE_SECONDS)
    assert ended.code == CODES[number], ended.err
    assert ended.err.splitlines()[-1] == shlex.join(command)
    log = (folder / "seed1-fold01.log").read_text()
    assert re.search(f"({heard}): finished work is kept", log), log
    checkpoints = folder / "seed1-fold01" / "checkpoints"
    assert (checkpoints / "last.ckpt").is_file()  # and within.ckpt, if within an epoch
    assert max(path.stat().st_mtime for path in checkpoints.glob("*.ckpt")) > asked, (
        "the interrupted training has saved a checkpoint"
    )
    last = start(command, tmp_path).wait(PATIENCE_SECONDS)
    assert last.code == 0, last.err
    assert "continues   from" in (folder / "seed1-fold01.log").read_text()


def test_who_asks_a_cross_validation_twice_does_not_wait_for_a_training_that_hangs(tiny, tmp_path):
    folder = tmp_path / "folds"
    options = ["--config", CONF / "cnn_gru.yaml", *tiny, "--trainer.max_epochs", 50, "--folds", 1, "--out", folder]
    process = start(["ser", "crossval", *map(str, options)], tmp_path)
    process.until(lambda: epochs_of(folder / "seed1-fold01"))
    (training,) = writers_of(folder / "seed1-fold01.log")
    os.kill(training, signal.SIGSTOP)
    try:
        os.kill(process.pid, signal.SIGINT)
        time.sleep(2)
        assert process.running()
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(60).code == 130
    finally:
        os.kill(training, signal.SIGKILL)


def test_processes_that_read_data_end_with_a_training_that_is_killed(tiny, tmp_path):
    """As long as they live, they hold the folder's lock, and the same command would wait."""
    process = start(fit(tiny, "--out", tmp_path / "run"), tmp_path)
    process.until(lambda: epochs_of(tmp_path / "run"))
    readers = children_of(process.pid)
    assert len(readers) >= 2
    process.kill()
    time.sleep(1)  # PyTorch's workers check for their parent only every five seconds
    assert not [pid for pid in readers if is_alive(pid)]


def test_a_process_that_reads_data_does_not_begin_without_its_parent(tmp_path):
    """It would watch the process that adopted it instead of its parent, and hold the folder's lock for ever."""
    process = FORK.Process(target=leave_signals_to_parent, args=(0,))
    process.start()
    process.join()
    assert process.exitcode == 0
    process = FORK.Process(target=start_and_die, args=(tmp_path,))
    process.start()
    process.join()
    reader = int((tmp_path / "reader").read_text())
    while is_alive(reader):
        time.sleep(0.01)
    assert not (tmp_path / "begun").exists()


def start_and_die(place: Path) -> None:
    process = FORK.Process(target=begin_late, args=(place,))
    process.start()
    (place / "reader").write_text(str(process.pid))
    os._exit(0)


def begin_late(place: Path) -> None:
    parent = multiprocessing.parent_process().pid
    while os.getppid() == parent:
        time.sleep(0.01)
    leave_signals_to_parent(0)
    (place / "begun").write_text("")


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def writers_of(log: Path) -> list[int]:
    """Processes whose output goes into a file, without their data-loading workers."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "fd" / "1").readlink() == log:
                found[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue  # it has exited
    return [pid for pid, parent in found.items() if parent not in found]


def test_outside_of_a_training_a_signal_ends_at_once_and_the_handlers_are_put_back():
    before = [signal.getsignal(number) for number in ENDING]
    for number in ENDING:
        with pytest.raises(Interrupted) as caught, LISTENER.ending_in_order():
            os.kill(os.getpid(), number)
        assert caught.value.code == CODES[number]
    with LISTENER.ending_in_order(ignored=(signal.SIGINT,)):
        os.kill(os.getpid(), signal.SIGINT)
    assert [signal.getsignal(number) for number in ENDING] == before


def test_who_repeats_a_signal_does_not_want_to_wait():
    with LISTENER.ending_in_order():
        LISTENER.be_patient()
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)  # a different signal is not a repetition
        assert LISTENER.heard == signal.SIGINT
        os.kill(os.getpid(), signal.SIGINT)  # as if passed on by a parent that has also received it
        assert LISTENER.heard == signal.SIGINT
        time.sleep(AT_ONCE_SECONDS + 0.1)
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGINT)
    assert LISTENER.heard is None
