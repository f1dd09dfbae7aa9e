"""What is written into a W&B run."""

from types import SimpleNamespace

from ser.training.tracking.records import alert, record_epochs
from ser.training.tracking.wandb_run import WandbRun


def test_epochs_that_the_server_has_are_not_sent_again(tmp_path, monkeypatch):
    sent, run = [], WandbRun(tmp_path)
    wandb = SimpleNamespace(step=49, log=lambda values, step, commit: sent.append((values, step, commit)))
    monkeypatch.setattr(run, "record", lambda what, write: write(wandb))
    rows = [{"epoch": n, "step": 48 * n, "rate": 0.1 / n, "val/wa": 0.2 * n, "val/loss": float("nan")} for n in (1, 2)]
    record_epochs(["another logger", run], rows)
    assert sent == [({"epoch": 2, "train/rate": 0.05, "val/wa": 0.4}, 96, True)]


def test_an_alert_names_no_folder(tmp_path, monkeypatch):
    sent, run = [], WandbRun(tmp_path)
    monkeypatch.setattr(run, "record", lambda what, write: write(SimpleNamespace(alert=lambda **it: sent.append(it))))
    alert([run], "1 of 2 trainings failed", "failed: fold 1\n  exit code 2, /home/me/runs/seed1-fold01.log:\n  why")
    text = "failed: fold 1\n  exit code 2, seed1-fold01.log:\n  why"
    assert sent == [{"title": "1 of 2 trainings failed", "text": text, "level": "ERROR"}]
