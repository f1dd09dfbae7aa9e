"""What is in a corpus and what is wrong with it, for a person to read."""

from dataclasses import dataclass, field

import pandas as pd

from ser.data.corpora import kinds
from ser.data.corpora.cautions import cautions
from ser.data.corpora.corpus import Corpus, one_line_a_label, table_problems
from ser.data.corpora.release import absolute
from ser.emotions import EMOTIONS
from ser.errors import InputError


@dataclass(frozen=True)
class Census:
    """What was found.

    Args:
        utterances: the usable rows (`ser.data.corpora.corpus.COLUMNS`).
        problems: one line each; a sound corpus has none.
        note: what is no mistake and must be known.
        warnings: one line each for what may spoil results although the corpus can be used.
    """

    name: str
    location: str
    utterances: pd.DataFrame
    problems: list[str]
    note: str | None = None
    warnings: list[str] = field(default_factory=list)

    def counts(self, *by: str) -> pd.DataFrame:
        """Utterances of each emotion and minutes, by the given columns, with a last row for all."""
        table = pd.crosstab([self.utterances[column] for column in by], self.utterances.emotion)
        table = table.reindex(columns=list(EMOTIONS), fill_value=0)
        table["all"] = table.sum(axis=1)
        table["minutes"] = self.utterances.groupby(list(by)).seconds.sum() / 60
        total = table.sum().to_frame().T.assign(**dict.fromkeys(by[1:], "") | {by[0]: "all"})
        rows = pd.concat([table.reset_index().astype(dict.fromkeys(by, object)), total], ignore_index=True)
        return rows[[*by, *EMOTIONS, "all", "minutes"]].astype(dict.fromkeys([*EMOTIONS, "all"], int))

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
        seconds = self.utterances.seconds
        parts = [
            f"{len(seconds)} utterances, {seconds.sum() / 60:.1f} minutes; "
            f"shortest {seconds.min():.2f} s, median {seconds.median():.2f} s, longest {seconds.max():.2f} s",
            "By session and speaker\n" + _text(self.counts("session", "speaker")),
        ]
        if self.utterances.dialog_half.isin(["F", "M"]).any():
            parts.append("By session and dialog half\n" + _text(self.counts("session", "dialog_half")))
        return parts


def census(corpus: Corpus) -> Census:
    """Read a corpus completely and report on it, sound or not.

    Raises:
        InputError: there is no such corpus to report on.
    """
    table, problems = corpus.read()
    # An empty table is worth a line of its own only if nothing else explains it.
    problems = problems + ([] if table.empty and problems else table_problems(table, corpus.location))
    note = None if table.empty else corpus.note(table)
    warnings = cautions(table, corpus.location)
    return Census(corpus.name, corpus.location, table, one_line_a_label(problems), note, warnings)


def detect(path: str) -> Corpus:
    """The corpus that a path holds; the built-in one has the layout of IEMOCAP.

    Raises:
        InputError: nothing there, or nothing known.
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
