"""Untrusted checkpoints: none of their contents is executed."""

import pytest
import torch

from ser.checkpoint import load
from ser.checkpoint.reading import read_checkpoint
from ser.errors import InputError
from ser.systems.lineage import TrainedOn
from ser.training.callbacks.checkpointing import AtomicCheckpointIO
from tests.conftest import CONF
from tests.slow.faults.hostile_files import (
    SMALL,
    endless_list,
    initial,
    saved,
    sound,
    with_weight,
    without,
    write_bare_pickle,
    write_bomb,
    write_deep,
    write_folder,
    write_legacy,
    write_loop,
    write_pickle,
    write_pipe,
    write_script,
    write_truncated,
    write_two_directories,
)

BIAS = "branches.gru.head.3.bias"
HOSTILE = {
    "code in a pickle": (write_pickle, "not a readable checkpoint"),
    "code in a bare pickle": (write_bare_pickle, "not a readable checkpoint"),
    "code in torch's older format": (write_legacy, "not a readable checkpoint"),
    "an archive of TorchScript": (write_script, "not a readable checkpoint"),
    "an archive that grows": (write_bomb, "its entries are larger than the file"),
    "an archive of two directories": (write_two_directories, "damaged: 'x/data.pkl' is corrupt"),
    "half an archive": (write_truncated, "not a readable checkpoint"),
    "a pipe": (write_pipe, "no such checkpoint (local files only)"),
    "a folder": (write_folder, "no such checkpoint (local files only)"),
    "a link to itself": (write_loop, "no such checkpoint (local files only)"),
    "a list": (saved(lambda: [1, 2]), "not a checkpoint of one of the systems"),
    "no weights": (without("state_dict"), "state_dict is missing"),
    "no speakers": (without("speakers"), "speakers is missing"),
    "no step": (without("global_step"), "global_step is missing"),
    "another system": (saved(lambda: sound(system="CNNSeqCap")), "hyper_parameters do not describe a CNNSeqCap"),
    "a huge declared tensor": (saved(lambda: with_weight(torch.zeros(1).expand(2**40))), f"{BIAS} is (1099511627776,)"),
    "a tensor that shares its numbers": (saved(lambda: with_weight(torch.zeros(1).expand(4))), "larger than its data"),
    "a tensor without numbers": (saved(lambda: with_weight(torch.zeros(4, device="meta"))), "stored in the file"),
    "another shape": (saved(lambda: with_weight(torch.zeros(5))), f"{BIAS} is (5,), not (4,)"),
    "whole numbers": (saved(lambda: with_weight(torch.zeros(4, dtype=torch.int64))), f"{BIAS} is torch.int64"),
    "no numbers": (saved(lambda: with_weight(torch.full((4,), torch.nan))), f"{BIAS} contains infinity or NaN"),
    "another name": (saved(lambda: with_weight(torch.zeros(4), "head.bias")), "unknown weight 'head.bias'"),
    "a name that writes on the screen": (
        saved(lambda: with_weight(torch.zeros(4), "a\nb\x1b[31m")),
        r"unknown weight 'a\nb\x1b[31m'",
    ),
    "a list of itself": (saved(lambda: sound(hyper_parameters={"sizes": endless_list()})), "hyper_parameters.sizes"),
    "lists in lists": (write_deep, "hyper_parameters.sizes"),
    "a tensor as hyperparameter": (
        saved(lambda: sound(hyper_parameters={**SMALL, "dropout": torch.zeros(())})),
        "hyper_parameters.dropout is tensor(0.)",
    ),
    "a hyperparameter whose name clears the screen": (
        saved(lambda: sound(hyper_parameters={"units\x1b[2J": 3})),
        r"hyper_parameters['units\x1b[2J'] is 'units\x1b[2J'",
    ),
    "unknown hyperparameters": (saved(lambda: sound(hyper_parameters={"units": 3})), "do not describe a CNNGRU"),
    "hyperparameters out of range": (
        saved(lambda: sound(hyper_parameters={"gru_units": 10**9})),
        "model.gru_units is 1000000000, but must be at most 4096",
    ),
    "text for a number": (saved(lambda: sound(hyper_parameters={"gru_units": "4"})), "model.gru_units is '4'"),
    "a training of no form": (
        saved(lambda: sound(trained_on=[1])),
        "trained_on is [1], but must be names with values",
    ),
    "a training with a tensor beside its entries": (
        saved(lambda: sound(trained_on={**dict.fromkeys(TrainedOn.model_fields), "more": torch.ones(1)})),
        "trained_on.more",
    ),
    "counts with a tensor": (
        saved(
            lambda: sound(
                trained_on={
                    **dict.fromkeys(TrainedOn.model_fields),
                    "counts": {"train": {}, "val": {}, "test": {}, "more": torch.ones(1)},
                }
            )
        ),
        "trained_on.counts.more",
    ),
    "a training with a tensor": (saved(lambda: sound(trained_on={"fold": torch.ones(1)})), "trained_on.fold is tensor"),
    "a training on a corpus of no name": (
        saved(lambda: sound(trained_on={**dict.fromkeys(TrainedOn.model_fields), "corpus": 3})),
        "trained_on.corpus is 3, but must be text",
    ),
    "a training without counts of a set": (
        saved(lambda: sound(trained_on={**dict.fromkeys(TrainedOn.model_fields), "counts": {"train": {}}})),
        "trained_on.counts.val is missing",
    ),
    "initial weights of no form": (saved(lambda: sound(initial_weights=3)), "initial_weights is 3, but must be"),
    "initial weights that heard numbers": (
        saved(lambda: sound(initial_weights=initial(train=[1]))),
        "initial_weights.speakers.train[0] is 1, but must be text",
    ),
    "initial weights of two minds": (
        saved(lambda: sound(initial_weights=initial() | {"complete": "yes"})),
        "initial_weights.complete is 'yes', but must be true or false",
    ),
    "a negative epoch": (saved(lambda: sound(epoch=-1)), "epoch is -1, but must be at least 0"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_checkpoint(what, tmp_path, marker):
    write, message = HOSTILE[what]
    write(tmp_path / "x.ckpt", marker)
    with pytest.raises(InputError) as refusal:
        load(tmp_path / "x.ckpt")
    said = str(refusal.value)
    assert said.startswith(str(tmp_path / "x.ckpt"))
    assert message in said
    assert all(line.startswith(str(tmp_path / "x.ckpt")) for line in said.splitlines()), "each line names the file"


@pytest.mark.parametrize("what", ["code in a pickle", "a pipe", "no speakers", "hyperparameters out of range"])
def test_a_hostile_checkpoint_is_not_tested(what, ser, tiny, tmp_path, marker):
    HOSTILE[what][0](tmp_path / "x.ckpt", marker)
    options = [*tiny, "--ckpt_path", tmp_path / "x.ckpt", "--out", tmp_path / "out"]
    finished = ser("test", "--config", CONF / "cnn_gru.yaml", *options)
    assert (finished.code, "Traceback" in finished.err) == (2, False)
    assert finished.err.startswith(f"ser: {tmp_path / 'x.ckpt'}: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/x.ckpt", "file:///{}/x.ckpt", "{}/" + "x" * 300 + ".ckpt"])
def test_only_local_files_are_read(address, tmp_path):
    torch.save(sound(), tmp_path / "x.ckpt")
    with pytest.raises(InputError, match="no such checkpoint"):
        read_checkpoint(address.format(tmp_path))


@pytest.mark.parametrize(
    "more", [{}, {"initial_weights": initial(val=["x:y"]), "trained_on": dict.fromkeys(TrainedOn.model_fields)}]
)
def test_a_sound_checkpoint_is_read(more, tmp_path):
    torch.save(sound(**more), tmp_path / "x.ckpt")
    assert load(tmp_path / "x.ckpt").hparams["gru_units"] == 4


def test_only_a_networks_own_numbers_must_be_numbers(tmp_path):
    """A validation loss can be NaN: the training continues, and so does its checkpoint."""
    writer, lost = AtomicCheckpointIO(), torch.tensor(float("nan"))
    writer.save_checkpoint(with_weight(lost, "evaluation_losses.0.mean_value"), tmp_path / "a.ckpt")
    assert read_checkpoint(tmp_path / "a.ckpt")["epoch"] == 0
    with pytest.raises(InputError, match="the weights are NaN or infinite after step 1"):
        writer.save_checkpoint(with_weight(lost), tmp_path / "b.ckpt")
    assert not (tmp_path / "b.ckpt").exists()


@pytest.fixture
def begun(ser, tiny, tmp_path):
    """A finished run of a small system; calling it deletes the result and continues the run."""

    def fit():
        (tmp_path / "run" / "result.json").unlink(missing_ok=True)
        options = [*tiny, *(word for name, value in SMALL.items() for word in (f"--model.{name}", value))]
        return ser("fit", "--config", CONF / "cnn_gru.yaml", *options, "--out", tmp_path / "run")

    assert fit().code == 0
    return fit


def test_a_training_does_not_go_on_from_a_hostile_checkpoint(begun, tmp_path, marker):
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    kept = read_checkpoint(last)
    for what in ("code in a pickle", "a folder", "half an archive", "no step"):
        last.rmdir() if last.is_dir() else last.unlink()
        HOSTILE[what][0](last, marker)
        finished = begun()
        assert (finished.code, "Traceback" in finished.err) == (2, False), what
        assert finished.err.startswith(f"ser: {last}: "), what
    last.unlink()
    for changes in ({"loops": {"fit_loop": 3}}, {"optimizer_states": [{"state": 1}]}, {"callbacks": {"History": 7}}):
        torch.save({**kept, "global_step": 1, **changes}, last)
        finished = begun()
        assert (finished.code, "Traceback" in finished.err) == (2, False), (changes, finished.err)
        assert f"{last}: training cannot continue from it" in finished.err, changes
