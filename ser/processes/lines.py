"""`jobs.txt`: a shell command for every training of a cross-validation or a study, for any scheduler.

The machines that run the lines share the folder. A training locks its folder (flock), so a line that runs twice at the
same time trains once: the second waits 20 seconds and ends with an error.
"""

import shlex
import sys
from pathlib import Path

from ser.errors import InputError
from ser.files import write_text
from ser.processes.jobs import Job

LINES = "jobs.txt"


def command_of(job: Job) -> list[str]:
    """The words of a job's command, with this process's interpreter."""
    return [sys.executable, "-m", "ser", *job.arguments]


class Lines:
    """Writes `jobs.txt` into a folder, and lists the lines of unfinished jobs; runs nothing.

    Args:
        folder: the folder of a cross-validation or a study.
    """

    place = f"by the lines of {LINES}"

    def __init__(self, folder: Path) -> None:
        self.path = folder.absolute() / LINES

    def run(self, jobs: list[Job], lock: int | None, ended: object) -> None:
        """Write the lines; they run later, so no job ends."""
        self.write(jobs)

    def write(self, jobs: list[Job]) -> None:
        """Write a line per job, and print which are left.

        Raises:
            InputError: if a command contains a line break.
        """
        lines = [shlex.join(command_of(job)) for job in jobs]
        if broken := next((line for line in lines if "\n" in line), None):
            raise InputError(f"a line of {LINES} cannot contain a line break: {broken!r}")
        text = "".join(f"{line}\n" for line in lines)
        before = self.path.read_text(encoding="utf-8") if self.path.is_file() else text
        if not self.path.is_file() or before != text:
            write_text(self.path, text)
        print(f"\n{self.path}: {len(lines)} lines")
        if before != text:
            print("  they are others than before, and are numbered anew")
        left = {number: job for number, job in enumerate(jobs, 1) if job.runs}
        for number, job in left.items():
            print(f"  line {number:4d}  {job.title}: {progress(job, self.path.parent)}")
        if left:
            print(instructions(self.path, list(left)))


def progress(job: Job, folder: Path) -> str:
    """How far an unfinished job has come, by the epochs that its run has recorded."""
    metrics = folder / job.runs[0] / "metrics.csv"
    epochs = len(metrics.read_text(encoding="utf-8").splitlines()) - 1 if metrics.is_file() else 0
    return f"{epochs} epoch{'s' if epochs > 1 else ''} recorded" if epochs > 0 else "no epoch recorded"


def instructions(path: Path, numbers: list[int]) -> str:
    """How to run lines of a file, as text.

    Example:
        >>> print(instructions(Path("/runs/x/jobs.txt"), [1, 2, 3, 7]))
        <BLANKLINE>
        Run these lines in any order, on machines that share the folder; then run this command again. For example
          sbatch --array=1-3,7 --wrap 'eval "exec $(sed -n ${SLURM_ARRAY_TASK_ID}p /runs/x/jobs.txt)"'
          sed -n '1,3p;7p' /runs/x/jobs.txt | parallel -j 2
    """
    ranges = ranges_of(numbers)
    quoted = shlex.quote(str(path))
    wrap = shlex.quote(f'eval "exec $(sed -n ${{SLURM_ARRAY_TASK_ID}}p {quoted})"')
    array = ",".join(f"{first}-{last}" if last > first else str(first) for first, last in ranges)
    printed = ";".join(f"{first},{last}p" if last > first else f"{first}p" for first, last in ranges)
    return (
        "\nRun these lines in any order, on machines that share the folder; then run this command again. For example\n"
        f"  sbatch --array={array} --wrap {wrap}\n"
        f"  sed -n '{printed}' {quoted} | parallel -j 2"
    )


def ranges_of(numbers: list[int]) -> list[tuple[int, int]]:
    """The first and last of every run of consecutive numbers.

    Example:
        >>> ranges_of([1, 2, 3, 7])
        [(1, 3), (7, 7)]
    """
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
