"""Configurations from strangers: whatever they name, nothing of it is executed."""

from pathlib import Path

import pytest

from tests.conftest import CONF

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
    "a way through a module that imports it": "data: {corpus: {class_path: ser.report.page.folder.shutil.rmtree}}",
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
