"""The studies that a command can join, and the random numbers of their workers."""

import pytest

from ser.errors import InputError


def test_another_patience_with_workers_is_another_study(make_shared):
    """A process with a shorter heartbeat would fail the trials of other processes' workers."""
    make_shared()
    with pytest.raises(InputError, match="heartbeat_seconds: 20 there, 1 here"):
        make_shared(heartbeat_seconds=1)


def test_another_study_of_the_same_name_is_refused_with_the_differences(make_shared):
    make_shared({"config": {"model.dropout": 0.5}, "versions": {"torch": "1"}})
    make_shared({"config": {"model.dropout": 0.5}, "versions": {"torch": "1"}})  # the same one
    with pytest.raises(InputError) as refused:
        make_shared(
            {"config": {"model.dropout": 0.2}, "versions": {"torch": "2"}},
            space={"model.gru_units": {"int": [1, 5]}},
            objective="val/ua",
            folds=[2],
            sampler_seed=4,
        )
    for difference in (
        "space: model.gru_units: int 1 to 4 there, int 1 to 5 here",
        "objective: val/wa there, val/ua here",
        "folds: [1] there, [2] here",
        "sampler_seed: 1 there, 4 here",
        "model.dropout: 0.5 there, 0.2 here",
        "version of torch: 1 there, 2 here",
    ):
        assert difference in str(refused.value)


def test_the_points_of_a_random_study_are_known_in_advance(make_shared):
    """More trials continue the same sequence, on every machine."""
    fewer, more = (
        make_shared(study=f"random{trials}", sampler="random", trials=trials).plan.points for trials in (3, 6)
    )
    assert more[:3] == fewer


def test_a_worker_that_is_started_again_draws_other_numbers(make_shared):
    plan = make_shared(sampler="tpe", trials=4).plan
    drawn = {
        (worker, begun): plan.make_sampler(worker, begun)._rng.rng.random() for worker in range(3) for begun in range(3)
    }
    assert len(set(drawn.values())) == 9


def test_the_same_options_in_another_order_are_another_study(make_shared):
    """The points are the same, but their trial numbers differ."""
    space = {"a": {"int": [1, 2]}, "b": {"int": [1, 3]}}
    make_shared(space=space)
    with pytest.raises(InputError, match="order of the space"):
        make_shared(space={"b": space["b"], "a": space["a"]})
