"""What makes a run the same run."""

import copy

import pytest

from ser.errors import InputError
from ser.identity import check_identity, identity


def test_the_identity_names_every_difference():
    config = {"model": {"class_path": "ser.systems.CNNGRUSeqCap", "init_args": {"lambda_": 0.6}}, "out": "anywhere"}
    before = identity(config, corpus_digest="a")
    assert before["config"] == {"model.class_path": "ser.systems.CNNGRUSeqCap", "model.lambda_": 0.6}
    now = copy.deepcopy(before)
    now["config"]["model.lambda_"], now["corpus"], now["code"] = 0.5, "0", "1"
    now["versions"]["torch"] = "3.0"
    with pytest.raises(InputError) as refused:
        check_identity(before, now, "the run")
    for part in ("model.lambda_: 0.6 there, 0.5 here", "corpus: digest", "code: digest", "version of torch"):
        assert part in str(refused.value)
    check_identity(before, before, "the run")
