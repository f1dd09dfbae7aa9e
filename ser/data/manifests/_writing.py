"""Write the manifest of a public corpus, and compare its recordings with the published ones."""

import csv
import io
import os
import shlex
from collections import Counter
from importlib import import_module
from pathlib import Path

import pandas as pd

from ser.data.manifests._public_corpus import PublicCorpus
from ser.errors import InputError
from ser.files import new_file, write_text

COLUMNS = ("utterance", "path", "speaker", "gender", "emotion")


def public_corpus(kind: str) -> type[PublicCorpus]:
    """The class of a kind of public corpus, which is the name of its module."""
    module = import_module(f"ser.data.manifests.{kind}")
    classes = (each for each in vars(module).values() if isinstance(each, type))
    (found,) = (each for each in classes if each.__module__ == module.__name__)
    return found


def write_manifest(kind: str, folder: str, out: str) -> str:
    """Write a manifest and return a summary of it.

    Raises:
        InputError: the file exists, or the recordings are not those of one copy of the corpus.
    """
    file = new_file("--out", out, (".csv",))
    corpus = public_corpus(kind)(folder)
    rows, left_out = corpus.rows()
    base = Path(os.path.abspath(file)).parent
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row | {"path": _relative(row["path"], base)} for row in rows)
    try:
        write_text(file, text.getvalue())
    except UnicodeEncodeError:
        raise InputError(f"{corpus.folder}: the name of a folder in it is not UTF-8; rename it") from None
    return f"{_summary(corpus, rows, left_out)}\n\nWritten: {file}\nNext: ser corpus check {shlex.quote(str(file))}"


def _relative(path: str, base: Path) -> str:
    return os.path.relpath(path, base) if Path(path).is_relative_to(base) else path


def _summary(corpus: PublicCorpus, rows: list[dict[str, str]], left_out: Counter[str]) -> str:
    """Recordings by speaker and emotion beside the published numbers, what is left out, and the licence."""
    published = pd.Series(dict(corpus.emotions.values()))
    table = pd.DataFrame(rows)
    counts = pd.crosstab([table.speaker, table.gender], table.emotion).reindex(columns=published.index, fill_value=0)
    counts = counts.rename_axis(columns=None).reset_index()
    totals = pd.DataFrame([counts[published.index].sum(), published]).assign(speaker=["all", "published"], gender="")
    counts = pd.concat([counts, totals], ignore_index=True)
    counts["all"] = counts[published.index].sum(axis=1)
    lines = [
        f"{corpus.title} in {corpus.folder}: {len(rows)} of {published.sum()} recordings",
        f"\n{counts.to_string(index=False)}\n",
        *(f"Left out, {kind}: {number}" for kind, number in left_out.items()),
        f"Cite: {corpus.reference}" + (f". Licence: {corpus.licence}" if corpus.licence else ""),
    ]
    return "\n".join(lines)
