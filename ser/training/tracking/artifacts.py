"""Artifacts in W&B: checkpoint and tables of a run, linked to the corpus."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from lightning.pytorch.loggers import Logger

from ser.checkpoint.reading import read_checkpoint, write_checkpoint
from ser.data.datamodule import EmotionData
from ser.files import without_folders
from ser.results.reading import AVERAGED_TABLES, TABLES
from ser.training.tracking.records import record
from ser.training.tracking.wandb_run import WandbRun

RESUMED = ("callbacks", "loops", "optimizer_states", "lr_schedulers", "identity")  # only to resume; with paths


def record_artifacts(
    loggers: list[Logger], folder: Path, result: Mapping, data: EmotionData, checkpoint: Path | None = None
) -> None:
    """Store the files of a run in W&B, if its tracking asks for artifacts, and the corpus as what the run used.

    Args:
        result: the content of `result.json`.
        data: of its corpus, name, digest and counts are stored, but no audio.
        checkpoint: stored without the state that only a resumed training needs, which names folders.
    """

    def write(run) -> None:
        import wandb

        counts = {emotion: int(number) for emotion, number in sorted(data.utterances.emotion.value_counts().items())}
        corpus = {"corpus": data.corpus.name, "digest": data.corpus_digest, "counts": counts}
        used = wandb.Artifact(re.sub(r"[^\w.-]", "-", f"corpus-{data.corpus.name}"), "dataset", metadata=corpus)
        with used.new_file("corpus.json") as file:
            json.dump(corpus, file, indent=2)
        # `use_artifact` does this too, but refuses to offline.
        run._log_artifact(used, is_user_created=True, use_after_commit=True)
        about = {name: result[name] for name in ("system", "corpus_digest", "epoch", "wa") if name in result}
        tables = wandb.Artifact(f"{run.id}-tables", "result", metadata=about)
        for path in (folder / name for name in ("metrics.csv", *TABLES.values(), *AVERAGED_TABLES.values())):
            if path.is_file():
                tables.add_file(str(path))
        with tables.new_file("result.json") as file:
            json.dump(without_folders({**result, "command": None}), file, indent=2)
        run.log_artifact(tables)
        if checkpoint:
            with TemporaryDirectory() as place:
                contents = {name: value for name, value in read_checkpoint(checkpoint).items() if name not in RESUMED}
                write_checkpoint(contents, Path(place) / checkpoint.name)
                model = wandb.Artifact(f"{run.id}-model", "model", metadata=about)
                model.add_file(str(Path(place) / checkpoint.name))
            run.log_artifact(model, aliases=["best"])

    record([each for each in loggers if isinstance(each, WandbRun) and each.artifacts], "the artifacts", write)
