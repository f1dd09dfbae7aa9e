"""Two reports that several tests read, each written once for all test processes."""

import pytest

from ser.commands.report import main
from tests.made_up.results import make_result


def write_report(runs, out):
    assert main([*map(str, runs), "--out", str(out)]) == 0


@pytest.fixture(scope="session")
def results(made_once):
    """Three results on one corpus, the last with two branches and averaged epochs."""

    def make(place):
        make_result(place / "seqcap", "CNNSeqCap", skill=1.6)
        make_result(place / "reccap", "CNNRecCap", skill=1.9, seeds=(1, 2))
        make_result(place / "gru_seqcap", "CNNGRUSeqCap", skill=1.7, averaged=5)

    place = made_once("results", make)
    return [place / name for name in ("seqcap", "reccap", "gru_seqcap")]


@pytest.fixture(scope="session")
def report(results, made_once):
    """A report on all three."""
    return made_once("report", lambda place: write_report(results, place / "report")) / "report"


@pytest.fixture(scope="session")
def paper_report(made_once):
    """Results measured on the paper's test sets, and a report on them."""
    options = {"protocol": "wu2019", "corpus": "iemocap"}

    def make(place):
        runs = [
            make_result(place / "seqcap", "CNNSeqCap", halves="MMFFF", **options),
            make_result(place / "reccap", "CNNRecCap", halves="MMFFM", **options),
            make_result(place / "gru", "CNNGRU", halves="MMFFF", skill=0.5, **options),
        ]
        write_report(runs, place / "report")

    place = made_once("wu2019", make)
    return [place / name for name in ("seqcap", "reccap", "gru")], place / "report"
