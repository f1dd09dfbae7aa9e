"""Fixtures: a release to split, a copy of it that a test can change, and split files."""

from __future__ import annotations

import shutil

import pytest

from ser.commands.protocol import main
from ser.data import IEMOCAP


@pytest.fixture
def protocol(capsys):
    """Run `ser protocol ARGUMENTS`; return the exit code and the lines on standard output."""

    def run(*arguments):
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return code, capsys.readouterr().out.splitlines()

    return run


@pytest.fixture(scope="module")
def corpus(tiny_release):
    return ["--data.corpus.root", tiny_release]


@pytest.fixture
def own_release(tiny_release, tmp_path):
    return shutil.copytree(tiny_release, tmp_path / "IEMOCAP_full_release")


@pytest.fixture
def split_file(tiny_release, tmp_path):
    """Write a split of the tiny release by a rule: row of the table -> set, or None to leave it out."""

    def write(rule, name="mine.csv"):
        table = IEMOCAP(str(tiny_release)).utterances()
        sets = [rule(row) for row in table.itertuples()]
        path = tmp_path / name
        table.assign(set=sets).dropna(subset="set")[["utterance", "set"]].to_csv(path, index=False)
        return path

    return write
