"""What Wu et al. (2019) printed, and what they counted: tables, recovered matrices, test halves.

Everything printed is as the paper has it, in per cent. What is recovered is whole numbers that fit the print;
`tests/results/test_paper.py` searches for them again. The counts of IEMOCAP are read from its public label lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import ceil, floor

Counts = tuple[int, ...]
Percentages = tuple[float, ...]

# Table 2, CNN_SeqCap, and Table 3, CNN_RecCap: rows actual, columns predicted; neutral, angry, happy, sad.
TABLE_2: tuple[Percentages, ...] = (
    (84.22, 5.26, 0.58, 9.94),
    (29.03, 68.39, 0.00, 2.58),
    (73.75, 18.64, 1.69, 5.92),
    (26.90, 0.29, 0.29, 72.52),
)
TABLE_3: tuple[Percentages, ...] = (
    (83.85, 2.92, 3.11, 10.12),
    (34.06, 59.42, 2.17, 4.35),
    (76.19, 5.56, 11.90, 6.35),
    (19.29, 1.93, 1.29, 77.49),
)
# How far a printed percentage may lie from its ratio, in points: two decimals round by at most 0.005. Four cells of
# Table 2 (84.22, 73.75, 5.92, 72.52) were adjusted so that its rows sum to 100.
TOLERANCE_2 = 0.025
TOLERANCE_3 = 0.005

SEQCAP_CONFUSION: tuple[Counts, ...] = ((432, 27, 3, 51), (45, 106, 0, 4), (87, 22, 2, 7), (92, 1, 1, 248))
RECCAP_CONFUSION: tuple[Counts, ...] = ((431, 15, 16, 52), (47, 82, 3, 6), (96, 7, 15, 8), (60, 6, 4, 241))
SEQCAP_TEST_HALVES = "MMFFF"
RECCAP_TEST_HALVES = "MMFFM"

# IEMOCAP, improvised dialogs, excited not merged into happy: neutral, angry, happy, sad of sessions 1 to 5 ...
# ... by dialog half, the letter in the dialog's name (Ses01F_impro01);
HALF_COUNTS: dict[str, tuple[Counts, ...]] = {
    "F": ((119, 29, 24, 43), (119, 9, 21, 33), (77, 22, 22, 94), (91, 63, 5, 38), (143, 24, 49, 82)),
    "M": ((104, 33, 9, 61), (98, 13, 33, 67), (121, 68, 38, 96), (83, 21, 26, 43), (144, 7, 57, 51)),
}
# ... by speaker, the letter of the last field of the utterance's name (Ses01F_impro01_M003).
SPEAKER_COUNTS: dict[str, tuple[Counts, ...]] = {
    "F": ((119, 37, 18, 43), (90, 7, 25, 63), (95, 22, 39, 108), (51, 47, 10, 41), (151, 18, 56, 73)),
    "M": ((104, 25, 15, 61), (127, 15, 29, 37), (103, 68, 21, 82), (123, 37, 21, 40), (136, 13, 50, 60)),
}
CORPUS_COUNTS: Counts = (1099, 289, 284, 608)
# Measured on the audio of these 2280 utterances; nothing here can derive them.
DURATIONS = {"hours": 2.78, "mean_seconds": 4.38, "median_seconds": 3.49, "min_seconds": 0.73, "max_seconds": 29.13}
UTTERANCES_UNDER_2_SECONDS = 434
SEGMENTS = 6080  # about; of at most 200 frames (2 s)

# How the systems were trained, by option: the value, and where the paper states it.
RECIPE: dict[str, tuple[object, str]] = {
    **dict.fromkeys(("model.gru_units", "model.dense_units"), (64, "section 3")),
    "model.dropout": (0.5, "section 3"),
    "model.window_steps": (40, "section 3"),
    "model.window_shift": (20, "section 3"),
    "model.utterance_capsule_dim": (16, "section 3"),
    "model.routing_iterations": (3, "section 3"),
    "model.lambda_": (0.6, "section 4.2"),
    "model.learning_rate": (0.001, "section 4.1"),
    "learning_rate_rule.hold_epochs": (3, "section 4.1"),
    "learning_rate_rule.window_steps": (100, "section 4.1"),
    "trainer.max_epochs": (20, "section 4.1"),
    "data.batch_size": (16, "section 4.1"),
    "data.segment_seconds": (2.0, "section 4.1"),
    "data.statistics": ("corpus", 'section 4.1, "the whole dataset"'),
    "data.corpus.style": ("improvised", "section 4.1"),
    "data.corpus.merge_excited": (False, "counts behind Tables 2 and 3"),
    "init_weights": (None, 'section 4.1, "Xavier initializer"'),
}

TEST_HALVES: tuple[str, ...] = tuple("".join(letters) for letters in product("FM", repeat=5))  # the 32 choices


@dataclass(frozen=True)
class PaperRow:
    """A row of Table 1.

    Args:
        name: the system as the paper writes it.
        system: its class in `ser.systems`.
        wa: WA as printed, a share.
        ua: UA as printed, a share.
        confusion: recovered counts, rows actual; None where the paper prints no matrix.
        test_halves: the tested half of sessions 1-5, where only one choice fits the print.
        source: where the paper took the row from, if not its own.
    """

    name: str
    system: str
    wa: float
    ua: float
    confusion: tuple[Counts, ...] | None = None
    test_halves: str | None = None
    source: str = ""

    @property
    def utterances(self) -> int | None:
        """Size of the test set, where the halves are known."""
        return sum(row_sums(self.test_halves)) if self.test_halves else None


# In the paper's order. The text of section 4.2 prints SeqCap's UA as 56.70, which is what the counts give; 56.71 is
# the mean of the printed recalls. 67.02 fits one choice of halves, 72.73 four of them, 68.80 was measured by others.
TABLE_1: tuple[PaperRow, ...] = (
    PaperRow("CNN_LSTM", "CNNLSTM", 0.6880, 0.5940, source="Satt et al. (2017)"),
    PaperRow("CNN_GRU", "CNNGRU", 0.6702, 0.5184, test_halves="MMFFF"),
    PaperRow("CNN_SeqCap", "CNNSeqCap", 0.6986, 0.5671, SEQCAP_CONFUSION, SEQCAP_TEST_HALVES),
    PaperRow("CNN_RecCap", "CNNRecCap", 0.7062, 0.5817, RECCAP_CONFUSION, RECCAP_TEST_HALVES),
    PaperRow("CNN_GRU-SeqCap", "CNNGRUSeqCap", 0.7273, 0.5971),
)


def row_sums(halves: str, counts: dict[str, tuple[Counts, ...]] = HALF_COUNTS) -> Counts:
    """Tested utterances of each emotion, when this part of each session is tested.

    Args:
        halves: one letter, F or M, for each session.
        counts: of each letter and session.

    Example:
        >>> row_sums("MMFFF")
        (513, 155, 118, 342)
    """
    tested = [counts[letter][session] for session, letter in enumerate(halves)]
    return tuple(map(sum, zip(*tested, strict=True)))


def fitting_counts(percentages: Percentages, tolerance: float, at_most: int) -> dict[int, list[Counts]]:
    """Whole numbers whose percentages are those of a printed row.

    Args:
        percentages: a row of a confusion matrix.
        tolerance: allowed distance of every cell, points.
        at_most: largest row total to try.

    Returns:
        For each total that fits, in ascending order, every row of counts that has this total.

    Example:
        >>> fitting_counts((33.33, 66.67), tolerance=0.005, at_most=6)
        {3: [(1, 2)], 6: [(2, 4)]}
    """
    slack = tolerance + 1e-9  # 0.005 itself is allowed, whatever binary fractions make of it
    fits = {}
    for total in range(1, at_most + 1):
        lowest = [max(ceil(total * (share - slack) / 100), 0) for share in percentages]
        highest = [floor(total * (share + slack) / 100) for share in percentages]
        cells = [range(low, high + 1) for low, high in zip(lowest, highest, strict=True)]
        if rows := [row for row in product(*cells) if sum(row) == total]:
            fits[total] = rows
    return fits


def fitting_matrices(
    table: tuple[Percentages, ...], tolerance: float, counts: dict[str, tuple[Counts, ...]] = HALF_COUNTS
) -> dict[str, list[tuple[Counts, ...]]]:
    """Which of the 32 choices of halves can have made a printed confusion matrix, and with which counts.

    Args:
        table: percentages, rows actual.
        tolerance: allowed distance of every cell, points.
        counts: utterances by dialog half, or by speaker.

    Returns:
        For each choice of halves that fits, every matrix with its row sums whose percentages are those of the print.
    """
    sums = {halves: row_sums(halves, counts) for halves in TEST_HALVES}
    largest = max(max(row) for row in sums.values())
    fits = [fitting_counts(row, tolerance, largest) for row in table]
    fitting = {}
    for halves, totals in sums.items():
        rows = [of_row.get(total, []) for of_row, total in zip(fits, totals, strict=True)]
        if all(rows):
            fitting[halves] = list(product(*rows))
    return fitting


def fitting_halves(
    wa: float, tolerance: float = 0.00005, counts: dict[str, tuple[Counts, ...]] = HALF_COUNTS
) -> dict[str, tuple[int, int]]:
    """Choices of halves on which a printed WA is a ratio of whole numbers, with that ratio.

    Args:
        wa: as printed, a share.
        tolerance: allowed distance, a share (half a unit of the last printed digit).
        counts: utterances by dialog half, or by speaker.

    Example:
        >>> fitting_halves(0.6702)
        {'MMFFF': (756, 1128)}
    """
    fits = {}
    for halves in TEST_HALVES:
        total = sum(row_sums(halves, counts))
        correct = round(wa * total)  # if any whole number fits, the nearest does
        if abs(correct / total - wa) <= tolerance + 1e-12:
            fits[halves] = (correct, total)
    return fits


def distance(halves: str, totals: Counts, counts: dict[str, tuple[Counts, ...]] = HALF_COUNTS) -> int:
    """Utterances by which the row sums of a choice of halves miss those of a matrix, summed over emotions."""
    return sum(abs(found - wanted) for found, wanted in zip(row_sums(halves, counts), totals, strict=True))
