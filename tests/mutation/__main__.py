"""Change one line at a time and check that its tests fail: `python -m tests.mutation`.

The changes are listed in `changes/*.yaml`: `what` the change does, the `file`, the text `old` (exactly once in the
file) and its replacement `new`, and the `tests` that should fail. `equivalent` explains why no test can fail,
`accepted` why none does. Changes are made in a copy of the project. Each answer is saved immediately; the same command
continues after an interruption, and repeats an answer only if the change, its file or its tests have changed.
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
FAILED = 1  # pytest's exit code if a test failed: the change was noticed; other codes are errors in the list
ENOUGH = 0.95
SECONDS = 900  # limit for the tests of one change, which can make them hang


def read_changes() -> list[dict]:
    """Read the changes; the `old` text of each must occur exactly once in its file.

    Raises:
        SystemExit: with the changes that do not fit or name missing tests.
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
    """Digest of what an answer depends on: the change, its file and its tests."""
    found = blake2b(json.dumps(change, sort_keys=True).encode(), digest_size=8)
    for path in (change["file"], *change["tests"]):
        found.update((PROJECT / path).read_bytes())
    return found.hexdigest()


def run_tests(tests: list[str], copy: Path) -> int:
    """Run tests in the copy until the first failure; return pytest's exit code.

    They run in a fork of this process, which has already imported everything but the project, to save time.

    Raises:
        TimeoutError: after `SECONDS`.
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
    os.setpgid(0, 0)  # so that processes of the tests can be killed with them
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.chdir(copy)
    sys.path[0] = os.environ["PYTHONPATH"] = str(copy)
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]  # `tests` is imported from the project, not from the copy
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (1, 2):
        os.dup2(nothing, number)
    # Pytest warns about already imported modules, whose assertions it cannot rewrite.
    options = ["-x", "-q", "-n", "0", "-m", "", "-p", "no:cacheprovider"]  # including slow tests
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    os._exit(int(pytest.main([*options, *tests])))


def is_noticed(change: dict, copy: Path) -> str:
    """Make a change in the copy, run its tests and undo it; return "noticed", "not noticed" or an error."""
    path = copy / change["file"]
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(change["old"], change["new"]), encoding="utf-8")
    try:
        code = run_tests(change["tests"], copy)
    except TimeoutError:
        return "noticed"  # without the change the tests are much faster
    finally:
        path.write_text(text, encoding="utf-8")
    return {0: "not noticed", FAILED: "noticed"}.get(code, f"exit code {code} of pytest")


def check_unchanged(tests: list[str], copy: Path) -> None:
    """Check that the tests pass without any change.

    Raises:
        SystemExit: if they do not.
    """
    if run_tests(tests, copy):
        sys.exit(f"without any change, these tests do not pass: {' '.join(tests)}")


def main() -> int:
    """Test every change without a saved answer; the exit code is 1 if fewer than 95 % are noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--answers", type=Path, default=Path("mutation.json"), help="file of the answers")
    parser.add_argument("--file", action="append", help="only changes of files whose path begins so; may be repeated")
    options = parser.parse_args()
    changes = [each for each in read_changes() if each["file"].startswith(tuple(options.file or [""]))]
    if not changes:
        sys.exit(f"no change is of a file whose path begins with {' or '.join(options.file or ['anything'])}")
    keys = [key(each) for each in changes]  # computed before the copy is made, so that both are of one moment
    answers = json.loads(options.answers.read_text()) if options.answers.exists() else {}
    os.environ |= {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True  # or bytecode compiled for one change could be used for the next
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
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the copy is deleted and the tests are killed
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command goes on")
