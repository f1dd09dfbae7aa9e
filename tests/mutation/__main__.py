"""Change one line at a time and see whether the tests that should notice do: `python -m tests.mutation`.

The changes are listed in `changes/*.yaml`: `what` is changed, the `file`, the text `old` (in the file exactly once) and
`new`, and the `tests` that should notice. `equivalent` says why no test can notice, `accepted` why none does. Every
change is made in a copy of the project, so that the project itself is never touched. Each answer is kept in a file at
once; the same command goes on where it was interrupted, and asks again only where the changed file or the tests are no
longer the same.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from hashlib import blake2b
from importlib import import_module
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
CHANGES = Path(__file__).with_name("changes")
PARTS = ("ser", "tests", "benchmarks", "conf", "sweeps", "docs", "README.md", "SECURITY.md", "pyproject.toml")
IMPORTED = """
hypothesis jsonargparse lightning.pytorch.cli lightning.pytorch.loggers matplotlib.figure optuna pandas
safetensors.torch scipy.signal scipy.stats sklearn.metrics torchaudio.transforms torchmetrics tqdm wandb
"""
FORK = multiprocessing.get_context("fork")
FAILED = 1  # pytest's exit code where a test has failed: what is noticed; any other one is a mistake of the list
ENOUGH = 0.95
SECONDS = 900  # for the tests of one change: a change may let them wait for ever


def read_changes() -> list[dict]:
    """The changes, each of which must fit its file exactly once.

    Raises:
        SystemExit: naming the changes that do not, or that name no test.
    """
    changes = [each for path in sorted(CHANGES.glob("*.yaml")) for each in yaml.safe_load(path.read_text()) or []]
    wrong = []
    for change in changes:
        text = (PROJECT / change["file"]).read_text(encoding="utf-8")
        if (count := text.count(change["old"])) != 1:
            wrong.append(f"{change['file']}: {change['old']!r} is there {count} times")
        wrong += [f"{path}: no such test" for path in change["tests"] if not (PROJECT / path).exists()]
    if wrong:
        sys.exit("\n".join([f"{CHANGES.name} does not fit:", *wrong]))
    return changes


def key(change: dict) -> str:
    """What an answer rests on: the change, its file and its tests."""
    found = blake2b(json.dumps(change, sort_keys=True).encode(), digest_size=8)
    for path in (change["file"], *change["tests"]):
        found.update((PROJECT / path).read_bytes())
    return found.hexdigest()


def run_tests(tests: list[str], copy: Path) -> int:
    """The exit code of pytest in the copy, which stops at the first failure.

    It runs in a fork of this process, which has imported everything but the project: that takes longer than the tests.

    Raises:
        TimeoutError: if it has not ended after `SECONDS`.
    """
    process = FORK.Process(target=_run_pytest, args=(tests, copy))
    process.start()
    try:
        process.join(SECONDS)
        if process.is_alive():
            raise TimeoutError
    finally:
        if process.is_alive():  # or this process was interrupted
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.join()
    return process.exitcode


def _run_pytest(tests: list[str], copy: Path) -> None:
    os.setpgid(0, 0)  # what the tests start ends with them
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.chdir(copy)
    sys.path[0] = os.environ["PYTHONPATH"] = str(copy)
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]  # the package that this program is a part of
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (1, 2):
        os.dup2(nothing, number)
    # Pytest warns of what it could not rewrite, because it was imported before.
    options = ["-x", "-q", "-n", "0", "-m", "", "-p", "no:cacheprovider"]  # slow tests among them
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    os._exit(int(pytest.main([*options, *tests])))


def is_noticed(change: dict, copy: Path) -> str:
    """Make a change in the copy, run its tests, and take it back: "noticed", "not noticed", or what went wrong."""
    path = copy / change["file"]
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(change["old"], change["new"]), encoding="utf-8")
    try:
        code = run_tests(change["tests"], copy)
    except TimeoutError:
        return "noticed"  # the tests themselves end long before
    finally:
        path.write_text(text, encoding="utf-8")
    return {0: "not noticed", FAILED: "noticed"}.get(code, f"exit code {code} of pytest")


def check_unchanged(tests: list[str], copy: Path) -> None:
    """Tests that fail anyway notice nothing.

    Raises:
        SystemExit: naming them.
    """
    if run_tests(tests, copy):
        sys.exit(f"without any change, these tests do not pass: {' '.join(tests)}")


def main() -> int:
    """Ask for every change whose answer is not known; the exit code is 1 where fewer than 95 % are noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--answers", type=Path, default=Path("mutation.json"), help="file of the answers")
    parser.add_argument("--file", action="append", help="only changes of files whose path begins so; may be repeated")
    options = parser.parse_args()
    changes = [each for each in read_changes() if each["file"].startswith(tuple(options.file or [""]))]
    if not changes:
        sys.exit(f"no change is of a file whose path begins with {' or '.join(options.file or ['anything'])}")
    keys = [key(each) for each in changes]  # as they are now, like the copy
    answers = json.loads(options.answers.read_text()) if options.answers.exists() else {}
    os.environ |= {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True  # or what was compiled of one change could be taken for the next one's
    for name in IMPORTED.split():
        import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        for part in PARTS:
            copying = shutil.copytree if (PROJECT / part).is_dir() else shutil.copy
            copying(PROJECT / part, Path(folder) / part)
        passed = set()
        for number, (change, known) in enumerate(zip(changes, keys, strict=True), 1):
            if known not in answers:
                if (tests := tuple(change["tests"])) not in passed:
                    check_unchanged(change["tests"], Path(folder))
                    passed.add(tests)
                answers[known] = is_noticed(change, Path(folder))
                options.answers.write_text(json.dumps(answers, indent=1) + "\n")
            reasons = [f", {word}: {change[word]}" for word in ("equivalent", "accepted") if word in change]
            answer = "".join([answers[known], *reasons])
            print(f"{number:3d}/{len(changes)}  {change['file']}: {change['what']}: {answer}", flush=True)
    asked_for = [known for each, known in zip(changes, keys, strict=True) if "equivalent" not in each]
    counts = Counter(answers[known] for known in asked_for)
    asked = len(asked_for)
    share = counts["noticed"] / asked if asked else 1.0
    print(
        f"{counts['noticed']} of {asked} changes ({share:.1%}) are noticed; {len(changes) - asked} more are equivalent"
    )
    return 0 if share >= ENOUGH else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # or the copy and its tests would stay
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command goes on")
