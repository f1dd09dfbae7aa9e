"""Finished trainings: the results and the best checkpoints of a run or a cross-validation."""

from pathlib import Path

from ser.checkpoint.reading import read_checkpoint
from ser.errors import InputError
from ser.results.pooled_result import PooledRun
from ser.results.reading import read_about
from ser.results.records import Filled, Record, check_record
from ser.systems.lineage import entries

BEST = Path("checkpoints") / "best.ckpt"
ALIKE = ("system", "hyper_parameters", "standardised_by", "trim_silence")  # entries equal in all folds
Key = tuple[int, int]  # seed and fold


class TrainedRun(PooledRun):
    """A run, and its folder within that of the cross-validation."""

    folder: str


class Trained(Record):
    """The entries of a training's `result.json` that its test on another corpus needs."""

    system: str
    corpus: str
    protocol: str
    epochs: int
    runs: Filled[TrainedRun]
    leaks: list[str] | None = None
    corpus_digest: str | None = None


def read_trained(folder: Path) -> dict:
    """The `result.json` of a run or a cross-validation; its entry `runs` lists a single run as well.

    Raises:
        InputError: if it is neither, or is not finished.
    """
    about = read_about(folder)
    if about.get("kind", "crossval") != "crossval" or not about.get("epochs"):
        raise InputError(f"{folder}: not a training; give the folder of a `ser fit` or `ser crossval`")
    if "kind" not in about:
        about["runs"] = [{"folder": ".", **{name: about.get(name) for name in ("seed", "fold")}}]
    check_record(Trained, about, folder / "result.json")
    return about


def read_checkpoints(folder: Path, about: dict) -> dict[Key, tuple[Path, dict]]:
    """Path and contents of the best checkpoint of every seed and fold.

    Args:
        about: the training's `result.json`.

    Raises:
        InputError: if a checkpoint is missing, of another training, or unlike the others.
    """
    paths = {(run["seed"], run["fold"]): folder / run["folder"] / BEST for run in about["runs"]}
    if missing := [path for path in paths.values() if not path.is_file()]:
        raise InputError(f"{missing[0]}: missing; the weights are needed")
    found = {key: (path, read_checkpoint(path)) for key, path in paths.items()}
    first_path, first = next(iter(found.values()))
    for (_, fold), (path, checkpoint) in found.items():
        known = {**entries(checkpoint)["trained_on"], "system": checkpoint["system"]}
        wanted = {"fold": fold, **{name: about.get(name) for name in ("system", "corpus_digest")}}
        for name, value in wanted.items():
            if None not in (known[name], value) and known[name] != value:
                raise InputError(
                    f"{path} is of another training: its {name} is {known[name]}, in {folder}/result.json it is {value}"
                )
        if unlike := [name for name in ALIKE if checkpoint.get(name) != first.get(name)]:
            raise InputError(f"{path} and {first_path} are not of one cross-validation: they differ in {unlike[0]}")
    return found
