"""Every `ser` command in the README and the documentation runs, with the built-in corpus instead of a licensed one."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import TINY_SECONDS, TINY_SEGMENTS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").rglob("*.md"))}
BLOCKS = [block for page in (README, *PAGES.values()) for block in re.findall(r"```bash\n(.*?)```", page, flags=re.S)]
# bash expands loops and variables; `ser` only prints its words, and no other program is found.
ONLY_PRINT = """
PATH=/nowhere
ser() { printf '%s\\0' ser "$@"; echo; }
.() { :; }
command_not_found_handle() { :; }
"""


def commands(blocks):
    """The words of every distinct `ser` command in these blocks."""
    shell = ["bash", "-c", ONLY_PRINT + "".join(blocks)]
    printed = subprocess.run(shell, capture_output=True, text=True, check=True)
    assert not printed.stderr, printed.stderr
    return list(dict.fromkeys(tuple(line.split("\0")[:-1]) for line in printed.stdout.splitlines()))


LINES = commands(BLOCKS)
OF_README = commands(re.findall(r"```bash\n(.*?)```", README, flags=re.S))


def test_there_are_lines_to_test():
    assert len(LINES) >= 30


def test_every_line_that_begins_with_ser_is_among_them():
    """Commands at the start of a line, read without a shell; the shell also finds those in loops."""
    lines = [line for line in "".join(BLOCKS).splitlines() if line.startswith("ser ")]
    begun = {tuple(shlex.split(line, comments=True)) for line in lines}
    assert begun
    assert begun <= set(LINES)


def test_the_first_command_makes_its_own_environment():
    """Some systems refuse to install packages into the system's Python."""
    assert BLOCKS[0].startswith("python3 -m venv .venv && . .venv/bin/activate && pip install ")


def test_links_of_the_readme_lead_to_files():
    """`mkdocs build --strict` checks those of the documentation."""
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).is_file(), link


@pytest.mark.parametrize("page", ["README.md", "SECURITY.md", *(str(path.relative_to(ROOT)) for path in PAGES)])
def test_files_that_a_page_names_are_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for path in re.findall(r"`((?:benchmarks|conf|docs|ser|sweeps|tests)/[\w/.-]+)`", text):
        assert (ROOT / path).exists(), path


def test_what_the_lines_write_is_ignored_by_git():
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
    written = {word.split("/")[0] for line in LINES for before, word in pairwise(line) if before == "--out"}
    assert written >= {"runs", "report", "report-demo", "studies"}
    assert not written - ignored


def test_a_container_has_room_for_processes_that_read_data():
    lines = [line for page in PAGES.values() for line in page.splitlines() if line.startswith("docker run")]
    assert lines
    for line in lines:
        assert "--shm-size" in line or "demo" in line


@pytest.mark.parametrize(
    ("page", "after"), [("README.md", "Validation (Ses01M)"), ("docs/guide/studies.md", "trial   5")]
)
def test_numbers_of_another_processor_are_said_to_differ(page, after):
    """In the paragraph after the numbers of the demo and of its study."""
    text = (ROOT / page).read_text(encoding="utf-8").split(after)[1].split("```")[1]
    assert "another processor" in text.split("\n\n")[1]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, tiny_corpus, tiny_release):
    """A folder without `conf`, with the tiny corpus in place of those of the demo, of its study and of the user.

    The user's tables are those of `docs/guide/own-corpus.md`.
    """
    from benchmarks.short_corpus import UTTERANCES_PER_SPEAKER, shorten
    from ser.data import Synthetic

    place = tmp_path_factory.mktemp("readme")
    for name in ("demo", "small", "mine"):
        shutil.copytree(tiny_corpus, place / "data" / name)
    Synthetic(str(place / "data" / "other"), UTTERANCES_PER_SPEAKER, seed=2).prepare()
    shorten(sorted((place / "data" / "other").rglob("[!.]*.wav")), TINY_SECONDS)
    page = PAGES[ROOT / "docs" / "guide" / "own-corpus.md"]
    [tables], [options] = (re.findall(rf"```{language}\n(.*?)```", page, flags=re.S) for language in ("python", "yaml"))
    subprocess.run([sys.executable, "-c", tables], cwd=place, check=True)
    for name in ("mine", "other"):
        (place / f"{name}.yaml").write_text(options.replace("mine", name))
    write_recordings(place)
    utterances = [Path(line.split(",")[0]).stem for line in (place / "mine.csv").read_text().splitlines()[1:]]
    sets = {"Ses04": "dev", "Ses05": "test"}
    lines = ["utterance,set", *(f"{name},{sets.get(name[:5], 'train')}" for name in utterances)]
    (place / "official.csv").write_text("\n".join(lines) + "\n")
    return place


def write_recordings(place):
    """The user's own recordings: a stereo WAV at 44.1 kHz, a FLAC, and copies in a folder."""
    random = np.random.default_rng(1)
    for name, seconds in (("call.wav", 1), ("interview.flac", 2), ("meeting.wav", 4)):
        soundfile.write(place / name, random.normal(0, 0.1, (44_100 * seconds, 2)), 44_100)
    (place / "recordings").mkdir()
    for name in ("call.wav", "interview.flac"):
        shutil.copy(place / name, place / "recordings" / name)


def fit_in_little_time(words):
    """The words of a command, with few utterances, one epoch, one fold and no tracking."""
    if words[:2] == ["corpus", "synth"]:
        return [*words, "--utterances-per-speaker", "8"]
    if words[0] == "transfer":
        return [*words, "--wandb.mode", "disabled"]
    if words[0] == "sweep" and "lambda" in words:
        return [*words, "--folds", "1"]
    small = ["--trainer.max_epochs", "1"]
    small += [] if "emodb" in words else map(str, TINY_SEGMENTS)  # real recordings are longer
    if words[0] == "sweep" or "ser.data.Synthetic" in words:
        small += ["--data.corpus.utterances_per_speaker", "8"]
    if words[0] == "sweep":
        return [*words, *small]
    words = [
        {"5": "1"}.get(word, word) if before == "--epochs-averaged" else word for before, word in pairwise(["", *words])
    ]
    return [*words, *small, "--wandb.mode", "disabled", *(["--folds", "1"] if words[0] == "crossval" else [])]


def one_sentence_of_emodb(place):
    """A folder with one EMO-DB sentence by four speakers of two sessions; also makes its copies with silence."""
    from benchmarks import silence

    folder = place / "emodb" / "wav"
    if not folder.exists():
        folder.mkdir(parents=True)
        for speaker in ("03", "08", "10", "09"):
            for recording in sorted(Path(os.environ["EMODB_ROOT"]).glob(f"{speaker}b03*.wav")):
                (folder / recording.name).symlink_to(recording.resolve())
        silence.main(folder, place / "copies")
    return folder


def lines_that_make(words):
    """The commands whose results a command reads."""
    read = [word for before, word in pairwise(words) if before != "--out"]
    read += ["studies/demo"] if words[:2] in (["sweep", "status"], ["sweep", "report"]) else []
    made = {line[-1]: line for line in LINES if line[-2:-1] == ("--out",) and "/" in line[-1]}
    return [line for place, line in made.items() if any(word == place or word.startswith(f"{place}/") for word in read)]


@pytest.mark.parametrize(
    "line", [*OF_README, *(pytest.param(line, marks=pytest.mark.slow) for line in LINES if line not in OF_README)]
)
def test_line(line, ser, tiny_release, workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    words = [word.replace(".../IEMOCAP_full_release", str(tiny_release)) for word in line[1:]]
    if ".../emodb/wav" in line:
        if not os.environ.get("EMODB_ROOT"):
            pytest.skip("EMODB_ROOT is not set")
        words = [word.replace(".../emodb/wav", str(one_sentence_of_emodb(workplace))) for word in words]
    if "--trainer.devices" in words:
        pytest.skip("needs two devices; tests/slow/test_two_processes.py trains in two processes")
    if "--submit" in words:
        pytest.skip("needs a cluster; tests/slow/cluster starts one")
    if words[0] == "dashboard":
        pytest.skip("needs an account; tests/slow/faults/test_views_at_server.py and tests/commands/test_dashboard.py")
    if {"runs/emodb-one", "runs/emodb-groups"} & {*words}:
        pytest.skip("needs all folds of all of EMO-DB, which take half an hour")
    if words[0] == "fit" and "demo" in words:
        pytest.skip("the demo takes minutes; tests/slow/test_learning.py runs it and checks its UA")
    if words[0] == "sweep" and not {"demo", "lambda"} & {*words}:
        pytest.skip("a study of five folds takes hours; tests/commands/sweep checks its file and runs smaller ones")
    if any(word.startswith("runs/FOLDER/") for word in words):
        folder = workplace / "runs" / "FOLDER"
        if not folder.exists():
            options = ["--data.corpus.root", tiny_release, "--out", folder]
            assert ser(*fit_in_little_time(["fit", "--config", "gru_seqcap"]), *options).code == 0
    for needed in lines_that_make(words):
        if not (workplace / needed[-1]).is_file() and not list((workplace / needed[-1]).glob("*.csv")):
            test_line(needed, ser, tiny_release, workplace, monkeypatch)
    if words[0] == "transfer" and "--out" in words:
        shutil.rmtree(words[-1], ignore_errors=True)  # made for another line
    elif words[:2] == ["corpus", "manifest"]:
        Path(words[-1]).unlink(missing_ok=True)
    takes_time = words[0] in ("fit", "crossval", "sweep", "transfer") or words[:2] == ["corpus", "synth"]
    finished = ser(*(fit_in_little_time(words) if takes_time and words[1] != "status" else words))
    assert finished.code == 0, finished.err
    assert finished.out.strip()
