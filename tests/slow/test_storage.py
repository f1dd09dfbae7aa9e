"""Many processes create a study's file at the same time."""

import multiprocessing

from ser.errors import InputError
from ser.sweep.study.storage import open_storage


def open_at_once(url, start, failed):
    start.wait()
    try:
        open_storage(url, heartbeat_seconds=20)
    except InputError as error:
        failed.put(str(error))


def test_many_processes_may_make_one_file(tmp_path):
    """When workers and launchers start at the same moment, none finds an incomplete set of tables."""
    processes = multiprocessing.get_context("fork")
    failed = processes.Queue()
    for number in range(4):
        start = processes.Barrier(6)
        words = (f"sqlite:///{tmp_path / f'{number}.db'}", start, failed)
        started = [processes.Process(target=open_at_once, args=words) for _ in range(6)]
        for process in started:
            process.start()
        for process in started:
            process.join()
        assert not any(process.exitcode for process in started)
    assert failed.empty(), failed.get()
