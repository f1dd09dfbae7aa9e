"""Numbers in YAML: `1e-4` is always read as a number, and a text that looks like one stays a text."""

import jsonargparse
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from ser.sweep.study.plan import read_plan
from ser.training.options.configuration import read_yaml, to_yaml

STUDY = "study: s\nconfig: seqcap.yaml\ntrials: 2\nspace:\n  model.learning_rate: {float: [1e-4, 1e-2], log: true}\n"


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
