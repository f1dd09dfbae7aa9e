"""A page of `ser compare`, read back, and runs of every kind."""

import json
import shutil

import pytest

from ser.commands.compare import main
from tests.made_up.html_page import Page
from tests.made_up.results import make_result
from tests.made_up.runs import make_run, make_trials
from tests.made_up.transfers import make_transfer


class Compared:
    """A page of `ser compare`, read back."""

    def __init__(self, out):
        self.out = out
        self.text = (out / "index.html").read_text(encoding="utf-8")
        self.page = Page(self.text)
        self.about = json.loads((out / "compare.json").read_text(encoding="utf-8"))
        groups = 1 if "" in self.page.tables["runs"][0] else 0
        self.heads, *self.rows = self.page.tables["runs"][groups:]

    def run(self, name):
        """The cells of a run's row by heading; of two equal headings (WA), the last."""
        (row,) = [row for row in self.rows if row[0] == name]
        return dict(zip(self.heads, row, strict=True))


@pytest.fixture
def compare(tmp_path, monkeypatch, capsys):
    """Compare folders of `tmp_path` from there, with what was printed as `.printed`."""
    monkeypatch.chdir(tmp_path)

    def run(*folders, out="compare"):
        assert main([*map(str, folders), *(["--out", out] if out != "compare" else [])]) == 0
        found = Compared(tmp_path / out)
        found.printed = capsys.readouterr().out
        return found

    return run


@pytest.fixture(scope="session")
def every_kind(made_once):
    """A folder with runs of every command, finished or not."""

    def make(place):
        runs = place / "runs"
        make_run(runs / "fit")
        make_run(runs / "more dropout", dropout=0.7, random=2)
        make_run(runs / "other speaker", speaker="08")
        make_run(runs / "begun", state="unfinished", epochs=3)
        make_result(runs / "cv", "CNNSeqCap", folds=[1, 2])
        make_result(runs / "cv2", "CNNRecCap", folds=[1, 2])
        make_run(runs / "cut" / "seed1-fold01")
        make_run(runs / "cut" / "seed1-fold02", state="unfinished", epochs=1)
        for name in ("config.yaml", "identity.json"):
            shutil.copy(runs / "fit" / name, runs / "cut" / name)
        make_transfer(runs / "emodb-on-nemo", "CNNSeqCap")
        make_trials(place / "studies" / "dropout")

    return made_once("every-kind", make)
