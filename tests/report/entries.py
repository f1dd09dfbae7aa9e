"""Results as a report sees them, made from given tables: no file is read and nothing is drawn at random."""

from pathlib import Path

import pandas as pd
import pytest

from ser.pooled import Pooled
from ser.report.entries import Entry, Run
from ser.report.figures import Drawing


def entry(predictions, title="ours", *, validated=None, averaged=None, last_epochs=0, runs=(), intervals=None, **about):
    """A result with these predictions; `averaged` are tables of the last epochs, `about` entries of `result.json`."""
    folds, seeds = (sorted(map(int, predictions[name].unique())) for name in ("fold", "seed"))
    about = {
        **{"system": "CNNSeqCap", "corpus": "emodb", "protocol": "speaker", "test_halves": None, "statistics": "train"},
        **{"folds": folds, "num_folds": len(folds), "seeds": seeds, "epochs": 20, "lambda": None},
        "averaged": {"epochs": last_epochs} if averaged else None,
        **{"options": {}, "model": {}, "shared": {}, "command": "ser crossval", "versions": {}, "commit": None},
        "validation": {"wa": 0.5, "ua": 0.5},
        **about,
    }
    tables = (predictions, predictions if validated is None else validated, averaged or {})
    made = Entry(title, title, title, Pooled(Path(title), about, *tables), list(runs))
    if intervals:
        vars(made)["intervals"] = {"redrawn": 0, **intervals}
    return made


def run(fold, seed=1, epoch=1, losses=(1.0,), was=(0.5,), **about):
    """One fold of a result with these curves."""
    curves = pd.DataFrame({"epoch": range(1, len(losses) + 1), "train_loss": losses, "val_wa": was})
    return Run({"fold": fold, "seed": seed, "epoch": epoch, **about}, about.get("details", {}), curves)


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are drawn; none is rendered."""
    found = []
    monkeypatch.setattr(Drawing, "picture", lambda self, name, title, alt: found.append(self.figure))
    return found
