"""What is known of one run, finished or not."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from ser.report.runs.finding import Place
from ser.results.names import fold_of, protocol_of

DIGITS = 9  # recorded scores of an epoch are single precision


@dataclass
class ComparedRun:
    """What is known of a run.

    Attributes:
        about: its `result.json`; empty if there is none, or it is damaged.
        config: its configuration by option name, without those that change no number.
        corpus_named: the corpus by its configuration.
        origin: digests and versions.
        tags: of W&B.
        curves: columns epoch, train_loss, val_wa; None without `metrics.csv`.
        test: scores and matrix of its test predictions; None if it was not tested.
        test_set: `describe_test_set` of them.
        problems: what cannot be read, a sentence each.
    """

    place: Place
    about: dict = field(default_factory=dict)
    config: dict[str, object] = field(default_factory=dict)
    corpus_named: str = ""
    origin: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    curves: pd.DataFrame | None = None
    test: dict | None = None
    test_set: dict | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.place.name

    @property
    def kind(self) -> str:
        """The command that made it."""
        named = {"crossval": "crossval", "transfer": "transfer"}.get(self.about.get("kind", ""))
        if named or self.place.is_several:
            return named or "crossval"
        if self.place.is_of_trial:
            return "sweep fold"
        if self.place.is_fold:
            return "crossval fold"
        return "test" if self.about and "metrics.csv" not in self.files and not self.about.get("epochs") else "fit"

    @property
    def state(self) -> str:
        return "damaged" if self.problems else "finished" if self.about else "unfinished"

    @cached_property
    def files(self) -> set[str]:
        """Names of the files in its folder."""
        return {path.name for path in self.place.folder.iterdir()}

    @property
    def system(self) -> str:
        return self.about.get("system") or str(self.config.get("model.class_path") or "").rpartition(".")[2]

    @property
    def corpus(self) -> str:
        return self.about.get("corpus") or self.corpus_named

    @property
    def protocol(self) -> str:
        """With its test halves, and whether the sets leak."""
        if self.about.get("protocol"):
            return " ".join(filter(None, [protocol_of(self.about), self.about.get("test_halves")]))
        named = str(self.config.get("data.protocol", ""))
        return f"{named} {self.config.get('data.test_halves', '')}".strip() if named == "wu2019" else named

    @property
    def fold(self) -> str:
        """The fold, or the folds of a cross-validation and their total number if some are missing."""
        if self.about.get("fold") is not None:
            return fold_of(self.about)
        if folds := self.about.get("folds"):
            listed, total = ", ".join(map(str, folds)), self.about.get("num_folds") or len(folds)
            return f"{listed} of {total}" if len(folds) < total else f"all {total}"
        several = self.place.is_several or self.kind == "transfer"
        return "" if several else str(self.config.get("data.fold", ""))

    @property
    def seed(self) -> str:
        seeds = self.about.get("seeds") or [self.about.get("seed")]
        if seeds == [None]:
            seeds = [] if self.place.is_several else [self.config.get("seed_everything")]
        return ", ".join(str(seed) for seed in seeds if seed is not None)

    @property
    def epochs(self) -> int | None:
        """Trained so far."""
        return self.about.get("epochs") if self.curves is None else int(self.curves.epoch.max())

    @property
    def best_epoch(self) -> int | None:
        """The chosen epoch, or of an unfinished training the best so far."""
        if self.about.get("epoch") is not None or self.curves is None:
            return self.about.get("epoch")
        return int(self.curves.epoch.iloc[int(np.nanargmax(self.curves.val_wa))]) if self._has_values else None

    @property
    def _has_values(self) -> bool:
        return self.curves is not None and bool(self.curves.val_wa.notna().any())

    @property
    def validation(self) -> dict[str, float]:
        """WA and UA of the chosen epoch, or WA of the best so far."""
        if found := self.about.get("validation"):
            return {"wa": found["wa"], "ua": found["ua"]}
        return {"wa": round(float(self.curves.val_wa.max()), DIGITS)} if self._has_values else {}

    @property
    def matrix(self) -> tuple[str, list[str], list[list[int]]] | None:
        """The set it was computed on, the emotions, and the counts: of the test if there was one."""
        for name, found in (("test", self.test), ("validation", self.about.get("validation"))):
            emotions, counts = ((found or {}).get(part) or [] for part in ("recall", "confusion"))
            if emotions and [len(row) for row in counts] == [len(emotions)] * len(emotions):
                return name, list(emotions), counts
        return None
