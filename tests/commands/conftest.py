"""Fixtures shared by the tests of commands, and the check of a refusal."""

from pathlib import Path

import pytest

from tests.made_up.release import release, speech, wav
from tests.made_up.studies import make_shared, short_corpus, write_study
from tests.shared_runs import best_of, fitted, least, two_epochs, undisturbed

__all__ = ["best_of", "fitted", "least", "two_epochs", "undisturbed"]
__all__ += ["make_shared", "release", "short_corpus", "speech", "wav", "write_study"]


def content_of(folder: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def refused(ser, tiny, best_of, tmp_path, monkeypatch):
    """Run a command that must be refused, in a folder with only these files: refused(words, parts, files).

    The word TINY stands for the options of the tiny corpus, "BEST OF cnn_gru" for that system's checkpoint. Checks
    that the exit code is 2, nothing is written and the message contains the parts; returns the message.
    """
    monkeypatch.chdir(tmp_path)

    def meant(word: object) -> list[object]:
        if word == "TINY":
            return tiny
        return [best_of(word.removeprefix("BEST OF "))] if str(word).startswith("BEST OF ") else [word]

    def run(words: list[object], parts: list[str], files: dict[str, str | bytes] | None = None) -> str:
        for name, content in (files or {}).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        words = [each for word in words for each in meant(word)]
        before = content_of(tmp_path)
        finished = ser(*words)
        assert finished.code == 2, finished
        lines = finished.err.splitlines(keepends=True)
        message = "".join(line for line in lines if not line.startswith(f"ser {words[0]}: "))  # without progress lines
        assert message.startswith("ser: "), message
        assert "Traceback" not in message
        assert "class '" not in message, "the message shows a Python type"
        # pytest names the folder after the case, whose words are not those of the message.
        shown = message.replace(str(tmp_path), "HERE")
        assert not [part for part in parts if part.replace(str(tmp_path), "HERE") not in shown], message
        assert content_of(tmp_path) == before, "nothing is written"
        return message

    return run
