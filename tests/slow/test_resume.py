"""A killed training continues with the same command; its results are those of an undisturbed one.

It continues only from its own checkpoints; its folder can be moved.
"""

import json
import multiprocessing
import os
import random
import shutil
import signal
import socket
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning import Callback, LightningModule, Trainer

from ser.data import Manifest
from ser.data.datamodule import EmotionData
from ser.data.segments import FILLER, Batch, BatchIndices, TrainingBatches
from ser.training.options.command import quieten
from tests.conftest import CONF, SMALL_CAPSULES
from tests.process import EXIT_CODES, FORKED, Command
from tests.slow.faults.kills import differences
from tests.slow.faults.runs import SEGMENT_SECONDS, TAIL_SECONDS, Moment, Run, fit_options, write_corpus

KILLS = 2
STEPS_BEFORE_THE_INTERRUPTION = 2
STEPS = 5  # per epoch


class Weight(LightningModule):
    """A training of one weight."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def training_step(self, batch, batch_idx):
        return self.weight.sum()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def segments_of(batch: Batch) -> list[list[int]]:
    """Utterance and checksum of the samples of each segment in a batch."""
    rows = zip(batch.utterance.tolist(), batch.waveform, strict=True)
    return [[row, zlib.crc32(waveform.numpy().tobytes())] for row, waveform in rows if row != FILLER]


class Noted(Callback):
    """Record the epoch of every trained segment; after a number of steps, write a checkpoint."""

    def __init__(self, checkpoint: Path):
        self.checkpoint, self.segments = checkpoint, []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.segments += [[trainer.current_epoch, segment] for segment in segments_of(batch)]
        if trainer.global_step == STEPS_BEFORE_THE_INTERRUPTION:
            trainer.save_checkpoint(self.checkpoint)


def short_segments(table: Path, workers: int = 0) -> EmotionData:
    options = {"batch_size": 4, "segment_seconds": SEGMENT_SECONDS, "min_tail_seconds": TAIL_SECONDS}
    return EmotionData(Manifest(str(table)), num_workers=workers, **options)


def train_and_note(rank: int, world: int, port: int, table: Path, workers: int, folder: Path) -> None:
    """Train two epochs as one rank, interrupted within the first, and write the segments trained on."""
    names = {"LOCAL_RANK": rank, "NODE_RANK": 0, "WORLD_SIZE": world, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in names.items()} if world > 1 else {})
    quieten()
    multiprocessing.set_start_method("fork", force=True)  # as in a separate process
    noted = Noted(folder / "within.ckpt")
    silent = dict.fromkeys(("logger", "enable_progress_bar", "enable_model_summary", "enable_checkpointing"), False)
    alike = {"accelerator": "cpu", "devices": world, "use_distributed_sampler": False, "callbacks": [noted], **silent}
    strategy = "ddp" if world > 1 else "auto"
    first = Trainer(max_steps=STEPS_BEFORE_THE_INTERRUPTION, max_epochs=2, strategy=strategy, **alike)
    first.fit(Weight(), short_segments(table, workers))
    second = Trainer(max_epochs=2, strategy=strategy, **alike)
    second.fit(Weight(), short_segments(table, workers), ckpt_path=noted.checkpoint, weights_only=True)
    (folder / f"{rank}.json").write_text(json.dumps(noted.segments))


@pytest.mark.parametrize(("world", "workers"), [(1, 0), (1, 2), (2, 0)])
def test_every_segment_is_trained_on_once_per_epoch(world, workers, built_in, tmp_path):
    """In one process and in two, with the first epoch interrupted and continued from its checkpoint."""
    table = write_corpus(tmp_path / "corpus", built_in)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    given = (world, port, table, workers, tmp_path)
    processes = [FORKED.Process(target=train_and_note, args=(rank, *given)) for rank in range(world)]
    for process in processes:
        with EXIT_CODES:
            process.start()
    for process in processes:
        process.join()
    noted = [each for rank in range(world) for each in json.loads((tmp_path / f"{rank}.json").read_text())]
    data = short_segments(table)
    data.setup()
    everything = range(len(data.pieces["train"]))
    expected = sorted(segments_of(data.pieces["train"][BatchIndices(list(everything), 1.0)]))
    assert len(expected) == len(everything) > 4 * STEPS_BEFORE_THE_INTERRUPTION, "the interruption is within an epoch"
    assert len({str(each) for each in expected}) == len(expected), "all segments are distinct"
    for epoch in range(2):
        assert sorted(segment for number, segment in noted if number == epoch) == expected


def test_a_pass_that_begins_within_an_epoch_gives_the_rest_of_its_order():
    whole = TrainingBatches(100, 16, seed=3)
    whole.set_epoch(5)
    rest = TrainingBatches(100, 16, seed=3, epoch=5, position=4)
    assert len(rest) == len(whole) == 7
    assert [batch.pieces for batch in rest] == [batch.pieces for batch in whole][4:]
    rest.set_epoch(6)
    whole.set_epoch(6)
    assert [batch.pieces for batch in rest] == [batch.pieces for batch in whole], "later epochs are complete"


def command(config, tiny, out, *more):
    options = ["--config", CONF / f"{config}.yaml", *tiny, "--trainer.max_epochs", 3, "--checkpoints.steps", 2, *more]
    return ["fit", *options, "--out", out]


def checkpoints_of(folder):
    return {path: path.stat().st_mtime_ns for path in (folder / "checkpoints").glob("*.ckpt")}


def kill_and_continue(arguments, folder, log, kills, generator) -> str:
    """Kill the command at random moments after new checkpoints, run it to its end, and return that output."""
    for _ in range(kills):
        before = checkpoints_of(folder)
        process = Command(arguments, log)
        process.until(lambda before=before: checkpoints_of(folder) != before)
        time.sleep(generator.random() / 5)
        process.kill()
        assert process.wait().code == -signal.SIGKILL
    finished = Command(arguments, log).wait()
    assert finished.code == 0, finished.out
    return finished.out


@pytest.mark.parametrize(("config", "workers"), [("cnn_gru", 0), ("reccap", 2)])
def test_kill_9_changes_nothing(config, workers, tiny, tmp_path):
    options = ["--data.num_workers", workers, *(SMALL_CAPSULES if config == "reccap" else [])]
    whole = Command(command(config, tiny, tmp_path / "whole", *options), tmp_path / "whole.log").wait()
    assert whole.code == 0, whole.out
    broken = command(config, tiny, tmp_path / "broken", *options)
    printed = kill_and_continue(broken, tmp_path / "broken", tmp_path / "broken.log", KILLS, random.Random(1))
    assert "continues   from" in printed
    for name in ("metrics.csv", "predictions.csv", "validation.csv"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    for name in ("best", "last"):
        whole, found = (
            torch.load(tmp_path / folder / "checkpoints" / f"{name}.ckpt", weights_only=True)
            for folder in ("whole", "broken")
        )
        assert whole["global_step"] == found["global_step"]
        for key, weight in whole["state_dict"].items():
            np.testing.assert_array_equal(found["state_dict"][key].numpy(), weight.numpy(), err_msg=key)


def test_another_configuration_is_not_continued(ser, tiny, tmp_path, monkeypatch):
    """An interrupted run is continued only by the same command; the difference is printed."""
    folder = tmp_path / "run"
    process = Command(command("cnn_gru", tiny, folder), tmp_path / "log")
    process.until(lambda: checkpoints_of(folder))
    process.kill()
    options = ["fit", "--config", CONF / "cnn_gru.yaml", *tiny, "--trainer.max_epochs", 3, "--out", folder]
    for change, message in (
        (["--data.fold", 2], "data.fold: 1 there, 2 here"),
        (["--model.dropout", 0.1], "model.dropout: 0.5 there, 0.1 here"),
        (["--seed_everything", 2], "seed_everything: 1 there, 2 here"),
    ):
        refused = ser(*options, *change)
        assert refused.code == 2, refused.out
        assert message in refused.err
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert ser(*options, "--checkpoints.steps", 5, "--wandb.mode", "disabled").code == 0
    assert json.loads((folder / "result.json").read_text())["epochs"] == 3
    again = ser(*options)
    assert again.code == 2
    assert "already holds a finished run" in again.err


@pytest.fixture(scope="module")
def table(built_in, tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"), built_in)


def end(arguments: list[str], log, moment: Moment | None = None, code: int = 0) -> str:
    assert Run(arguments, log, moment).code() == code, log.read_text()
    return log.read_text()


def after(epochs: int) -> Moment:
    return Moment("on_train_epoch_start", epochs * STEPS)


def test_a_run_whose_folder_was_moved_keeps_its_best_epoch(table, tmp_path):
    def options(name: str) -> list[str]:
        return fit_options("cnn_gru", table, tmp_path / name, **{"model.learning_rate": 0.02})

    log = tmp_path / "log"
    end(options("whole"), log)
    end(options("before"), log, after(epochs=2), -signal.SIGKILL)
    (tmp_path / "before").rename(tmp_path / "moved")
    said = end(options("moved"), log)
    assert "continues   from" in said
    assert "dirpath" not in said  # from Lightning's warning that it does not know the best epoch
    assert not list(differences(tmp_path / "whole", tmp_path / "moved"))


def test_another_runs_checkpoint_is_not_continued(table, tmp_path):
    here, there, log = tmp_path / "here", tmp_path / "there", tmp_path / "log"
    options = fit_options("cnn_gru", table, here)
    end(options, log, after(epochs=1), -signal.SIGKILL)
    other = {"data.fold": 2, "seed_everything": 9, "model.dropout": 0.1}
    end(fit_options("cnn_gru", table, there, **other), log, after(epochs=1), -signal.SIGKILL)
    (here / "checkpoints" / "within.ckpt").unlink()
    path = here / "checkpoints" / "last.ckpt"
    own = torch.load(path, weights_only=True)
    shutil.copy(there / "checkpoints" / "last.ckpt", path)
    said = end(options, log, code=2)
    assert f"ser: {path}: belongs to a run that was started with other options, data or code" in said
    for line in (
        "data.fold: 2 there, 1 here",
        "seed_everything: 9 there, 1 here",
        "model.dropout: 0.1 there, 0.5 here",
    ):
        assert line in said
    for identity in (None, {}, {"config": 1, "versions": {}}, []):
        torch.save(own | {"identity": identity}, path)
        assert f"ser: {path}: does not say which run it belongs to" in end(options, log, code=2)
    torch.save(own, path)
    assert "continues   from" in end(options, log)
