"""Two reports that several tests look at, each written by one test process for all."""

import pytest

from ser.commands.report import main
from tests.conftest import make_once
from tests.made_up.results import make_result


def write_report(runs, out):
    assert main([*map(str, runs), "--out", str(out)]) == 0


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """Three results on one corpus, the last with two branches and averaged epochs."""

    def make(place):
        make_result(place / "seqcap", "CNNSeqCap", skill=1.6)
        make_result(place / "reccap", "CNNRecCap", skill=1.9, seeds=(1, 2))
        make_result(place / "gru_seqcap", "CNNGRUSeqCap", skill=1.7, averaged=5)

    place = make_once(tmp_path_factory, "results", make)
    return [place / name for name in ("seqcap", "reccap", "gru_seqcap")]


@pytest.fixture(scope="session")
def report(results, tmp_path_factory):
    """A report on all three."""
    return make_once(tmp_path_factory, "report", lambda out: write_report(results, out))


@pytest.fixture(scope="session")
def paper_report(tmp_path_factory):
    """Results measured on the paper's own test sets, and a report on them."""
    options = {"protocol": "wu2019", "corpus": "iemocap"}

    def make(place):
        make_result(place / "seqcap", "CNNSeqCap", halves="MMFFF", **options)
        make_result(place / "reccap", "CNNRecCap", halves="MMFFM", **options)
        make_result(place / "gru", "CNNGRU", halves="MMFFF", skill=0.5, **options)

    place = make_once(tmp_path_factory, "wu2019", make)
    runs = [place / name for name in ("seqcap", "reccap", "gru")]
    return runs, make_once(tmp_path_factory, "wu2019-report", lambda out: write_report(runs, out))
