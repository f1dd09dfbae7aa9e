"""How trainings that run side by side are shown."""

import json
from types import SimpleNamespace

import pytest

from ser.jobs import Job, Running

TOLD = [
    {"step": 4, "steps": 8, "epoch": "epoch  1/2"},
    {"step": 6, "steps": 8},
    {"step": 8, "steps": 8, "epoch": "epoch  2/2"},
]


@pytest.mark.parametrize(
    ("bars", "terminal", "printed"),
    [
        (False, False, ["fold 1: epoch  1/2", "fold 1: epoch  2/2"]),
        (True, False, ["fold 1: epoch  1/2", "fold 1: epoch  2/2"]),  # standard error alone is a terminal
        (False, True, ["fold 1: epoch  1/2", "fold 1: epoch  2/2"]),  # standard output alone
        (True, True, []),
    ],
)
def test_epochs_are_printed_unless_bars_show_them(bars, terminal, printed, tmp_path, monkeypatch, capsys):
    said = b"".join(json.dumps(told).encode() + b"\n" for told in TOLD)
    parts = iter([said[:20], said[20:], b""])  # a line may arrive in parts
    bar = SimpleNamespace(disable=not bars, set_postfix_str=lambda *_, **__: None, refresh=lambda: None)
    running = Running(Job("fold 1", [], [], tmp_path), SimpleNamespace(told=lambda: next(parts)), bar)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    for _ in range(3):
        running.show()
    assert capsys.readouterr().out.splitlines() == printed
    assert (bar.n, bar.total) == (8, 8)
