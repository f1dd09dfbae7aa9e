"""Two reports used by several tests."""

import pytest

from ser.commands.report import main
from tests.made_up.results import make_result


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """Three results on one corpus; the last has two branches and averaged epochs."""
    place = tmp_path_factory.mktemp("runs")
    return [
        make_result(place / "seqcap", "CNNSeqCap", skill=1.6),
        make_result(place / "reccap", "CNNRecCap", skill=1.9, seeds=(1, 2)),
        make_result(place / "gru_seqcap", "CNNGRUSeqCap", skill=1.7, averaged=5),
    ]


@pytest.fixture(scope="session")
def report(results, tmp_path_factory):
    """A report on all three."""
    out = tmp_path_factory.mktemp("reports") / "all"
    assert main([*map(str, results), "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="session")
def paper_report(tmp_path_factory):
    """A report on results with the paper's test sets, and the folder of these results."""
    place = tmp_path_factory.mktemp("wu2019")
    options = {"protocol": "wu2019", "corpus": "iemocap"}
    runs = [
        make_result(place / "seqcap", "CNNSeqCap", halves="MMFFF", **options),
        make_result(place / "reccap", "CNNRecCap", halves="MMFFM", **options),
        make_result(place / "gru", "CNNGRU", halves="MMFFF", skill=0.5, **options),
    ]
    out = place / "report"
    assert main([*map(str, runs), "--out", str(out)]) == 0
    return runs, out
