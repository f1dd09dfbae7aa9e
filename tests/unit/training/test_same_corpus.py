"""A run's configuration or checkpoint is used with the run's corpus, or with one given explicitly."""

import json
from types import SimpleNamespace

import pytest

from ser.errors import InputError
from ser.training.same_corpus import check_same_corpus


@pytest.mark.parametrize(
    ("files", "words", "checkpoint", "refused"),
    [
        (["run/config.yaml"], [], None, "run/config.yaml"),
        (["study/best.yaml"], [], None, "study/best.yaml"),
        (["run/config.yaml", "epochs.yaml"], [], None, "run/config.yaml"),
        (["corpus.yaml", "run/config.yaml"], [], None, "run/config.yaml"),
        (["run/config.yaml", "corpus.yaml"], [], None, None),
        (["run/config.yaml", "dotted.yaml"], [], None, None),
        (["corpus.yaml"], [], None, None),
        (["same/config.yaml"], [], None, None),
        (["none/config.yaml"], [], None, None),
        (["run/config.yaml"], ["--data.fold=2"], None, "run/config.yaml"),
        (["run/config.yaml"], ["--data.corpus.name=x"], None, "run/config.yaml"),
        (["run/config.yaml"], ["--data.corpus.root", "x"], None, None),
        (["run/config.yaml"], ["--data=x.yaml"], None, None),
        (["corpus.yaml"], [], "mine", "best.ckpt"),
        (["corpus.yaml"], [], "theirs", None),
        (["corpus.yaml"], [], "mines", None),
        (["corpus.yaml"], ["--data.corpus.csv", "x"], "mine", None),
    ],
)
def test_another_corpus_than_a_runs_own_is_refused_unless_it_is_named(tmp_path, files, words, checkpoint, refused):
    for name, digest in {"run": "old", "study": "old", "same": "new", "none": None}.items():
        (tmp_path / name).mkdir()
        for file in ("config.yaml", "best.yaml"):
            (tmp_path / name / file).write_text("data: {corpus: {class_path: ser.data.Manifest}}\n")
        if digest:
            identity = {"config": {}, "versions": {}, "corpus": digest}
            (tmp_path / name / "identity.json").write_text(json.dumps(identity))
    (tmp_path / "epochs.yaml").write_text("trainer: {max_epochs: 3}\n")
    (tmp_path / "corpus.yaml").write_text("data: {corpus: {init_args: {csv: x}}}\n")
    (tmp_path / "dotted.yaml").write_text("data.corpus.csv: x\n")
    data = SimpleNamespace(corpus=SimpleNamespace(name="mine", location="/m.csv"), corpus_digest="new")
    identity = {"config": {}, "versions": {}, "corpus": "old"}
    tested = checkpoint and ("best.ckpt", {"identity": identity, "speakers": {"train": [f"{checkpoint}:P1"]}})
    given = data, [tmp_path / file for file in files], words, tested
    if not refused:
        check_same_corpus(*given)
        return
    with pytest.raises(InputError, match=rf"{refused} belongs to .* digest is old, that of /m\.csv is new"):
        check_same_corpus(*given)
