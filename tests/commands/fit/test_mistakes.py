"""What a mistake in an option or in a configuration file is answered: what, where, and what to write instead."""

import inspect
import re

import jsonargparse
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from ser.data import IEMOCAP, EmoDB, Manifest, Synthetic
from ser.sweep.study.plan import read_plan
from ser.training.options.configuration import read_yaml, to_yaml
from tests.conftest import CONF

FIT = ["fit", "--config", CONF / "reccap.yaml"]
STUDY = "study: s\nconfig: seqcap.yaml\ntrials: 2\nspace:\n  model.learning_rate: {float: [1e-4, 1e-2], log: true}\n"


def said(finished):
    """The message, of which the last line says where help is."""
    assert finished.code == 2, finished
    assert "Traceback" not in finished.err
    assert "class '" not in finished.err, "Python's name for a type"
    return finished.err.removeprefix("ser: ").strip().splitlines()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*FIT, "--data.fodl", 3], "data.fodl: no such option; did you mean data.fold?"),
        ([*FIT, "--data.fodl=3"], "data.fodl: no such option; did you mean data.fold?"),
        ([*FIT, "--trainer.max-epohcs", 3], "trainer.max_epohcs: no such option; did you mean trainer.max_epochs?"),
        (
            [*FIT, "--model.rooting_iterations", 3],
            "model.rooting_iterations: no such option; did you mean model.routing_iterations?",
        ),
        ([*FIT, "--modle.dropout", 0.1], "modle.dropout: no such option; did you mean model?"),
        ([*FIT, "--model.lambda_", 0.5], "model.lambda_: no such option"),
        ([*FIT, "--data.corpus.rot", "x"], "data.corpus.rot: no such option; did you mean data.corpus.root?"),
        ([*FIT, "--model.routing_iterations", 1.5], "model.routing_iterations: expected int, got 1.5"),
        ([*FIT, "--wandb.mode", "onlin"], "wandb.mode: expected one of 'offline', 'online', 'disabled', got onlin"),
        ([*FIT, "--data.fold.x", 1], "data.fold.x: no such option"),
        ([*FIT, "--trainer.max_epochs.x", 1], "trainer.max_epochs.x: no such option"),
        (
            [*FIT, "--trainer.callbacks.logging_interval", "step"],
            "trainer.callbacks.logging_interval: no such option; first name a class that has it: "
            "--trainer.callbacks CLASS",
        ),
        (
            [*FIT, "--trainer.plugins.x", 1],
            "trainer.plugins: options without a class; first name a class that has them",
        ),
        (["test", *FIT[1:], "--ckpt-pth", "x"], "ckpt_pth: no such option; did you mean ckpt_path?"),
        (["crossval", *FIT[1:], "--flds", 3], "flds: no such option; did you mean folds?"),
        (["crossval", *FIT[1:], "--fold", 3], "--fold: no such option; did you mean --folds?"),
        (
            ["protocol", "speaker", "--data.test_halfs", "F"],
            "data.test_halfs: no such option; did you mean data.test_h",
        ),
        (["sweep", "--config", "x.yaml", "--wrkers", 3], "--wrkers: no such option; did you mean --workers?"),
        (["report", "x", "--out", "y", "--unpard"], "--unpard: no such option; did you mean --unpaired?"),
        (["corpus", "check", "x", "--knd", "emodb"], "--knd: no such option; did you mean --kind?"),
        (["corpus", "synth", "x", "--sed", 3], "--sed: no such option; did you mean --seed?"),
    ],
)
def test_a_wrong_option_is_named_with_the_nearest_one(ser, words, message):
    first, *_, last = said(ser(*words))
    assert first.startswith(message)
    command = " ".join(words[:2]) if words[0] == "corpus" else words[0]
    assert re.fullmatch(rf"\(every option.*: ser {command} --help.*\)", last)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nmodle: {class_path: x}", "mine.yaml:2: modle.class_path: no such option; did you mean model?"),
        ("data:\n  fodl: 3", "mine.yaml:2: data.fodl: no such option; did you mean data.fold?"),
        ("data.fodl: 3", "mine.yaml:1: data.fodl: no such option; did you mean data.fold?"),
        (
            "data: {corpus: {class_path: ser.data.Synthetic,\n  init_args: {rot: x}}}",
            "mine.yaml:2: data.corpus.rot: no such option; did you mean data.corpus.root?",
        ),
        ("wandb: beside.yaml", "beside.yaml:2: wandb.moed: no such option; did you mean wandb.mode?"),
        ("data: data.yaml", "data.yaml:1: data.corpus.rot: no such option; did you mean data.corpus.root?"),
    ],
)
@pytest.mark.parametrize("command", ["fit", "crossval"])
@pytest.mark.parametrize("folder", ["", "below/"])
def test_a_wrong_key_is_named_with_its_line_and_the_nearest_one(
    ser, tmp_path, monkeypatch, text, message, command, folder
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "below").mkdir()
    for name, written in {
        "mine.yaml": text,
        "beside.yaml": "# W&B\nmoed: offline",
        "data.yaml": "corpus: {class_path: ser.data.IEMOCAP, init_args: {rot: x}}",
    }.items():
        (tmp_path / folder / name).write_text(written)
    assert said(ser(command, *FIT[1:], "--config", f"{folder}mine.yaml"))[0] == f"{folder}{message}"


def test_options_of_a_class_that_no_file_names(ser, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("trainer: {callbacks: {init_args: {logging_interval: step}}}")
    assert said(ser(*FIT, "--config", "mine.yaml"))[0].startswith(
        "trainer.callbacks: options without a class; first name a class that "
    )


def test_a_study_says_where_help_on_the_options_of_its_runs_is(ser, tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY.replace("seqcap.yaml", str(CONF / "seqcap.yaml")))
    first, *_, last = said(ser("sweep", "--config", tmp_path / "study.yaml", "--data.fodl", 3))
    assert first.endswith("data.fodl: no such option; did you mean data.fold?")
    assert last.startswith("(every option: ser fit --help,")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trainer:\n\tmax_epochs: 1", "mine.yaml:2: a tab; YAML is indented with spaces"),
        ("data:\n  fold: 1\n\t  seed: 1", "mine.yaml:3: a tab; YAML is indented with spaces"),
        ("data: {}\n---\ndata: {}", "mine.yaml:2: a second document begins; a file holds one configuration"),
        ("data: {fold: 1\ntrainer: }", "mine.yaml:2: not YAML: "),
        ("data: {fold: '\x07'}", "mine.yaml:1: not YAML: "),
        ("- data", "mine.yaml: not a mapping of keys to values"),
    ],
)
@pytest.mark.parametrize("place", ["config", "trainer", "nested", "study", "protocol"])
def test_a_file_that_is_none_is_named_with_its_line(ser, tmp_path, monkeypatch, text, message, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(text)
    (tmp_path / "outer.yaml").write_text("data: mine.yaml")
    words = {
        "config": [*FIT, "--config", "mine.yaml"],
        "trainer": [*FIT, "--trainer=mine.yaml"],
        "nested": [*FIT, "--config", "outer.yaml"],
        "study": ["sweep", "--config", "mine.yaml"],
        "protocol": ["protocol", "speaker", "--data", "mine.yaml"],
    }
    assert said(ser(*words[place]))[0].startswith(message)


@pytest.mark.parametrize("text", ["", "\ufeff", "# nothing yet\n", "---\n# nothing\n", "--- # nothing"])
@pytest.mark.parametrize("option", ["--config", "--trainer", "--data", "--data.corpus", "--wandb", "outer"])
def test_an_empty_file_says_nothing(ser, tiny, tmp_path, monkeypatch, text, option):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.yaml").write_text(text)
    (tmp_path / "outer.yaml").write_text("trainer: empty.yaml")
    file = ["--config", "outer.yaml"] if option == "outer" else [option, "empty.yaml"]
    (message,) = said(ser(*FIT, *file, *tiny, "--data.fold", 77))
    assert message.startswith("fold is 77")


@pytest.mark.parametrize(
    "trainer",
    [
        "callbacks: {class_path: lightning.pytorch.callbacks.ModelSummary}",
        "callbacks: lightning.pytorch.callbacks.ModelSummary",
        "callbacks: [lightning.pytorch.callbacks.ModelSummary]",
        "plugins: {class_path: lightning.pytorch.plugins.precision.Precision}",
    ],
)
def test_one_callback_needs_no_list(ser, tiny, tmp_path, monkeypatch, trainer):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(f"trainer:\n  {trainer}")
    late = ["--trainer.devices", 3, "--trainer.accelerator", "cpu", "--trainer.strategy", "ddp"]  # refused last of all
    assert said(ser(*FIT, "--config", "mine.yaml", *tiny, *late))[0].startswith(
        "data.batch_size is 16, but must be divisible"
    )


def test_a_study_reads_numbers_as_configurations_do(tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY)
    (rate,) = read_plan(tmp_path / "study.yaml").space.dimensions.values()
    assert (rate.low, rate.high, rate.log) == (0.0001, 0.01, True)
    (tmp_path / "all.yaml").write_text("a: [1e-4, 1.5e3, 2E5, 1_0e1]\nb: 2019-01-01\nc: yes\nd:")
    found = read_yaml(tmp_path / "all.yaml")
    assert found == {"a": [1e-4, 1500.0, 2e5, 100.0], "b": "2019-01-01", "c": True, "d": None}


@example("._")
@example("._0")
@example("._1e+5")
@given(st.text("0123456789.eE+-_:xT", max_size=8))
def test_a_text_that_looks_like_a_number_is_written_so_that_it_stays_a_text(text):
    written = to_yaml({"name": text, "rate": 1e-5})
    for read in (yaml.safe_load, jsonargparse.get_loader("yaml")):
        assert read(written) == {"name": text, "rate": 1e-5}


@pytest.mark.parametrize("command", ["fit", "test", "crossval", "protocol"])
@pytest.mark.parametrize("corpus", [IEMOCAP, EmoDB, Manifest, Synthetic])
def test_help_explains_the_options_of_every_corpus(ser, command, corpus):
    shown = ser(command, "--help").out
    section = shown.partition("The options of each corpus:")[2].partition(f"--data.corpus {corpus.__name__}:")[2]
    section = section.partition("--data.corpus ")[0]
    for name, parameter in inspect.signature(corpus).parameters.items():
        assert f"--data.corpus.{name} " in section
        (explained,) = re.findall(rf"^ *{name}: (\w+)", corpus.__doc__, re.MULTILINE)
        assert explained in section
        assert str(parameter.default or "null") in section


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
def test_security_names_the_parts_of_lightning_that_a_file_may_ask_for(
    ser, tiny, tmp_path, monkeypatch, option, kind, allowed
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(f"trainer: {{{option}: {{class_path: lightning.pytorch.{kind}}}}}")
    first = said(ser(*FIT, "--config", "mine.yaml", *tiny, "--data.fold", 77))[0]
    assert first.startswith("fold is 77" if allowed else "trainer.logger is lightning.pytorch.loggers.CSVLogger, but")
    (named,) = re.findall(r"Lightning's (accelerators, .*?);", (CONF.parent / "SECURITY.md").read_text("utf-8"))
    assert (kind.partition(".")[0] in named) == allowed
