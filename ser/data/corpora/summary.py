"""Summary of a corpus as text: contents, warnings and problems."""

from dataclasses import dataclass, field

import pandas as pd

from ser.data.corpora import kinds
from ser.data.corpora.cautions import cautions, median_silence
from ser.data.corpora.corpus import Corpus, one_line_a_label, table_problems
from ser.data.corpora.release import absolute
from ser.data.labels import Labels, in_order
from ser.emotions import by_label
from ser.errors import InputError

TAKEN = ("session", "speaker", "gender", "dialog_half", "all", "minutes")  # columns beside the labels


@dataclass(frozen=True)
class Census:
    """Contents, problems and warnings of a corpus.

    Args:
        utterances: the usable rows (`ser.data.corpora.corpus.COLUMNS`).
        problems: one line each; none if the corpus is usable.
        emotions: the labels, in the order of the tables.
        left_out: number of utterances of each other label.
        note: a remark on an incomplete corpus (`Corpus.note`).
        warnings: one line each, for faults of a usable corpus that can spoil results.
    """

    name: str
    location: str
    utterances: pd.DataFrame
    problems: list[str]
    emotions: list[str]
    left_out: dict[str, int] = field(default_factory=dict)
    note: str | None = None
    warnings: list[str] = field(default_factory=list)

    def counts(self, *by: str) -> pd.DataFrame:
        """Utterances of each emotion and minutes, by the given columns, with totals in the last row.

        A label with the name of another column is in quotes.
        """
        emotions = [f'"{emotion}"' if emotion in TAKEN else emotion for emotion in self.emotions]
        table = pd.crosstab([self.utterances[column] for column in by], self.utterances.emotion)
        table = table.reindex(columns=self.emotions, fill_value=0).set_axis(emotions, axis=1)
        table["all"] = table.sum(axis=1)
        table["minutes"] = self.utterances.groupby(list(by)).seconds.sum() / 60
        total = table.sum().to_frame().T.assign(**dict.fromkeys(by[1:], "") | {by[0]: "all"})
        rows = pd.concat([table.reset_index().astype(dict.fromkeys(by, object)), total], ignore_index=True)
        return rows[[*by, *emotions, "all", "minutes"]].astype(dict.fromkeys([*emotions, "all"], int))

    def __str__(self) -> str:
        parts = [f"{self.name} in {self.location}", *self._tables()]
        if self.note:
            parts.append(f"Note: {self.note}.")
        for noun, lines in (("warning", self.warnings), ("problem", self.problems)):
            if lines:
                parts.append("\n".join([f"{len(lines)} {noun}" + ("" if len(lines) == 1 else "s"), *lines]))
        if not self.problems:
            parts.append("No problems found.")
        return "\n\n".join(parts)

    def _tables(self) -> list[str]:
        if self.utterances.empty:
            return ["No usable utterance."]
        seconds, silence = self.utterances.seconds, median_silence(self.utterances)
        parts = [
            f"{len(seconds)} utterances, {seconds.sum() / 60:.1f} minutes; "
            f"shortest {seconds.min():.2f} s, median {seconds.median():.2f} s, longest {seconds.max():.2f} s\n"
            f"silence before and after the speech: median {silence[0]:.2f} s and {silence[1]:.2f} s",
        ]
        if self.left_out:
            parts.append(f"Other labels, left out: {by_label(self.left_out)}.")
        in_sessions = (self.utterances.session != "").all()
        by = ["session", "speaker"] if in_sessions else ["speaker"]
        parts.append(f"By {' and '.join(by)}\n{_text(self.counts(*by))}")
        if self.utterances.gender.any():
            parts.append("By gender\n" + _text(self.counts("gender")))
        if self.utterances.dialog_half.isin(["F", "M"]).any():
            parts.append("By session and dialog half\n" + _text(self.counts("session", "dialog_half")))
        return parts


def census(corpus: Corpus, labels: Labels | None = None) -> Census:
    """Read a corpus completely and summarise it, usable or not.

    Args:
        labels: the labels to use; by default all.

    Raises:
        InputError: the corpus was not found.
    """
    table, problems, left_out = corpus.read(labels)
    emotions = list(labels.emotions) if labels else in_order(table.emotion)
    # Report an empty table only if no other problem explains it.
    problems = problems + ([] if table.empty and problems else table_problems(table, corpus.location))
    note = None if table.empty else corpus.note(table)
    warnings = cautions(table, corpus.location, (labels or Labels()).emotions)
    problems = one_line_a_label(problems)
    return Census(corpus.name, corpus.location, table, problems, emotions, left_out, note, warnings)


def detect(path: str) -> Corpus:
    """Detect the corpus at a path; the built-in one is read as IEMOCAP.

    Raises:
        InputError: the path does not exist, or no corpus is recognised.
    """
    place = absolute(path)
    if not place.exists():
        raise InputError(f"{place}: no such file or folder")
    for kind in kinds().values():
        if kind.holds(place) or kind.holds(place / kind.inner):
            return kind(path)
    looked_for = [kind.looks_like for kind in kinds().values()]
    raise InputError(f"{place}: no corpus recognised\nlooked for {', '.join(looked_for[:-1])}, or {looked_for[-1]}")


def _text(table: pd.DataFrame) -> str:
    return table.to_string(index=False, float_format="{:.1f}".format)
