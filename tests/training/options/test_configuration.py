"""A configuration that is written and read again is the same."""

import sys

import pytest

from ser.training.options.command import run
from ser.training.options.configuration import read_yaml, to_yaml


@pytest.mark.parametrize(
    "value",
    [
        *("1e-4", "12e5", "-3E7", "1_0e2", "1e400", "0.1", "yes", "null", "007", "2019-01-01", "a: b", ""),
        *(1e-4, 1e22, 0.1, 3, -1, True, None, [1, "2", 3.0], {"nested": {"rate": 1e-30}}),
    ],
)
def test_what_is_written_is_read_as_the_same_type_and_value(value, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(to_yaml({"first": value, "second": 1}))
    found = read_yaml(path)
    assert list(found) == ["first", "second"], "in the same order"
    assert repr(found["first"]) == repr(value)


@pytest.mark.parametrize("name", ["fit", None])
def test_a_command_sees_its_files_before_its_single_options(name, monkeypatch):
    typed = ["ser", "fit", "--model.lambda_=0.25", "--config", "a.yaml", "--epochs-averaged", "2", "--data=b.yaml"]
    monkeypatch.setattr(sys, "argv", typed)
    monkeypatch.delenv("SER_PROGRESS_PIPE", raising=False)
    seen = run(lambda: list(sys.argv), name)
    files, single = ["--config", "a.yaml", "--data=b.yaml"], ["--model.lambda_=0.25", "--epochs_averaged", "2"]
    assert seen == ["ser", *([name] if name else []), *files, *single]
