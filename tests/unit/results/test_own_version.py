"""A newer `ser` continues the runs of an older one, unless the training code has changed."""

import copy

import pytest

from ser.errors import InputError
from ser.results.identity import check_identity, identity
from ser.sweep.study.plan import Plan
from ser.sweep.study.shared_study import SharedStudy
from ser.sweep.study.space import read_space
from ser.sweep.study.storage import file_address, open_storage


def test_a_run_and_a_study_go_on(tmp_path):
    now = identity({"model": "CNNGRU"}, corpus_digest="a")
    before, other = copy.deepcopy(now), copy.deepcopy(now)
    before["versions"]["ser"], other["code"] = "0.0.1", "0"
    check_identity(before, now, "the run")
    space = read_space({"model.dropout": {"categorical": [0.1, 0.5]}}, "")
    plan = Plan("mine", space, config=["x.yaml"], sampler="exhaustive")
    storage = open_storage(file_address(tmp_path / "study.db"), 20)
    SharedStudy.join(plan, storage, before)
    SharedStudy.join(plan, storage, now)
    for refuse in (lambda: check_identity(before, other, "the run"), lambda: SharedStudy.join(plan, storage, other)):
        with pytest.raises(InputError, match="code: ") as refused:
            refuse()
        assert "version" not in str(refused.value)
