"""Files from strangers: whatever a checkpoint, exported weights or a configuration hold, nothing of it is executed."""

import json
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ser.checkpoint import load, read_checkpoint
from ser.errors import InputError
from ser.systems import CNNGRU
from tests.conftest import CONF

SMALL = {"gru_units": 4, "dense_units": 4}


@pytest.fixture
def marker(tmp_path):
    """A file that any executed code would make."""
    path = tmp_path / "executed"
    yield path
    assert not path.exists(), "something was executed"


def sound(**changes) -> dict:
    """A checkpoint as a training writes it."""
    people = {name: [f"elsewhere:{name}"] for name in ("train", "val", "test")}
    system = CNNGRU(**SMALL)
    checkpoint = {
        "system": "CNNGRU",
        "hyper_parameters": dict(system.hparams),
        "state_dict": dict(system.state_dict()),
        "speakers": people,
        "recordings": people,
        "standardised_by": "train",
        "epoch": 0,
        "global_step": 1,
    }
    return {**checkpoint, **changes}


def with_weight(tensor, name="branches.gru.head.3.bias") -> dict:
    checkpoint = sound()
    checkpoint["state_dict"][name] = tensor
    return checkpoint


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, marker) -> None:
        self.marker = str(marker)

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def write_pickle(path, marker):
    torch.save(sound(epoch=Touch(marker)), path)


def write_bare_pickle(path, marker):
    path.write_bytes(pickle.dumps(sound(epoch=Touch(marker))))


def write_legacy(path, marker):
    torch.save(sound(epoch=Touch(marker)), path, _use_new_zipfile_serialization=False)


def write_script(path, marker):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("script/constants.pkl", pickle.dumps(Touch(marker)))
        archive.writestr("script/data.pkl", pickle.dumps(Touch(marker)))
        archive.writestr("script/version", "3\n")


def write_bomb(path, marker):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", bytes(2**24))


def write_truncated(path, marker):
    torch.save(sound(), path)
    path.write_bytes(path.read_bytes()[:-2000])


def write_pipe(path, marker):
    os.mkfifo(path)


def write_folder(path, marker):
    path.mkdir()


def write_loop(path, marker):
    path.symlink_to(path)


def saved(checkpoint):
    return lambda path, marker: torch.save(checkpoint(), path)


def without(*names):
    return saved(lambda: {name: value for name, value in sound().items() if name not in names})


BIAS = "branches.gru.head.3.bias"
HOSTILE = {
    "code in a pickle": (write_pickle, "not a readable checkpoint"),
    "code in a bare pickle": (write_bare_pickle, "not a readable checkpoint"),
    "code in torch's older format": (write_legacy, "not a readable checkpoint"),
    "an archive of TorchScript": (write_script, "not a readable checkpoint"),
    "an archive that grows": (write_bomb, "would grow when it is unpacked"),
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
    "a tensor that shares its numbers": (saved(lambda: with_weight(torch.zeros(1).expand(4))), "larger than what"),
    "a tensor without numbers": (saved(lambda: with_weight(torch.zeros(4, device="meta"))), "that the file holds"),
    "another shape": (saved(lambda: with_weight(torch.zeros(5))), f"{BIAS} is (5,), not (4,)"),
    "whole numbers": (saved(lambda: with_weight(torch.zeros(4, dtype=torch.int64))), f"{BIAS} is of torch.int64"),
    "no numbers": (saved(lambda: with_weight(torch.full((4,), torch.nan))), f"{BIAS} holds what is no number"),
    "another name": (saved(lambda: with_weight(torch.zeros(4), "head.bias")), "it has no head.bias"),
    "a tensor as hyperparameter": (
        saved(lambda: sound(hyper_parameters={**SMALL, "dropout": torch.zeros(())})),
        "hyper_parameters must be plain values",
    ),
    "unknown hyperparameters": (saved(lambda: sound(hyper_parameters={"units": 3})), "do not describe a CNNGRU"),
    "hyperparameters out of range": (
        saved(lambda: sound(hyper_parameters={"gru_units": 10**9})),
        "model.gru_units is 1000000000, but must be at least 1 and at most 4096",
    ),
    "text for a number": (saved(lambda: sound(hyper_parameters={"gru_units": "4"})), "model.gru_units is '4'"),
    "a negative epoch": (saved(lambda: sound(epoch=-1)), "epoch must be a whole number"),
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
    assert len(said.splitlines()) == 1


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


def test_a_sound_checkpoint_is_read(tmp_path):
    torch.save(sound(), tmp_path / "x.ckpt")
    assert load(tmp_path / "x.ckpt").hparams["gru_units"] == 4


@pytest.fixture
def begun(ser, tiny, tmp_path):
    """A run of a small system in a folder; called again, it goes on, its result taken away before."""

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
        assert f"{last}: the training cannot go on from it" in finished.err, changes


DESCRIPTION = {name: json.dumps(value) for name, value in sound().items() if name != "state_dict"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"system": None}, "system is missing in its metadata"),
        ({"recordings": None}, "recordings is missing in its metadata"),
        ({"hyper_parameters": "{"}, "hyper_parameters in its metadata is not JSON"),
        ({"hyper_parameters": "[" * 100_000}, "hyper_parameters in its metadata is not JSON"),
        ({"system": '"os.system"'}, "not a checkpoint of one of the systems"),
        ({"hyper_parameters": '{"gru_units": 1e999}'}, "model.gru_units is inf, but must be"),
        ({"hyper_parameters": '{"gru_units": 4096, "dense_units": 4}'}, "does not fit CNNGRU as configured"),
        ({"epoch": "1.5"}, "epoch must be a whole number"),
        ({"speakers": '{"train": [1]}'}, "speakers must be lists of names"),
        ({"standardised_by": '"everyone"'}, "standardised_by must be one of train, corpus, speaker"),
    ],
)
def test_metadata_of_exported_weights(changes, message, tmp_path):
    metadata = {name: text for name, text in {**DESCRIPTION, **changes}.items() if text is not None}
    weights = {name: tensor.contiguous() for name, tensor in CNNGRU(**SMALL).state_dict().items()}
    save_file(weights, tmp_path / "x.safetensors", metadata)
    with pytest.raises(InputError, match=r"x\.safetensors: .*|does not fit") as refusal:
        load(tmp_path / "x.safetensors")
    assert message in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, (2**40).to_bytes(8, "little") + b"{}", b"\x02\0\0\0\0\0\0\0[]"])
def test_what_is_no_safetensors_file(content, tmp_path):
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="not a readable safetensors file"):
        load(tmp_path / "x.safetensors")


DDP = "trainer: {strategy: {class_path: lightning.pytorch.strategies.DDPStrategy, init_args: {%s}}}"
CONFIGURATIONS = {
    "a model": "model: {class_path: evil.Touch}",
    "a corpus": "data: {corpus: {class_path: evil.Touch}}",
    "a callback": "trainer: {callbacks: [{class_path: evil.Touch}]}",
    "a plugin": "trainer: {plugins: [{class_path: evil.Touch}]}",
    "a strategy": "trainer: {strategy: {class_path: evil.Touch}}",
    "an accelerator": "trainer: {accelerator: {class_path: evil.Touch}}",
    "a profiler": "trainer: {profiler: {class_path: evil.Touch}}",
    "a logger": "trainer: {logger: {class_path: evil.Touch}}",
    "a function for a strategy": DDP % "ddp_comm_hook: evil.touch",
    "a system function for a callback": "trainer: {callbacks: [{class_path: "
    "lightning.pytorch.callbacks.ThroughputMonitor, init_args: {batch_size_fn: os.system}}]}",
    "a callback of functions": "trainer: {callbacks: [{class_path: lightning.pytorch.callbacks.LambdaCallback, "
    "init_args: {setup: ser.data.leaks.shared}}]}",
    "a way through a module that imports it": "data: {corpus: {class_path: ser.data.synthetic.shutil.rmtree}}",
    "a parser's own settings": "model: {class_path: jsonargparse.set_parsing_settings}",
    "a tag": "trainer: {max_epochs: !!python/object/apply:evil.touch []}",
    "a tag in a file it names": "trainer: tagged.yaml",
    "an address": "trainer: local://%(folder)s/sound.yaml",
    "a page": "trainer: http://127.0.0.1:1/x.yaml",
    "the name of a strategy": "trainer: {strategy: evil.touch}",
    "the name of an accelerator": "trainer: {accelerator: evil.touch}",
    "the name of a profiler": "trainer: {profiler: evil.touch}",
}


@pytest.fixture
def evil(tmp_path, monkeypatch, marker):
    """A module beside the configuration that makes the marker as soon as it is imported."""
    (tmp_path / "evil.py").write_text(f"open({str(marker)!r}, 'w')\nTouch = touch = open\n")
    (tmp_path / "tagged.yaml").write_text("max_epochs: !!python/object/apply:evil.touch []")
    (tmp_path / "sound.yaml").write_text("max_epochs: 1")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("what", CONFIGURATIONS)
def test_a_hostile_configuration(what, ser, tiny, evil):
    text = CONFIGURATIONS[what].replace("%(folder)s", str(evil))
    (evil / "x.yaml").write_text(text)
    finished = ser("fit", "--config", CONF / "cnn_gru.yaml", *tiny, "--config", "x.yaml", "--out", "out")
    assert (finished.code, "Traceback" in finished.err) == (2, False), finished
    assert not Path("out").exists()


def test_what_any_value_may_be_is_not_built(ser, tiny, evil):
    """An option of any type takes a class and its arguments as what they are: names and values."""
    (evil / "x.yaml").write_text(DDP % "ddp_comm_state: {class_path: evil.Touch}")
    options = [*tiny, "--config", "x.yaml", "--data.fold", 11]  # read after everything is built
    finished = ser("fit", "--config", CONF / "cnn_gru.yaml", *options)
    assert finished.code == 2
    assert "fold is 11" in finished.err


def test_other_commands_read_no_tags_and_name_no_classes(ser, evil):
    (evil / "study.yaml").write_text("study: !!python/object/apply:evil.touch []")
    (evil / "corpus.yaml").write_text("corpus: {class_path: evil.Touch}")
    for arguments in (["sweep", "status", "study.yaml"], ["protocol", "speaker", "--data", "corpus.yaml"]):
        finished = ser(*arguments)
        assert (finished.code, "Traceback" in finished.err) == (2, False), finished
