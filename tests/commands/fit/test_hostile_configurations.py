"""Untrusted configurations: nothing that they name is executed."""

import pytest

from tests.conftest import CONF

FIT = ["fit", "--config", CONF / "cnn_gru.yaml", "TINY"]
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

NO_SUCH_CLASS = "evil.Touch: a configuration can name only classes of ser.data"
PARTS = {  # of the message; of all others: NO_SUCH_CLASS
    "a function for a strategy": "ser: trainer.strategy:",
    "a system function for a callback": "ser: trainer.callbacks:",
    "a callback of functions": "LambdaCallback: a configuration can name only",
    "a way through a module that imports it": "ser.report.page.folder.shutil.rmtree: a configuration can name only",
    "a parser's own settings": "ser: jsonargparse.set_parsing_settings: a configuration can name only",
    "a tag": "ser: x.yaml:1: not YAML",
    "a tag in a file it names": "ser: tagged.yaml:1: not YAML",
    "an address": "ser: trainer:",
    "a page": "ser: trainer:",
    "the name of a strategy": "strategy='evil.touch'",
    "the name of an accelerator": "accelerator='evil.touch'",
    "the name of a profiler": "`profiler`",
}


@pytest.fixture
def evil(tmp_path, monkeypatch):
    """Files beside a configuration: a module that creates a file when it is imported, and files that name it."""
    marker = tmp_path.parent / f"{tmp_path.name}-executed"
    monkeypatch.syspath_prepend(tmp_path)
    yield {
        "evil.py": f"open({str(marker)!r}, 'w')\nTouch = touch = open\n",
        "tagged.yaml": "max_epochs: !!python/object/apply:evil.touch []",
        "sound.yaml": "max_epochs: 1",
        "study.yaml": "study: !!python/object/apply:evil.touch []",
        "corpus.yaml": "corpus: {class_path: evil.Touch}",
    }
    assert not marker.exists(), "code was executed"


@pytest.mark.parametrize("what", CONFIGURATIONS)
def test_a_hostile_configuration(what, refused, evil, tmp_path):
    text = CONFIGURATIONS[what].replace("%(folder)s", str(tmp_path))
    refused([*FIT, "--config", "x.yaml", "--out", "out"], [PARTS.get(what, NO_SUCH_CLASS)], {**evil, "x.yaml": text})


def test_what_any_value_may_be_is_not_built(refused, evil):
    """An option of any type keeps a class and its arguments as a dictionary."""
    text = DDP % "ddp_comm_state: {class_path: evil.Touch}"
    words = [*FIT, "--config", "x.yaml", "--data.fold", 11]  # checked after all classes are instantiated
    refused(words, ["fold is 11"], {**evil, "x.yaml": text})


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["sweep", "status", "study.yaml"], "ser: study.yaml:1: not YAML"),
        (["protocol", "speaker", "--data", "corpus.yaml"], NO_SUCH_CLASS),
    ],
)
def test_other_commands_read_no_tags_and_name_no_classes(refused, evil, words, part):
    refused(words, [part], evil)
