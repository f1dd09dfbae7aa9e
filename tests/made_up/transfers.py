"""Complete simulated folders of `ser transfer`, with random posteriors."""

import json
from itertools import product

import numpy as np
import pandas as pd

from ser.emotions import PAPER_EMOTIONS
from ser.files import digest
from ser.results.predictions import posterior_columns
from ser.results.transferred import EACH, restrict, summarise_transfer
from tests.made_up.results import BRANCHES, VERSIONS, speakers_corpus, table_of

DIGESTS = {"emodb": "e0d0b00000000000", "nemo": "4e30000000000000", "ravdess": "7a4de55000000000"}


def pooled_posterior(tables):
    """The table with the mean posteriors of several tables of the same utterances."""
    mean = tables[0].copy()
    for column in [name for name in mean if "p_" in name]:
        mean[column] = sum(table[column] for table in tables) / len(tables)
    posterior = mean[posterior_columns(PAPER_EMOTIONS)].to_numpy()
    return mean.assign(predicted=[PAPER_EMOTIONS[place] for place in posterior.argmax(axis=1)])


def make_transfer(
    folder,
    system,
    trained="emodb",
    tested="nemo",
    *,
    emotions=PAPER_EMOTIONS,
    skill=0.8,
    seeds=(1,),
    folds=(1, 2, 3),
    random=1,
    source=(),
    **about_it,
):
    """Write the folder of a `ser transfer`; `source` overrides `trained_on`, `about_it` the rest of `result.json`."""
    generator = np.random.default_rng([random, *map(ord, trained + tested + system)])
    utterances = speakers_corpus()
    utterances = utterances[utterances.emotion.isin(emotions)]
    tables = {run: table_of(utterances, system, skill, generator) for run in product(seeds, folds)}
    mean = restrict(pooled_posterior(list(tables.values())), emotions)
    each = [restrict(table, emotions).assign(seed=seed, fold=fold) for (seed, fold), table in tables.items()]
    each = pd.concat(each, ignore_index=True)
    folder.mkdir(parents=True)
    mean.to_csv(folder / "predictions.csv", index=False)
    each.to_csv(folder / EACH, index=False)
    about = {
        "kind": "transfer",
        "system": system,
        "corpus": tested,
        "protocol": "whole",
        "trained_on": {
            **{"folder": f"{trained}-{system}", "corpus": trained, "protocol": "speaker", "folds": list(folds)},
            **{"seeds": list(seeds), "emotions": PAPER_EMOTIONS, "statistics": "train", "trim_silence": None},
            **{"corpus_digest": DIGESTS[trained], "code_digest": "0123456789c0ffee", "leaks": []},
            **dict(source),
        },
        "left_out": {"bored": 81},
        "merge": {},
        **summarise_transfer(mean, each, PAPER_EMOTIONS),
        "validation": None,
        "lambda": 0.6 if len(BRANCHES[system]) == 2 else None,
        "model": {"dropout": 0.5},
        "corpus_digest": f"{DIGESTS[tested][:12]}{len(emotions):04d}" if len(emotions) < 4 else DIGESTS[tested],
        "warnings": [],
        "command": f"ser transfer runs/{trained} --data.corpus.csv {tested}.csv --out {folder.name}",
        "code_digest": "0123456789c0ffee",
        "commit": "abc123",
        "versions": VERSIONS,
        "digests": {name: digest(folder / name) for name in ("predictions.csv", EACH)},
        **about_it,
    }
    (folder / "result.json").write_text(json.dumps(about), encoding="utf-8")
    return folder
