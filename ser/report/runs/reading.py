"""Read one run for `ser compare`: the files that are there, and a line for each that cannot be read."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import yaml

from ser.errors import InputError
from ser.report.runs.compared_run import ComparedRun
from ser.report.runs.finding import Place
from ser.results.curves import epoch_curves
from ser.results.identity import FREE, IDENTITY, flatten, read_identity
from ser.results.predictions import scores
from ser.results.reading import SAME, TABLES, read_about, read_table
from ser.results.records import Record, check_record, read_record
from ser.results.test_sets import describe_test_set

T = TypeVar("T")


class Scored(Record):
    """Scores of a set; the matrix is in the order of the recalls."""

    wa: float
    ua: float
    recall: dict[str, float | None] | None = None
    confusion: list[list[int]] | None = None


class Entries(Record):
    """The entries of any `result.json` that the page shows, all of which may be absent."""

    kind: str | None = None
    system: str | None = None
    corpus: str | None = None
    protocol: str | None = None
    test_halves: str | None = None
    fold: int | None = None
    folds: list[int] | None = None
    fold_name: str | None = None
    num_folds: int | None = None
    seed: int | None = None
    seeds: list[int] | None = None
    epoch: int | None = None
    epochs: int | None = None
    wa: float | None = None
    ua: float | None = None
    validation: Scored | None = None
    leaks: list[str] | None = None
    warnings: list[str] | None = None
    model: dict | None = None
    options: dict | None = None
    trained_on: dict | None = None
    corpus_digest: str | None = None
    code_digest: str | None = None
    versions: dict[str, str] | None = None
    command: str | None = None


def read_run(place: Place) -> ComparedRun:
    """Read what is in a run's folder; nothing is refused."""
    run = ComparedRun(place)
    attempt = _attempts(run)
    try:
        files = run.files
    except OSError as error:
        run.problems.append(f"cannot be read: {error.strerror}")
        return run
    if "result.json" in files:
        run.about = attempt(lambda: _read_about(place.folder)) or {}
    if run.about and (table := attempt(lambda: _read_predictions(place.folder, run.about))) is not None:
        run.test, run.test_set = table
    if "metrics.csv" in files:
        run.curves = attempt(lambda: _read_curves(place.folder / "metrics.csv", run.about.get("epochs")))
    config = (attempt(lambda: _read_config(place.folder / "config.yaml")) if "config.yaml" in files else None) or {}
    tags = config.get("wandb.tags") or []
    run.tags = [str(tag) for tag in (tags if isinstance(tags, list) else [tags])]
    run.corpus_named = _corpus(config)
    run.config = _options(run, config, attempt)
    run.origin = _origin(run, attempt)
    return run


def _attempts(run: ComparedRun) -> Callable[[Callable[[], T]], T | None]:
    """A function that calls another, and notes in `run.problems` why that failed."""

    def attempt(read: Callable[[], T]) -> T | None:
        try:
            return read()
        except InputError as error:
            run.problems.append(str(error).replace(f"{run.place.folder}/", ""))
        except OSError as error:
            run.problems.append(f"{Path(error.filename or '').name}: {error.strerror}")
        return None

    return attempt


def _read_about(folder: Path) -> dict:
    about = read_about(folder)
    check_record(Entries, about, folder / "result.json")
    return about


def _read_predictions(folder: Path, about: dict) -> tuple[dict, dict] | None:
    """Scores and test set of a result, which must be those of its table; None if it was not tested."""
    if about.get("wa") is None:
        return None
    table = read_table(folder / TABLES["test"])
    found = scores(table)
    for name in ("wa", "ua"):
        if about.get(name) is None or not abs(found[name] - about[name]) <= SAME:  # nor equal if it is NaN
            raise InputError(f"result.json: {name} is {about.get(name)}, but {TABLES['test']} gives {found[name]}")
    return found, describe_test_set(table)


def _read_curves(path: Path, epochs: int | None) -> pd.DataFrame | None:
    try:
        metrics = pd.read_csv(path)
        found = epoch_curves(metrics, epochs or int(metrics.epoch.max()) + 1)
    except (ValueError, KeyError, AttributeError, OverflowError) as error:
        raise InputError(f"{path.name}: not the scores of epochs ({' '.join(str(error).split())})") from error
    return None if found.empty else found.replace([np.inf, -np.inf], np.nan)


def _read_config(path: Path) -> dict:
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        if not isinstance(found, dict):
            raise ValueError("no names with values")
        return flatten(found)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path.name}: not a configuration ({' '.join(str(error).split())})") from error


def _options(run: ComparedRun, config: dict, attempt: Callable) -> dict[str, object]:
    """Options by name, from the configuration, or from the result or the trial where there is none."""
    parameters = {}
    if run.place.is_of_trial and (path := run.place.folder.parent / "parameters.json").is_file():
        parameters = attempt(lambda: read_record(path)) or {}
    model = {f"model.{name}": value for name, value in (run.about.get("model") or {}).items()}
    found = {**parameters, **model, **(run.about.get("options") or {}), **config}
    return {str(name): value for name, value in found.items() if not str(name).startswith(FREE)}


def _corpus(config: dict) -> str:
    """A corpus of `ser` by its class, a CSV file by the name given to it or its own."""
    name, path = config.get("data.corpus.name"), config.get("data.corpus.csv")
    named = str(config.get("data.corpus.class_path") or "").rpartition(".")[2].lower()
    return str(name or (Path(str(path)).stem if path else named))


def _origin(run: ComparedRun, attempt: Callable) -> dict[str, str]:
    """Digests of corpus and code, and versions, from the result or, where there is none, the identity."""
    about, identity = run.about, {}
    if not about and IDENTITY in run.files:
        identity = attempt(lambda: read_identity(run.place.folder)) or {}
    digests = {name: about.get(f"{name}_digest") or identity.get(name) for name in ("corpus", "code")}
    versions = about.get("versions") or identity.get("versions") or {}
    found = {f"digest of the {name}": value for name, value in digests.items()}
    found |= {f"version of {name}": value for name, value in versions.items()}
    return {name: str(value) for name, value in found.items() if value}
