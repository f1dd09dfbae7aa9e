"""The checkpoint from which a training continues."""

import pytest

from ser.checkpoint import reading


@pytest.mark.parametrize(("last", "within", "newest"), [(10, 7, "last"), (10, 13, "within"), (None, 3, "within")])
def test_a_training_goes_on_from_the_checkpoint_with_most_steps(last, within, newest, tmp_path, monkeypatch):
    steps = {name: value for name, value in (("last", last), ("within", within)) if value}
    for name in steps:
        (tmp_path / f"{name}.ckpt").touch()
    monkeypatch.setattr(reading, "read_checkpoint", lambda path: {"global_step": steps[path.stem]})
    assert reading.newest(tmp_path) == (tmp_path / f"{newest}.ckpt", {"global_step": steps[newest]})
