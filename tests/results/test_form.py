"""The form of a record: what is taken, and which part of another one is named."""

import json

import pytest

from ser.errors import InputError
from ser.results.form import Each, Maybe, check_form, read_record

FORM = {
    **{"system": str, "wa": float, "folds": [int], "averaged": Maybe({"epochs": int})},
    **{"bootstrap": Maybe(dict, needed=False), "counts": Each(int)},
}
RECORD = {"system": "CNNGRU", "wa": 0.5, "folds": [1, 2], "averaged": None, "counts": {"sad": 3}}


@pytest.mark.parametrize(
    "change", [{}, {"wa": 1}, {"averaged": {"epochs": 5}}, {"bootstrap": {}}, {"counts": {}}, {"more": True}]
)
def test_what_has_the_form_is_taken(change):
    check_form("result.json", RECORD | change, FORM)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"folds": [1, True]}, "fold 2 is True, but must be a whole number"),
        ({"folds": [1, 2.0]}, "fold 2 is 2.0, but must be a whole number"),
        ({"folds": []}, "folds is [], but must be a list with something in it"),
        ({"wa": True}, "wa is True, but must be a number"),
        ({"wa": float("nan")}, "wa is nan, but must be a number"),
        ({"wa": float("-inf")}, "wa is -inf, but must be a number"),
        ({"wa": None}, "wa is None, but must be a number"),
        ({"system": 3}, "system is 3, but must be text"),
        ({"averaged": {}}, "averaged lacks epochs"),
        ({"averaged": {"epochs": "5"}}, "averaged.epochs is '5', but must be a whole number"),
        ({"bootstrap": 3}, "bootstrap is 3, but must be names with values"),
        ({"counts": {"sad": None}}, "counts.sad is None, but must be a whole number"),
        ({"counts": [3]}, "counts is [3], but must be names with values"),
    ],
)
def test_what_has_not_is_refused_by_its_place(change, words):
    with pytest.raises(InputError) as refused:
        check_form("result.json", RECORD | change, FORM)
    assert str(refused.value) == f"result.json: {words}"


@pytest.mark.parametrize("name", ["system", "wa", "folds", "averaged", "counts"])
def test_what_is_missing_is_named(name):
    record = {key: value for key, value in RECORD.items() if key != name}
    with pytest.raises(InputError, match=f"result.json lacks {name}; another version"):
        check_form("result.json", record, FORM)


@pytest.mark.parametrize(
    ("content", "words"), [(b"[1]", "in place of names"), (b"{", "not a result"), (b"\xff", "not")]
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
