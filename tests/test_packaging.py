"""The installed package, with its configurations and studies."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FOLDERS, FILES = ("ser", "conf", "sweeps"), ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE")
BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"
STUDIES = """
from pathlib import Path
from ser.sweep.study.plan import read_plan
from ser.training.options.names import SWEEPS, names_in
for name in names_in(SWEEPS):
    print(name, *(Path(file).resolve() for file in read_plan(SWEEPS / f"{name}.yaml").config))
"""


def python(*words, folder, **environment):
    """Run Python in a folder; return its output."""
    done = subprocess.run(
        [sys.executable, *map(str, words)], cwd=folder, env=os.environ | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def build(what, sources, place):
    """Build an archive as pip does, with the installed setuptools; nothing is downloaded."""
    return place / python("-c", BUILD, what, place, folder=sources).split()[-1]


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """A source distribution, and the wheel that is built from it."""
    place = tmp_path_factory.mktemp("packaging")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, place / "sources" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, place / "sources")
    source = build("build_sdist", place / "sources", place)
    with tarfile.open(source) as archive:
        archive.extractall(place / "unpacked", filter="data")
    (unpacked,) = (place / "unpacked").iterdir()
    return source, build("build_wheel", unpacked, place)


@pytest.fixture
def installed(archives, tmp_path):
    """An empty folder, and an environment in which Python imports the wheel's `ser`."""
    with zipfile.ZipFile(archives[1]) as archive:
        archive.extractall(tmp_path / "site")
    (tmp_path / "empty").mkdir()
    return {"folder": tmp_path / "empty", "PYTHONPATH": str(tmp_path / "site")}


def test_the_wheel_holds_the_package_the_configurations_and_the_studies(archives):
    wanted = {path.relative_to(ROOT).as_posix() for path in (ROOT / "ser").rglob("*.py")}
    wanted |= {f"ser/{folder}/{path.name}" for folder in ("conf", "sweeps") for path in (ROOT / folder).iterdir()}
    names = zipfile.ZipFile(archives[1]).namelist()
    about = {name.rpartition("/")[2] for name in names if ".dist-info/" in name}
    assert {name for name in names if ".dist-info/" not in name} == wanted | {
        f"ser/report/page/{name}" for name in ("curves.html", "matrices.html", "page.html", "script.js", "style.css")
    }
    assert about == {"LICENSE", "METADATA", "WHEEL", "RECORD", "entry_points.txt", "top_level.txt"}


def test_the_source_distribution_holds_what_was_given_and_no_part_of_the_tests(archives):
    with tarfile.open(archives[0]) as archive:
        found = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert found == {*FOLDERS, *FILES, "PKG-INFO", "setup.cfg", "ser.egg-info"}


def test_the_image_is_built_from_what_the_context_holds():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = re.findall(r"^COPY (.*) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.M)
    copied = {name for names in copied for name in names.split()}
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == copied
    assert copied == {*FOLDERS, *FILES, "requirements.lock"} - {"MANIFEST.in"}, "what the wheel needs, and the lock"


def test_the_demo_is_configured_by_name_in_an_empty_folder(installed):
    words = ["fit", "--config", "reccap", "--config", "demo", "--print_config"]
    config = yaml.safe_load(python("-m", "ser", *words, **installed))
    assert config["model"]["class_path"] == "ser.systems.CNNRecCap"
    assert config["model"]["init_args"]["routing_iterations"] == 2, "from demo.yaml"
    assert config["trainer"]["num_sanity_val_steps"] == 0, "from trainer.yaml, which reccap.yaml names by its path"


def test_installed_studies_find_their_configurations(installed):
    site, found = Path(installed["PYTHONPATH"]).resolve(), {}
    for line in python("-c", STUDIES, **installed).splitlines():
        name, *files = line.split()
        found[name] = [Path(file) for file in files]
    assert set(found) == {path.stem for path in (ROOT / "sweeps").glob("*.yaml")}
    assert found["demo"] == [site / "ser" / "conf" / "seqcap.yaml", site / "ser" / "conf" / "demo.yaml"]
    assert all(file.is_file() for files in found.values() for file in files)
