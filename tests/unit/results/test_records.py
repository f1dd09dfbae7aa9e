"""The types of a record: accepted values, and the key named for a wrong one."""

import json

import pytest
from pydantic import Field

from ser.errors import InputError
from ser.results.records import MOST_ERRORS, Filled, Record, check_record, read_record


class Averaged(Record):
    epochs: int


class Form(Record):
    system: str
    wa: float
    folds: Filled[int]
    averaged: Averaged | None
    bootstrap: dict | None = None
    counts: dict[str, int]
    lambda_: float = Field(0.6, alias="lambda")


RECORD = {"system": "CNNGRU", "wa": 0.5, "folds": [1, 2], "averaged": None, "counts": {"sad": 3}}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"wa": 1},
        {"averaged": {"epochs": 5}},
        {"bootstrap": {}},
        {"bootstrap": None},
        {"counts": {}},
        {"more": True},
    ],
)
def test_what_has_the_form_is_taken(change):
    check_record(Form, RECORD | change, "result.json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"folds": [1, True]}, "folds[1] is True, but must be a whole number"),
        ({"folds": [1, 2.0]}, "folds[1] is 2.0, but must be a whole number"),
        ({"folds": []}, "folds is []: List should have at least 1 item"),
        ({"wa": True}, "wa is True, but must be a number"),
        ({"wa": float("nan")}, "wa is nan, but must be a finite number"),
        ({"wa": float("-inf")}, "wa is -inf, but must be a finite number"),
        ({"wa": None}, "wa is None, but must be a number"),
        ({"system": 3}, "system is 3, but must be text"),
        ({"averaged": {}}, "averaged.epochs is missing"),
        ({"averaged": {"epochs": "5"}}, "averaged.epochs is '5', but must be a whole number"),
        ({"averaged": 3}, "averaged is 3, but must be names with values"),
        ({"bootstrap": 3}, "bootstrap is 3, but must be names with values"),
        ({"counts": {"sad": None}}, "counts.sad is None, but must be a whole number"),
        ({"counts": {"\x1b[2J\n": "1"}}, r"counts['\x1b[2J\n'] is '1', but must be a whole number"),
        ({"counts": {3: 1}}, "counts[3] is 3, but must be text"),
        ({"counts": [3]}, "counts is [3], but must be names with values"),
        ({"lambda": "x"}, "lambda is 'x', but must be a number"),
        ({"system": 10**5000}, "system is too long to be shown, but must be text"),
    ],
)
def test_what_has_not_is_refused_by_its_place(change, words):
    with pytest.raises(InputError) as refused:
        check_record(Form, RECORD | change, "result.json")
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"result.json: {words}")


@pytest.mark.parametrize("name", ["system", "wa", "folds", "averaged", "counts"])
def test_what_is_missing_is_named(name):
    record = {key: value for key, value in RECORD.items() if key != name}
    with pytest.raises(InputError, match=f"^result.json: {name} is missing; another version"):
        check_record(Form, record, "result.json")


def test_a_hostile_record_is_refused_in_few_words():
    huge = {"x" * 10**6: "y" * 10**6, **{str(place): None for place in range(1000)}}
    with pytest.raises(InputError) as refused:
        check_record(Form, RECORD | {"counts": huge, "system": [huge] * 1000}, "result.json")
    lines = str(refused.value).splitlines()
    assert len(lines) == MOST_ERRORS + 1
    assert lines[-1] == f"result.json: and {1002 - MOST_ERRORS} more errors"
    assert all(len(line) < 300 and line.startswith("result.json: ") for line in lines)


@pytest.mark.parametrize(
    ("content", "words"), [(b"[1]", "is not a JSON object"), (b"{", "not written by"), (b"\xff", "not written by")]
)
def test_what_is_no_record_is_refused(tmp_path, content, words):
    path = tmp_path / "result.json"
    with pytest.raises(InputError, match="No such file"):
        read_record(path)
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_record(path)
    path.write_text(json.dumps(RECORD))
    assert read_record(path) == RECORD
