"""Jobs in SLURM, with a queue that the test sets: what is submitted, what is shown, what counts as failed."""

import json
import os
from types import SimpleNamespace

import pytest

import ser.processes.slurm
from ser.errors import InputError
from ser.processes.interruption import Interrupted
from ser.processes.jobs import Job
from ser.processes.slurm import LATE_SECONDS, LOOK_SECONDS, Resources, Slurm


@pytest.fixture
def cluster(monkeypatch, tmp_path):
    """A queue, a clock, and the jobs that were submitted; each look at the queue is a step of `story`."""
    found = SimpleNamespace(queue={}, submitted=[], now=0.0, story=[])

    def sleep(seconds):
        found.now += seconds
        if found.story:
            found.story.pop(0)()

    def submit(slurm, jobs):
        base = 100 + len(found.submitted)
        found.submitted.append([job.title for job in jobs])
        for place, job in enumerate(jobs):
            number = f"{base}_{place}"
            slurm.numbers[job.arguments[-1]] = number
            found.queue[number] = "pending"
        slurm.folder.mkdir(exist_ok=True)
        (slurm.folder / "jobs.json").write_text(json.dumps(slurm.numbers))

    monkeypatch.setattr(ser.processes.slurm.time, "sleep", sleep)
    monkeypatch.setattr(ser.processes.slurm.time, "monotonic", lambda: found.now)
    monkeypatch.setattr(Slurm, "queue", lambda self: found.queue)
    monkeypatch.setattr(Slurm, "_submit", submit)
    return found


def make_jobs(folder, *titles):
    return [Job(title, [title], ["session", "--out", title], folder / f"{title}.log") for title in titles]


def finish(folder, cluster, title, number):
    def finish_now():
        (folder / title).mkdir()
        (folder / title / "result.json").write_text("{}")
        cluster.queue.pop(number)

    return finish_now


def test_jobs_are_submitted_once_and_end_with_their_results(cluster, tmp_path, capsys):
    ended = []
    cluster.story = [
        lambda: cluster.queue.update({"100_0": "running on n1"}),
        finish(tmp_path, cluster, "b", "100_1"),
        lambda: cluster.queue.update({"100_0": "pending, BeginTime"}),  # requeued
        finish(tmp_path, cluster, "a", "100_0"),
    ]
    jobs = [*make_jobs(tmp_path, "a", "b"), Job("finished before", [], [], tmp_path / "log")]
    Slurm(Resources("1h"), tmp_path).run(jobs, None, lambda job, code, seconds: ended.append((job.title, code)))
    assert cluster.submitted == [["a", "b"]]
    assert ended == [("b", 0), ("a", 0)]
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("a:")]
    assert printed == ["a: running on n1 (job 100_0)", "a: pending, BeginTime (job 100_0)"]


def test_a_job_that_has_left_the_queue_without_a_result_has_failed_but_not_at_once(cluster, tmp_path):
    """A network file system can show the result late."""
    ended = []
    (job,) = make_jobs(tmp_path, "a")
    job.log.write_text("out of memory\n")
    cluster.story = [cluster.queue.clear]
    slurm = Slurm(Resources("1h"), tmp_path)
    slurm.ends["100_0"] = "out of memory on n1"
    slurm.run([job], None, lambda *given: ended.append(given))
    ((failed, cause, seconds),) = ended
    assert (failed, cause) == (job, "no result (job 100_0 out of memory on n1)")
    assert LATE_SECONDS < seconds <= LATE_SECONDS + 3 * LOOK_SECONDS


def test_the_log_of_a_job_that_did_not_begin_is_that_of_submitit(cluster, tmp_path):
    ended = []
    cluster.story = [cluster.queue.clear]
    Slurm(Resources("1h"), tmp_path).run(make_jobs(tmp_path, "a"), None, lambda *given: ended.append(given))
    assert ended[0][1] == "no result (job 100_0 has ended)"
    assert ended[0][0].log == tmp_path / "slurm" / "100_0_0_log.err"


def test_an_unanswered_question_is_no_failure(cluster, tmp_path, monkeypatch):
    ended, answers = [], iter([{}, {}, *[None] * 30])
    monkeypatch.setattr(Slurm, "queue", lambda self: next(answers))
    cluster.story = [lambda: None] * 20 + [finish(tmp_path, cluster, "a", "100_0")]
    Slurm(Resources("1h"), tmp_path).run(make_jobs(tmp_path, "a"), None, lambda *given: ended.append(given[:2]))
    assert [(job.title, code) for job, code in ended] == [("a", 0)]


def test_no_more_jobs_are_in_the_queue_than_a_cluster_takes(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr("ser.processes.slurm.MOST_QUEUED", 2)
    cluster.story = [
        finish(tmp_path, cluster, title, number)
        for title, number in zip("abc", ("100_0", "100_1", "101_0"), strict=True)
    ]
    Slurm(Resources("1h"), tmp_path).run(make_jobs(tmp_path, *"abc"), None, lambda *_: None)
    assert cluster.submitted == [["a", "b"], ["c"]]


def test_a_launcher_that_is_interrupted_leaves_the_jobs_and_the_next_one_watches_them(cluster, tmp_path, capsys):
    def interrupt():
        raise Interrupted(2)

    cluster.story = [interrupt]
    with pytest.raises(Interrupted):
        Slurm(Resources("1h"), tmp_path).run(make_jobs(tmp_path, "a", "b"), None, lambda *_: None)
    assert "the jobs go on in SLURM; to end them: scancel 100\n" in capsys.readouterr().err
    del cluster.queue["100_1"]  # ended without a result while no launcher ran
    cluster.story = [finish(tmp_path, cluster, "a", "100_0"), finish(tmp_path, cluster, "b", "101_0")]
    ended = []
    jobs = make_jobs(tmp_path, "a", "b")
    Slurm(Resources("1h"), tmp_path).run(jobs, None, lambda job, code, _: ended.append((job.title, code)))
    assert cluster.submitted == [["a", "b"], ["b"]], "only what is not in the queue is submitted again"
    assert ended == [("a", 0), ("b", 0)]


def test_without_slurm_and_without_submitit(tmp_path, monkeypatch):
    monkeypatch.setattr(Slurm, "queue", lambda self: None)
    with pytest.raises(InputError, match="is this a machine of a SLURM cluster"):
        Slurm(Resources("1h"), tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "submitit", None)
    with pytest.raises(InputError, match=r"pip install 'ser\[cluster\]'"):
        Slurm(Resources("1h"), tmp_path)


@pytest.mark.parametrize("name", ["80%x", "a\\b"])
def test_a_folder_whose_logs_slurm_would_rename(cluster, tmp_path, name):
    """SLURM replaces `%x` by the job's name, and a job whose log cannot be opened does not begin."""
    with pytest.raises(InputError, match="choose another folder than"):
        Slurm(Resources("1h"), tmp_path / name)
    Slurm(Resources("1h"), tmp_path / "it's $HOME; é")


def test_the_job_in_which_a_launcher_runs_is_unknown_to_its_jobs(cluster, tmp_path, monkeypatch):
    """submitit would look for the task of the launcher's array, and srun refuses two kinds of memory limit."""
    for name in ("SLURM_CONF", "SLURM_ARRAY_JOB_ID", "SLURM_MEM_PER_CPU"):
        monkeypatch.setenv(name, "7")
    Slurm(Resources("1h"), tmp_path)
    assert [name for name in os.environ if name.startswith("SLURM_")] == ["SLURM_CONF"]
