"""What makes a run the same run."""

import copy
import subprocess
import sys

import pytest

from ser.errors import InputError
from ser.identity import check_identity, identity
from ser.provenance import TRAINING

SPEAKING = {"data/lines", "data/manners", "data/prosody", "data/screenplay", "data/synthesis", "data/synthetic"}
# What they make is in the corpus's own digest; these read options, say what is wrong or how far a training is, write
# files, end a run, and record its origin.
WITHOUT_NUMBERS = SPEAKING | {"data", "data/leaks", "data/levels", "errors", "files", "interruption", "progress"}
WITHOUT_NUMBERS |= {"arguments", "configuration", "identity", "keys", "lineage", "provenance", "record"}


def test_no_file_that_computes_is_left_out_of_the_digest_of_the_code():
    """All that the systems and their data import, in an interpreter of its own."""
    code = "import sys, ser.systems; print(*(name for name in sys.modules if name.startswith('ser.')))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    imported = {name.removeprefix("ser.").replace(".", "/") for name in printed.split()}
    assert len(imported) > 20
    assert imported - set(TRAINING.split()) == WITHOUT_NUMBERS


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
