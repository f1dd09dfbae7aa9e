"""What the other tests of this folder build on: the cluster moves, ends and repeats jobs as SLURM's manual says."""

import subprocess

import pytest

# Writes each signal to the file `heard`, ends after SIGTERM, and ends at once when it is repeated.
LISTENING = """
echo "run ${SLURM_RESTART_COUNT:-0} on $SLURMD_NODENAME" >> heard
test -n "$SLURM_RESTART_COUNT" && exit
trap 'echo USR1 >> heard' USR1
trap 'echo TERM >> heard; exit 1' TERM
while true; do sleep 0.1; done
"""


@pytest.fixture
def heard(tmp_path):
    """What a listening job has written, line by line."""

    def read() -> list[str]:
        path = tmp_path / "heard"
        return path.read_text().splitlines() if path.exists() else []

    return read


def test_an_array_runs_on_all_nodes(cluster, tmp_path):
    (tmp_path / "jobs.txt").write_text("".join(f"echo {word} > {word}; sleep 1\n" for word in ("one", "two", "three")))
    array = cluster.submit("--array=1-3", cwd=tmp_path, line='eval "$(sed -n ${SLURM_ARRAY_TASK_ID}p jobs.txt)"')
    cluster.until(lambda: not cluster.queue())
    for word in ("one", "two", "three"):
        assert (tmp_path / word).read_text() == f"{word}\n"
    assert {job.node for job in cluster.jobs(array)} == {"n1", "n2", "n3"}
    assert {job.state for job in cluster.jobs(array)} == {"COMPLETED"}


def test_waiting_for_an_array_with_a_line_that_fails(cluster, tmp_path):
    words = ["sbatch", "--wait", "--array=1-2", "--wrap", "exit $((SLURM_ARRAY_TASK_ID - 1))"]
    done = subprocess.run(words, env=cluster.environment, cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode == 1


def test_a_node_set_down_gives_its_job_back(cluster, heard, tmp_path):
    job = cluster.submit(cwd=tmp_path, line=LISTENING)
    cluster.until(heard)
    (running,) = cluster.jobs(job)
    cluster.set_down(running.node)
    cluster.until(lambda: not cluster.queue())
    (ended,) = cluster.jobs(job)
    assert heard() == [f"run 0 on {running.node}", "TERM", f"run 1 on {ended.node}"]
    assert ended.state == "COMPLETED"
    assert ended.node != running.node
    assert cluster.nodes()[running.node] == "down"


def test_a_killed_job_fails(cluster, heard, tmp_path):
    job = cluster.submit(cwd=tmp_path, line=LISTENING)
    cluster.until(heard)
    cluster.kill(job)
    cluster.until(lambda: not cluster.queue())
    assert len(heard()) == 1
    assert cluster.state(job) == "FAILED"


def test_a_requeued_job_runs_again(cluster, heard, tmp_path):
    job = cluster.submit(cwd=tmp_path, line=LISTENING)
    cluster.until(heard)
    cluster.requeue(job)
    cluster.until(lambda: not cluster.queue())
    assert [line.split(" on")[0] for line in heard()] == ["run 0", "TERM", "run 1"]
    assert cluster.state(job) == "COMPLETED"


def test_a_preempted_job_runs_again(cluster, heard, tmp_path):
    job = cluster.submit("-w", "n1", cwd=tmp_path, line=LISTENING)
    cluster.until(heard)
    cluster.preempt("n1", cwd=tmp_path)
    cluster.until(lambda: not cluster.queue())
    assert heard() == ["run 0 on n1", "TERM", "run 1 on n1"]
    assert cluster.state(job) == "COMPLETED"


def test_a_preempted_job_hears_its_own_signal_first(cluster, heard, tmp_path):
    words = ["-p", "grace", "--signal=B:USR1@60", "--time=10", "-w", "n2"]
    job = cluster.submit(*words, cwd=tmp_path, line=LISTENING)
    cluster.until(heard)
    cluster.preempt("n2", cwd=tmp_path)
    cluster.until(lambda: "USR1" in heard())
    assert cluster.state(job) == "RUNNING"
    cluster.until(lambda: not cluster.queue())
    assert heard() == ["run 0 on n2", "USR1", "TERM", "run 1 on n2"]
    assert cluster.state(job) == "COMPLETED"
