"""Minimal configurations: empty files, one callback without a list, and the allowed parts of Lightning."""

import re

import pytest

from tests.commands.fit.test_refusals import RECCAP, THREE
from tests.conftest import CONF


@pytest.mark.parametrize("text", ["", "\ufeff", "# nothing yet\n", "---\n# nothing\n", "--- # nothing"])
@pytest.mark.parametrize("option", ["--config", "--trainer", "--data", "--data.corpus", "--wandb", "outer"])
def test_an_empty_file_says_nothing(refused, text, option):
    file = ["--config", "outer.yaml"] if option == "outer" else [option, "empty.yaml"]
    files = {"empty.yaml": text, "outer.yaml": "trainer: empty.yaml"}
    message = refused([*RECCAP, *file, "TINY", "--data.fold", 77], ["ser: fold is 77"], files)
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    "trainer",
    [
        "callbacks: {class_path: lightning.pytorch.callbacks.ModelSummary}",
        "callbacks: lightning.pytorch.callbacks.ModelSummary",
        "callbacks: [lightning.pytorch.callbacks.ModelSummary]",
        "plugins: {class_path: lightning.pytorch.plugins.precision.Precision}",
    ],
)
def test_one_callback_needs_no_list(refused, trainer):
    words = [*RECCAP, "--config", "mine.yaml", "TINY", *THREE]  # the batch size is checked last
    refused(words, ["ser: data.batch_size is 16"], {"mine.yaml": f"trainer:\n  {trainer}"})


@pytest.mark.parametrize(
    ("option", "kind", "allowed"),
    [
        ("accelerator", "accelerators.CPUAccelerator", True),
        ("callbacks", "callbacks.RichProgressBar", True),
        ("plugins", "plugins.precision.Precision", True),
        ("profiler", "profilers.SimpleProfiler", True),
        ("strategy", "strategies.SingleDeviceStrategy", True),
        ("logger", "loggers.CSVLogger", False),
    ],
)
def test_security_names_the_parts_of_lightning_that_a_file_may_ask_for(refused, option, kind, allowed):
    words = [*RECCAP, "--config", "mine.yaml", "TINY", "--data.fold", 77]
    part = "ser: fold is 77" if allowed else "ser: trainer.logger is lightning.pytorch.loggers.CSVLogger"
    refused(words, [part], {"mine.yaml": f"trainer: {{{option}: {{class_path: lightning.pytorch.{kind}}}}}"})
    (named,) = re.findall(r"Lightning's (accelerators, .*?);", (CONF.parent / "SECURITY.md").read_text("utf-8"))
    assert (kind.partition(".")[0] in named) == allowed
