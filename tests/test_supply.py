"""Pinned dependencies: `constraints.txt` and `requirements.lock` agree, and neither names a package index."""

import re
import tomllib
from functools import cache
from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
EXTRAS = [Requirement(text) for texts in PROJECT["project"]["optional-dependencies"].values() for text in texts]
BUILD = [Requirement(text) for text in PROJECT["build-system"]["requires"]]
CONSTRAINTS, LOCK = "constraints.txt", "requirements.lock"
PIN = re.compile(r"(?P<pin>[a-z0-9-]+==[^\s;]+(?: ; [^\\]+?)?)(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})*)")


def lines(name):
    """The lines of a file, with continuation lines joined."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.sub(r" *\\\n *", " ", text).splitlines()


@cache
def pins(name):
    """The requirements of a file, one per line, by package name."""
    found = {}
    for line in lines(name):
        pin = Requirement(PIN.fullmatch(line)["pin"])
        found.setdefault(canonicalize_name(pin.name), []).append(pin)
    return found


def version(pin):
    (specifier,) = pin.specifier
    return specifier.version


@cache
def chosen(name):
    """The pinned version of each package for this machine."""
    found = {}
    for package, alternatives in pins(name).items():
        versions = [version(pin) for pin in alternatives if pin.marker is None or pin.marker.evaluate()]
        assert len(versions) <= 1, f"{package}: {versions}"
        found.update((package, each) for each in versions)
    return found


@pytest.mark.parametrize("name", [CONSTRAINTS, LOCK])
def test_every_line_pins_one_version_and_nothing_else(name):
    """No address, option or path: the user chooses the package index at installation."""
    assert "://" not in (ROOT / name).read_text(encoding="utf-8")
    assert lines(name)
    for line in lines(name):
        assert PIN.fullmatch(line), line


def test_every_line_of_the_lock_has_a_hash():
    for line in lines(LOCK):
        assert PIN.fullmatch(line)["hashes"], line


def test_both_files_hold_the_same_versions():
    constraints, lock = pins(CONSTRAINTS), pins(LOCK)
    assert lock.keys() <= constraints.keys()
    for package, alternatives in lock.items():
        everywhere = {str(pin) for pin in constraints[package] if pin.marker is None}  # for an extra
        for pin in alternatives:
            assert f"{pin.name}{pin.specifier}" in everywhere or pin in constraints[package]
        assert {version(pin) for pin in alternatives} == {version(pin) for pin in constraints[package]}


@pytest.mark.parametrize(
    ("requirement", "files"),
    [(each, [CONSTRAINTS, LOCK]) for each in RUNTIME]
    + [(each, [CONSTRAINTS]) for each in EXTRAS]
    + [(each, [LOCK]) for each in BUILD],  # `pip install --no-deps --no-build-isolation .` uses it
    ids=lambda value: getattr(value, "name", ""),
)
def test_every_requirement_is_pinned_within_its_bound(requirement, files):
    for name in files:
        alternatives = pins(name)[canonicalize_name(requirement.name)]
        for pin in alternatives:
            assert requirement.specifier.contains(version(pin), prereleases=True), f"{name}: {pin}"
        assert canonicalize_name(requirement.name) in chosen(name), f"{name}: nothing for this machine"


def needs(package, extras):
    """The requirements of an installed package with these extras, on this machine."""
    for text in distribution(package).requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement


def test_the_lock_is_complete():
    """It contains exactly the requirements of the pinned packages, as far as they are installed here."""
    lock, looked_at = chosen(LOCK), set()
    installed = {canonicalize_name(each.name): each.version for each in distributions()}
    others = {package for package in lock if installed.get(package) != lock[package]}
    waiting = list(RUNTIME)
    while waiting:
        requirement = waiting.pop()
        package = canonicalize_name(requirement.name)
        assert package in lock, f"{requirement} is not in {LOCK}"
        if (key := (package, frozenset(requirement.extras))) not in looked_at:
            looked_at.add(key)
            waiting += [] if package in others else needs(package, requirement.extras)
    surplus = lock.keys() - {package for package, _ in looked_at}
    assert not surplus or others, "no pinned package requires these"


@pytest.mark.parametrize("name", ["README.md", "SECURITY.md"])
def test_who_reads_only_one_page_finds_the_command(name):
    command = "pip install --require-hashes -r requirements.lock && pip install --no-deps --no-build-isolation ."
    assert command in (ROOT / name).read_text(encoding="utf-8")


def test_the_container_takes_the_lock():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    installs = re.findall(r"^RUN pip install (.*)", text, flags=re.M)
    assert installs == [
        "--no-cache-dir --require-hashes -r requirements.lock",
        "--no-cache-dir --no-deps --no-build-isolation .",
    ]
    copied = re.findall(r"^COPY (?:--\S+ )?(.*) \S+$", text, flags=re.M)
    for path in " ".join(copied).split():
        assert (ROOT / path).exists(), path
