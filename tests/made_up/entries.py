"""Results for a report, from given or simulated tables, without files."""

from itertools import product
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd

from ser.report.page.drawing import Drawing
from ser.report.reported_results import Entry, Run, printed_name
from ser.results.pooled import pool
from ser.results.pooled_result import Pooled
from tests.made_up.results import dialogs_corpus, speakers_corpus, split, table_of


def entry(predictions, title="ours", *, validated=None, averaged=None, last_epochs=0, runs=(), intervals=None, **about):
    """A result with these predictions; `averaged`: tables of the averaged epochs; `about`: entries of `result.json`."""
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


def made_up(system, title=None, *, skill=1.5, halves=None, corpus="emodb", seeds=(1,), folds=None, random=1, **about):
    """A result with simulated posteriors for ten speakers, for the paper's dialogs (`halves`), or for `utterances`."""
    generator = np.random.default_rng([random, len(system), sum(map(ord, system))])
    utterances = about.pop("utterances", None)
    if utterances is None:
        utterances = dialogs_corpus() if halves else speakers_corpus()
    protocol, num_folds = ("wu2019", 5) if halves else ("speaker", 10)
    found = {"test": {}, "val": {}}
    for run in product(seeds, folds or range(1, num_folds + 1)):
        sets = split(utterances, protocol, run[1], halves)
        for name, tables in found.items():
            tables[run] = table_of(sets[name], system, skill, generator)
    about = {"system": system, "corpus": corpus, "protocol": protocol, "test_halves": halves, **about}
    tables = [pool(tables) for tables in found.values()]
    return entry(tables[0], title or printed_name(system), validated=tables[1], **{"num_folds": num_folds, **about})


def run(fold, seed=1, epoch=1, losses=(1.0,), was=(0.5,), **about):
    """One fold of a result, with these curves."""
    curves = pd.DataFrame({"epoch": range(1, len(losses) + 1), "train_loss": losses, "val_wa": was})
    return Run({"fold": fold, "seed": seed, "epoch": epoch, **about}, about.get("details", {}), curves)


def drawn(draw, *given):
    """The matplotlib figure that a drawing function of a report draws."""
    with patch.object(Drawing, "picture", lambda drawing, *about: drawing.figure):
        return draw(*given)
