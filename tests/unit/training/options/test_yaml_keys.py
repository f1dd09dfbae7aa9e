"""Each key of a configuration occurs once, in any notation, and its line is known."""

import pytest
import yaml

from ser.training.options.yaml_keys import check_keys

TEXT = """\
data:
  corpus:
    class_path: EmoDB
    init_args:
      root: /data
  fold: 3
trainer.max_epochs: 2
callbacks:
- class_path: A
- {class_path: B, init_args: {x: 1}}
"""


def test_every_key_has_its_name_on_the_command_line_and_its_line():
    found = {name: line for name, (line, _) in check_keys(TEXT).items()}
    assert found == {
        **{"data": 1, "data.corpus": 2, "data.corpus.class_path": 3, "data.corpus.init_args": 4},
        **{"data.corpus.root": 5, "data.fold": 6, "trainer.max_epochs": 7, "callbacks": 8},
        **{"callbacks.[0].class_path": 9, "callbacks.[1].class_path": 10},
        **{"callbacks.[1].init_args": 10, "callbacks.[1].x": 10},
    }


@pytest.mark.parametrize(
    ("again", "name"),
    [
        ("data.fold: 1", "data.fold"),
        ("data: {fold: 1}", "data"),
        ("data.corpus.init_args.root: x", "data.corpus.init_args.root"),
        ("data.corpus.root: x", "data.corpus.root"),
        ("trainer: {max_epochs: 9}", "max_epochs"),
    ],
)
def test_a_key_that_stands_twice_is_refused_in_whatever_way_it_is_written(again, name):
    with pytest.raises(yaml.YAMLError, match=rf"^x\.yaml:11: duplicate key '{name}' \(first in line \d"):
        check_keys(TEXT + again, "x.yaml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &a [1]\nb: *a", r"x.yaml:1: an alias"),
        ("a:\n  ? [1]\n  : 2", r"x.yaml:2: a key that is not one word"),
        ("a: " + "9" * 1001, r"x.yaml:1: a number of 1001 characters"),
    ],
)
def test_what_could_mislead_is_refused(text, words):
    with pytest.raises(yaml.YAMLError, match=words):
        check_keys(text, "x.yaml")
