"""The identity of a run, and the digest of the code."""

import copy
import hashlib
from pathlib import Path

import pytest

from ser.errors import InputError
from ser.results import provenance
from ser.results.identity import check_identity, flatten, identity


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


def test_what_changes_no_number_is_free_and_nothing_else(tmp_path):
    free = {
        **{"wandb": {"mode": "online"}, "checkpoints": "all", "config": ["x.yaml"], "out": "r", "outs": {2: "s"}},
        "data": {"num_workers": 2, "corpus": {"class_path": "EmoDB", "init_args": {"root": "/here", "csv": "x.csv"}}},
        "trainer": {"enable_progress_bar": True, "enable_model_summary": False, "log_every_n_steps": 5},
    }
    assert identity(free, "c")["config"] == {"data.corpus.class_path": "EmoDB"}
    deciding = {
        "trainer": {"max_epochs": 3, "precision": "bf16-mixed", "accelerator": "cpu", "gradient_clip_val": 1.0},
        "data": {"fold": 2, "seed": 3, "statistics": "train", "batch_size": 8, "corpus": {"style": "all"}},
        **{"seed_everything": 3, "epochs_averaged": 5, "learning_rate_rule": {"hold_epochs": 4}},
    }
    found = identity(deciding, "c")["config"]
    assert found == flatten(deciding)
    assert len(found) == 12
    of_folds = identity(deciding, "c", without=("seed_everything", "data.fold", "data.seed"))["config"]
    assert set(found) - set(of_folds) == {"seed_everything", "data.fold", "data.seed"}


def test_initial_weights_are_known_by_their_content(tmp_path):
    paths = [tmp_path / name / "best.ckpt" for name in ("one", "same", "other")]
    for path, content in zip(paths, (b"weights", b"weights", b"others"), strict=True):
        path.parent.mkdir()
        path.write_bytes(content)
    one, same, other = (identity({"init_weights": str(path)}, "c") for path in paths)
    assert one == same
    assert one["config"] == {"init_weights": f"SHA-256 {hashlib.sha256(b'weights').hexdigest()}"}
    assert other["config"] != one["config"]


def test_the_digest_of_the_code_changes_with_every_file_it_rests_on(tmp_path, monkeypatch):
    package = Path(provenance.__file__).parents[1]
    folders = [part for part in provenance.TRAINING if (package / part).is_dir()]
    names = {*provenance.TRAINING, *(f"{part}/{name}" for part in folders for name in ("one", "below/two"))} - {
        *folders
    }
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / f"{name}.py").write_text(name)
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path)
    digest = provenance.code_digest.__wrapped__
    found = {digest()}
    (tmp_path / "paths.py").write_text("on which no number rests")
    assert digest() in found
    for name in names:
        (tmp_path / f"{name}.py").write_text("changed")
        found.add(digest())
    assert len(found) == len(names) + 1
