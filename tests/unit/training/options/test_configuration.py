"""A configuration is unchanged after writing and reading."""

import pytest

from ser.training.options.configuration import read_yaml, to_yaml
from ser.training.options.run_options import RunOptions
from tests.conftest import CONF


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


@pytest.mark.parametrize("value", [0.25, 0.75])
def test_a_single_option_wins_over_a_file_wherever_it_stands(value, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(f"model: {{class_path: ser.systems.CNNGRUSeqCap, init_args: {{lambda_: {1 - value}}}}}\n")
    words = [
        f"--model.lambda_={value}",
        "--epochs-averaged",
        "2",
        "--config",
        str(path),
        "--data",
        str(CONF / "emodb.yaml"),
    ]
    config = RunOptions("fit", words, "").config
    assert (config.model.init_args.lambda_, config.epochs_averaged) == (value, 2)
    assert config.data.corpus.class_path == "ser.data.EmoDB"
