"""Every `ser` line of the README runs, on the built-in corpus in place of a licensed one."""

import os
import re
import shlex
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import TINY_SEGMENTS

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
LINES = [
    line[line.index("ser ") :]
    for block in re.findall(r"```bash\n(.*?)```", README, flags=re.S)
    for line in block.splitlines()
    if re.match(r"(pip install .*&& )?ser ", line)
]


def test_there_are_lines_to_test():
    assert len(LINES) >= 8


def test_what_the_lines_write_is_ignored_by_git():
    ignored = {line.strip("/") for line in (Path(__file__).parents[1] / ".gitignore").read_text().splitlines()}
    written = {word.split("/")[0] for line in LINES for before, word in pairwise(line.split()) if before == "--out"}
    assert written >= {"runs", "report", "report-demo", "studies"}
    assert not written - ignored


def test_a_container_has_room_for_processes_that_read_data():
    (line,) = [line for line in README.splitlines() if line.startswith("docker run")]
    assert "--shm-size" in line


@pytest.mark.parametrize("after", ["Validation (Ses01M)", "trial   5"])
def test_numbers_of_another_processor_are_said_to_differ(after):
    """Right behind the demo's numbers and those of its study."""
    text = README.split(after)[1].split("```")[1]
    assert "another processor" in text.split("\n\n")[1]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, tiny_corpus, tiny_release):
    """A folder with the configurations, the tiny corpus where the demo's study looks for its own, and a manifest."""
    from ser.data import IEMOCAP

    place = tmp_path_factory.mktemp("readme")
    for name in ("conf", "sweeps"):
        (place / name).symlink_to(Path(__file__).parents[1] / name)
    shutil.copytree(tiny_corpus, place / "data" / "small")
    IEMOCAP(str(tiny_release)).utterances().to_csv(place / "mine.csv", index=False)
    return place


def fit_in_little_time(words):
    """One epoch, one fold and no tracking; what a line says itself comes later and wins."""
    if words[0] == "sweep":
        least = ["--trainer.max_epochs", "1", "--data.corpus.utterances_per_speaker", "8"]
        return [*words, *least, *map(str, TINY_SEGMENTS)]
    words = [
        {"5": "1"}.get(word, word) if before == "--epochs-averaged" else word for before, word in pairwise(["", *words])
    ]
    little = ["--trainer.max_epochs", "1", "--wandb.mode", "disabled"]
    segments = [] if "conf/emodb.yaml" in words else map(str, TINY_SEGMENTS)  # real recordings are longer
    return [*words, *little, *segments, *(["--folds", "1"] if words[0] == "crossval" else [])]


def one_sentence_of_emodb(place):
    """What all ten speakers say of one of EMO-DB's ten sentences: real speech, an eighth of it."""
    folder = place / "emodb" / "wav"
    if not folder.exists():
        folder.mkdir(parents=True)
        for recording in sorted(Path(os.environ["EMODB_ROOT"]).glob("??a05*.wav")):
            (folder / recording.name).symlink_to(recording.resolve())
    return folder


def lines_that_make(words):
    """The lines whose results a line reads."""
    folders = [word for word in words if word.startswith("runs/")] if words[0] in ("report", "lambda") else []
    folders += ["studies/demo"] if words[:2] in (["sweep", "status"], ["sweep", "report"]) else []
    return [line for line in LINES for folder in folders if line.endswith(f"--out {folder}")]


@pytest.mark.parametrize("line", LINES)
def test_line(line, ser, tiny_release, workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    words = shlex.split(line.replace(".../IEMOCAP_full_release", str(tiny_release)), comments=True)[1:]
    if ".../emodb/wav" in line:
        if not os.environ.get("EMODB_ROOT"):
            pytest.skip("EMODB_ROOT is not set")
        words = [word.replace(".../emodb/wav", str(one_sentence_of_emodb(workplace))) for word in words]
    if "--trainer.devices" in words:
        pytest.skip("two devices: test_cli.py trains on two processes")
    if "conf/demo.yaml" in words:
        pytest.skip("the demo takes minutes: test_learning.py runs it and checks what it reaches")
    if words[0] == "sweep" and "sweeps/demo.yaml" not in words:
        pytest.skip("a study of five folds takes hours: tests/commands/sweep/ checks these files and runs smaller ones")
    if any(word.startswith("runs/FOLDER/") for word in words):
        folder = workplace / "runs" / "FOLDER"
        if not folder.exists():
            options = ["--data.corpus.root", tiny_release, "--out", folder]
            assert ser(*fit_in_little_time(["fit", "--config", "conf/gru_seqcap.yaml"]), *options).code == 0
    for needed in lines_that_make(words):
        if not list((workplace / needed.split()[-1]).glob("*.csv")):
            test_line(needed, ser, tiny_release, workplace, monkeypatch)
    trains = words[0] in ("fit", "crossval") or (words[0] == "sweep" and words[1] != "status")
    finished = ser(*(fit_in_little_time(words) if trains else words))
    assert finished.code == 0, finished.err
    assert finished.out.strip()
