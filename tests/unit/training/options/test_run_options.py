"""Options that a checkpoint sets for its test: system, hyperparameters, statistics."""

import pytest
from jsonargparse import Namespace

from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError
from ser.training.options import run_options
from ser.training.options.run_options import RunOptions


def parse(monkeypatch, *words, statistics="train", system="CNNGRUSeqCap") -> Namespace:
    """The settings after reading a checkpoint with statistics "speaker" and a lambda of 0.9."""
    found = {"system": "CNNGRUSeqCap", "hyper_parameters": {"lambda_": 0.9}, "standardised_by": "speaker"}
    monkeypatch.setattr(run_options, "read_checkpoint", lambda path: found)
    model = Namespace(class_path=f"ser.systems.{system}", init_args=Namespace(lambda_=0.25, dropout=0.1))
    options = RunOptions.__new__(RunOptions)
    options.words = list(words)
    options.config = Namespace(ckpt_path="x.ckpt", model=model, data=Namespace(statistics=statistics))
    options._parse_ckpt_path()
    assert options.checkpoint is found
    return options.config


def test_a_checkpoint_is_tested_as_it_was_trained(monkeypatch):
    settings = parse(monkeypatch)
    assert settings.model.init_args == Namespace(lambda_=0.9, dropout=0.1, emotions=PAPER_EMOTIONS)
    assert settings.data.emotions == PAPER_EMOTIONS, "those of a checkpoint without emotions are the paper's"
    assert settings.data.statistics == "speaker"


@pytest.mark.parametrize("word", ["--model.lambda_=0.25", "--model.init_args.lambda_"])
def test_an_option_on_the_command_line_wins_over_the_checkpoint(word, monkeypatch):
    assert parse(monkeypatch, word).model.init_args.lambda_ == 0.25


def test_other_statistics_than_those_it_was_trained_with_are_refused(monkeypatch):
    assert parse(monkeypatch, "--data.statistics=speaker", statistics="speaker").data.statistics == "speaker"
    with pytest.raises(InputError, match=r"was trained with --data\.statistics speaker"):
        parse(monkeypatch, "--data.statistics=corpus", statistics="corpus")


def test_the_systems_emotions_are_the_datas_whatever_a_file_says(tmp_path):
    """The configuration of a run names both."""
    path = tmp_path / "a.yaml"
    model = "model: {class_path: ser.systems.CNNGRU, init_args: {emotions: [a, b]}}\n"
    path.write_text(model + "data: {emotions: [a, b], corpus: {class_path: ser.data.EmoDB}}\n")
    for words, emotions in ([], ["a", "b"]), (["--data.emotions", "[c, d, e]"], ["c", "d", "e"]):
        config = RunOptions("fit", ["--config", str(path), *words], "").config
        assert config.model.init_args.emotions == config.data.emotions == emotions


@pytest.mark.parametrize("word", ["--model.emotions", "--model.init_args.emotions"])
def test_emotions_of_the_system_alone_are_refused(word):
    with pytest.raises(InputError, match=r"model\.emotions is always data\.emotions; use --data\.emotions"):
        RunOptions("fit", ["--model", "CNNGRU", word, "[a, b]"], "")


def test_a_checkpoint_of_another_system_is_refused(monkeypatch):
    with pytest.raises(InputError, match="holds a CNNGRUSeqCap, but the configuration asks for"):
        parse(monkeypatch, system="CNNGRU")
