"""The note on the best trial says that the test set took no part in the choice only if that is true."""

from types import SimpleNamespace

import pytest
from optuna.distributions import CategoricalDistribution

from ser.emotions import PAPER_EMOTIONS
from ser.results.pooled import describe_pooled
from ser.results.pooled_result import read_pooled
from ser.sweep.outcome.best_trial import claim
from ser.sweep.study.plan import read_plan
from ser.sweep.study.space import Space
from tests.conftest import CONF
from tests.made_up.results import make_result

NO_PART = "the test set took no part in the choice"


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    """The cross-validation of the best configuration."""
    return make_result(tmp_path_factory.mktemp("claim") / "best", "CNNSeqCap", folds=[1, 2])


@pytest.mark.parametrize(
    ("statistics", "varied", "words"),
    [
        ("train", [], NO_PART),
        (None, [], NO_PART),
        ("corpus", [], "its audio standardises the input (data.statistics: corpus)"),
        ("speaker", [], "its audio standardises the input (data.statistics: speaker)"),
        ("train", ["train", "corpus", "speaker"], "(data.statistics: corpus and speaker)"),
    ],
)
def test_a_study_whose_input_is_standardised_with_test_audio_says_so(tested, statistics, varied, words):
    plan = read_plan(CONF.parent / "sweeps" / "demo.yaml")
    dimensions = {**plan.space.dimensions, **({"data.statistics": CategoricalDistribution(varied)} if varied else {})}
    row = SimpleNamespace(user_attrs=read_pooled(tested).about["validation"], params={})
    shared = SimpleNamespace(plan=SimpleNamespace(space=Space(dimensions), folds=(1, 2)), results=lambda: {0: row})
    data = {"statistics": statistics} if statistics else {}  # configurations of older versions can lack it
    table = claim(SimpleNamespace(shared=shared, best=0, saved=None, counts="6 trials", config={"data": data}), tested)
    assert words in table.notes[-1]
    assert (NO_PART in table.notes[-1]) is (words == NO_PART)


def test_a_ua_over_fewer_emotions_is_not_put_beside_another_without_a_word(tested):
    pooled = read_pooled(tested)
    rows = {"validation": pooled.validation, "test": pooled.predictions[pooled.predictions.emotion != "sad"]}
    even = {f"{branch}_p_{emotion}": 0.25 for branch in ("capsule", "gru") for emotion in PAPER_EMOTIONS}
    saved = SimpleNamespace(**{name: table.assign(**even) for name, table in rows.items()})
    plan = SimpleNamespace(space=Space({}), folds=(1, 2))
    row = SimpleNamespace(user_attrs={"wa": 0.5, "ua": 0.5}, params={"model.lambda_": 0.6})
    shared = SimpleNamespace(plan=plan, results=lambda: {0: row})
    notes = claim(SimpleNamespace(shared=shared, best=0, saved=saved, counts="1", config={"data": {}}), None).notes
    assert "test, UA is the mean over 3 of 4 emotions." in notes
    assert not any(note.startswith("validation, UA") for note in notes)


def test_the_result_of_a_cross_validation_says_whose_audio_standardised_it(tested):
    about = {**read_pooled(tested).about, "intervals": {"wa": None, "ua": None}}
    assert "statistics" not in describe_pooled(about)
    heard = {**about, "statistics": "corpus (test audio takes part)"}
    assert "2 runs pooled (2 of 10 folds), statistics: corpus (test audio takes part)" in describe_pooled(heard)
