"""Complete simulated folders of `ser crossval`, with random posteriors."""

import json

import numpy as np
import pandas as pd

from ser.emotions import PAPER_EMOTIONS
from ser.files import digest
from ser.results.paper import HALF_COUNTS
from ser.results.pooled import pool, summarise
from ser.results.predictions import posterior_columns, scores
from ser.results.reading import AVERAGED_TABLES, TABLES

BRANCHES = {
    **{"CNNGRU": ["gru"], "CNNLSTM": ["lstm"], "CNNSeqCap": ["capsule"], "CNNRecCap": ["capsule"]},
    "CNNGRUSeqCap": ["capsule", "gru"],
}
PAIRS = [("03", "08"), ("10", "09"), ("11", "13"), ("12", "14"), ("15", "16")]
LAMBDA = 0.6
OPTIONS = {
    **{
        "trainer.precision": None,
        "trainer.callbacks": None,
        "trainer.max_epochs": 20,
        "trainer.gradient_clip_val": None,
    },
    **{"model.dropout": 0.5, "model.learning_rate": 0.001, "learning_rate_rule.hold_epochs": 3, "init_weights": None},
    **{"data.corpus.class_path": "ser.data.EmoDB", "data.statistics": "train", "data.segment_seconds": 2.0},
    "data.batch_size": 16,
}
VERSIONS = {"ser": "0.1.0", "python": "3.11.7", "torch": "2.11.0"}


def speakers_corpus(emotions=PAPER_EMOTIONS):
    """Ten speakers in five sessions, 12 to 24 utterances each."""
    rows = []
    for session, pair in enumerate(PAIRS, start=1):
        for place, speaker in enumerate(sorted(pair)):
            for number in range(12 + 3 * place + 2 * session):
                emotion = emotions[number % len(emotions)]
                rows.append((f"{speaker}a{number:02d}{emotion[0].upper()}", speaker, str(session), emotion, "F"))
    return pd.DataFrame(rows, columns=["utterance", "speaker", "session", "emotion", "dialog_half"])


def dialogs_corpus():
    """Improvised utterances with IEMOCAP's number of each emotion in each dialog half."""
    rows = []
    for half, sessions in HALF_COUNTS.items():
        for session, counts in enumerate(sessions, start=1):
            emotions = np.repeat(PAPER_EMOTIONS, counts)
            for number, emotion in enumerate(emotions):
                who = "FM"[number % 2]
                name = f"Ses{session:02d}{half}_impro01_{who}{number:03d}"
                rows.append((name, f"Ses{session:02d}{who}", str(session), emotion, half))
    return pd.DataFrame(rows, columns=["utterance", "speaker", "session", "emotion", "dialog_half"])


def posteriors_of(utterances, system, skill, generator, emotions):
    """Plausible posteriors of a system: better than chance by `skill`, some speakers harder than others."""
    actual = np.eye(len(emotions))[[emotions.index(emotion) for emotion in utterances.emotion]]
    ease = utterances.speaker.map(lambda name: 0.6 + sum(map(ord, name)) % 5 / 5).to_numpy()[:, None]
    found = {}
    for branch in BRANCHES[system]:
        evidence = np.exp(skill * ease * actual + generator.normal(size=actual.shape))
        found[branch] = evidence / evidence.sum(axis=1, keepdims=True)
    parts = list(found.values())
    system_posterior = LAMBDA * parts[0] + (1 - LAMBDA) * parts[1] if len(parts) == 2 else parts[0]
    return {"": system_posterior, **found}


def table_of(utterances, system, skill, generator, emotions=PAPER_EMOTIONS):
    posteriors = posteriors_of(utterances, system, skill, generator, emotions)
    table = utterances[["utterance", "speaker", "session"]].reset_index(drop=True)
    table["fold"] = 0
    table["emotion"] = utterances.emotion.to_numpy()
    table["predicted"] = [emotions[place] for place in posteriors[""].argmax(axis=1)]
    for branch, values in posteriors.items():
        table[posterior_columns(emotions, branch)] = values
    return table


def make_curves(epochs, generator):
    """The table of a metrics.csv, one row per epoch."""
    rows = []
    for epoch in range(epochs):
        ease = 1 - np.exp(-(epoch + 1) / 6)
        accuracy = 0.3 + 0.5 * ease + 0.05 * generator.normal()
        rows.append(
            {
                "epoch": epoch + 1,
                "step": 44 * (epoch + 1),
                "rate": 0.001,
                "train/loss": 1.4 - 1.2 * ease,
                "val/loss": 1.4 - ease,
                "val/wa": accuracy,
                "val/ua": accuracy,
            }
        )
    return pd.DataFrame(rows)


def split(corpus, protocol, fold, halves):
    """Training, validation and test rows of a fold."""
    session = (fold - 1) % 5 + 1
    held_out = corpus.session == str(session)
    if protocol == "speaker":
        people = sorted(corpus.speaker[held_out].unique())
        tested = held_out & (corpus.speaker == people[(fold - 1) // 5])
    else:
        tested = held_out & (corpus.dialog_half == halves[session - 1])
    return {"train": corpus[~held_out], "val": corpus[held_out & ~tested], "test": corpus[tested]}


def make_result(
    folder,
    system,
    *,
    skill=1.5,
    protocol="speaker",
    halves=None,
    corpus="emodb",
    seeds=(1,),
    folds=None,
    averaged=0,
    random=1,
    emotions=PAPER_EMOTIONS,
    **about_it,
):
    """Write the folder of a finished `ser crossval`; `about_it` overrides its `result.json`."""
    generator = np.random.default_rng([random, len(system), sum(map(ord, system))])
    utterances = dialogs_corpus() if protocol == "wu2019" else speakers_corpus(emotions)
    num_folds = 10 if protocol == "speaker" else 5
    folds, epochs = folds or list(range(1, num_folds + 1)), 20
    folder.mkdir(parents=True)
    found = {"test": {}, "val": {}}
    mean = {"test": {}, "val": {}}
    runs = []
    for seed in seeds:
        for fold in folds:
            sets = split(utterances, protocol, fold, halves)
            for name in ("test", "val"):
                found[name][seed, fold] = table_of(sets[name], system, skill, generator, emotions)
                mean[name][seed, fold] = table_of(sets[name], system, skill + 0.3, generator, emotions)
            people = {name: [f"{corpus}:{who}" for who in sorted(part.speaker.unique())] for name, part in sets.items()}
            run = folder / f"seed{seed}-fold{fold:02d}"
            run.mkdir()
            curves = make_curves(epochs, generator)
            curves.to_csv(run / "metrics.csv", index=False)
            counts = {
                name: {emotion: int((part.emotion == emotion).sum()) for emotion in emotions}
                for name, part in sets.items()
            }
            details = {"system": system, "corpus": corpus, "fold": fold, "seed": seed, "counts": counts}
            details |= {"validation": None, "digests": {}}
            (run / "result.json").write_text(json.dumps(details), encoding="utf-8")
            tested = scores(found["test"][seed, fold])
            validated = scores(found["val"][seed, fold])
            best = int(curves["val/wa"].argmax()) + 1
            runs.append(
                {
                    "seed": seed,
                    "fold": fold,
                    "folder": run.name,
                    "epoch": best,
                    "wa": tested["wa"],
                    "ua": tested["ua"],
                    "utterances": tested["utterances"],
                    "validation": {"wa": validated["wa"], "ua": validated["ua"]},
                    "speakers": people,
                    "train_segments": 2 * len(sets["train"]),
                    "tails_left_out": 11,
                }
            )
    tables = {name: pool(parts) for name, parts in found.items()}
    for name, table in tables.items():
        table.to_csv(folder / TABLES[name], index=False)
    files = [*TABLES.values()]
    if averaged:
        for name, parts in mean.items():
            pool(parts).to_csv(folder / AVERAGED_TABLES[name], index=False)
        files += AVERAGED_TABLES.values()
    both = sorted(utterances.speaker.unique()) if protocol == "wu2019" else []
    about = {
        "kind": "crossval",
        "system": system,
        "corpus": corpus,
        "protocol": protocol,
        "test_halves": halves,
        "statistics": "train",
        "folds": folds,
        "num_folds": num_folds,
        "seeds": list(seeds),
        "epochs": epochs,
        **summarise(tables["test"], tables["val"]),
        "runs": runs,
        "averaged": {"epochs": averaged} if averaged else None,
        "lambda": LAMBDA if len(BRANCHES[system]) == 2 else None,
        "shared": {"speakers": both, "dialogs": [], "utterances": [], "recordings": []},
        "model": {"dropout": 0.5, "learning_rate": 0.001},
        "options": {**OPTIONS, "model.class_path": f"ser.systems.{system}", "data.protocol": protocol},
        "defaults": {"trainer.max_epochs": None},
        "command": f"ser crossval --config conf/{system}.yaml --out {folder.name}",
        "versions": VERSIONS,
        "corpus_digest": "c0ffee0123456789",
        "code_digest": "0123456789c0ffee",
        "commit": "abc123",
        "digests": {name: digest(folder / name) for name in files},
        **about_it,
    }
    (folder / "config.yaml").write_text("seed_everything: 1\n", encoding="utf-8")
    (folder / "result.json").write_text(json.dumps(about), encoding="utf-8")
    return folder
