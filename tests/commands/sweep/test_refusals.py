"""Invalid studies: one message and exit code 2, before a folder is created or a worker started."""

import pytest
import yaml
from optuna.distributions import FloatDistribution, IntDistribution

from ser.errors import InputError
from ser.sweep.study.space import Space, describe, dimension
from tests.conftest import CONF

SPACES = {
    "{}": "space must name at least one option",
    "{lr: 3}": "space: lr: give one of int, float, categorical",
    "{lr: {int: [1, 2], float: [1, 2]}}": "give one of",
    "{lr: {integer: [1, 2]}}": "give one of",
    "{lr: {float: []}}": "space: lr: float: List should have at least 2 items",
    "{lr: {categorical: []}}": "space: lr: categorical: List should have at least 1 item",
    "{lr: {categorical: }}": "space: lr: categorical: must be a list (None)",
    "{lr: {categorical: [1, 2, 1]}}": "a value is listed twice",
    "{lr: {categorical: [1, true]}}": "a value is listed twice",
    "{lr: {categorical: [0.0, 1, false]}}": "a value is listed twice",
    "{lr: {categorical: [.nan, 1]}}": "nan is not a single value",
    "{lr: {categorical: [[1, 2], [3]]}}": "is not a single value",
    "{lr: {categorical: [1, 2], step: 1}}": "space: lr: step: no such key",
    "{lr: {float: [2, 1]}}": "empty or reversed",
    "{lr: {int: [3, 3]}}": "empty or reversed",
    "{lr: {float: [.nan, 1]}}": "space: lr: float: 0: must be at most 999999999999999 (nan)",
    "{lr: {float: [0, .inf]}}": "space: lr: float: 1: must be at most 999999999999999 (inf)",
    f"{{lr: {{int: [4, 1{400 * '0'}]}}}}": "space: lr: int: 1: must be at most 999999999999999",
    "{lr: {int: [1, 2, 3]}}": "space: lr: int: List should have at most 2 items",
    "{lr: {int: [1.5, 2]}}": "space: lr: int: 0: must be a whole number (1.5)",
    "{lr: {int: [false, true]}}": "space: lr: int: 0: must be a whole number (False)",
    "{lr: {float: [1, 2], stride: 1}}": "space: lr: stride: no such key (known: step, log)",
    "{lr: {int: [1, 6], step: 2}}": "steps of 2 from 1 do not reach 6",
    "{lr: {int: [1, 5], step: 5000000000}}": "steps of 5000000000 from 1 do not reach 5",
    "{lr: {float: [0, 1], step: .inf}}": "steps of inf from 0.0 do not reach 1.0",
    "{lr: {float: [0, 1], step: 1.0e-300}}": "space: lr: step: must be at least",
    "{lr: {float: [-1.0e+308, 1.0e+308], step: 1.0e+307}}": "space: lr: float: 0: must be at least",
    "{lr: {float: [0, 1], step: 0}}": "space: lr: step: must be at least",
    "{lr: {float: [0, 1], log: true}}": "space: lr: `low > 0` must hold for `log=True`",
    "{lr: {float: [0.1, 1], log: perhaps}}": "space: lr: log: must be true or false ('perhaps')",
}


@pytest.mark.parametrize("space", SPACES)
def test_search_spaces(refused, space):
    message = refused({"space": yaml.safe_load(space), "sampler": "random", "trials": 2})
    assert SPACES[space] in message
    assert "study.yaml" in message


PLANS = {
    "serch: {}": "serch: no such key (known: study, ",
    "study: null": "study: is missing",
    "space: null": "space: is missing",
    "study: 7": "study: must be text (7)",
    "study: a/b": "must be a valid folder name",
    "study: ..": "must be a valid folder name",
    "objective: test/wa": "objective: must be 'val/wa' or 'val/ua' ('test/wa')",
    "objective: train/loss": "objective: must be 'val/wa' or 'val/ua' ('train/loss')",
    "command: fit": "command: must be 'crossval' or 'lambda' ('fit')",
    "sampler: grid": "sampler: must be 'tpe', 'random' or 'exhaustive' ('grid')",
    "pruner: hyperband": "pruner: must be 'none', 'wilcoxon' or 'median' ('hyperband')",
    "{pruner: median, pruner_options: {p: 1}}": "pruner_options",
    "pruner_options: [1]": "pruner_options: must be names with values ([1])",
    "sampler: tpe": "trials is missing",
    "trials: 5": "an exhaustive study has one for every combination",
    "{sampler: tpe, trials: 0}": "trials: must be at least 1 (0)",
    "{sampler: tpe, trials: '5'}": "trials: must be a whole number ('5')",
    "{sampler: tpe, trials: 2.5}": "trials: must be a whole number (2.5)",
    "tries: 0": "tries: must be at least 1 (0)",
    "tries: true": "tries: must be a whole number (True)",
    "heartbeat_seconds: 0": "heartbeat_seconds: must be at least 1 (0)",
    "sampler_seed: -1": "sampler_seed: must be at least 0 (-1)",
    "choose_lambda: sometimes": "choose_lambda: must be true or false ('sometimes')",
    "choose_lambda: true": "CNNGRU has no lambda",
    "config: null": "config is missing",
    "config: 5": "config: must be a list (5)",
    "config: nowhere.yaml": "nowhere.yaml",
    "folds: []": "folds",
    "folds: 0-2": "there is no fold 0",
    "folds: [1, 11]": "there is no fold 11",
    "folds: 4-6": "of both directions",
    "seeds: many": "seeds",
    "space: {model.lambda_: {float: [0, 1], step: 0.1}}": "needs no training",
    "space: {model.gru_unit: {int: [1, 2]}}": "gru_unit",
    "space: {model.gru_units: {int: [-1, 2]}}": "at {'model.gru_units': -1}",
    "space: {model.dropout: {categorical: [0.1, 1.5]}}": "dropout is 1.5",
    "space: {data.fold: {int: [1, 2]}}": "data.fold is set by the study itself",
    "{options: {seed_everything: 2}}": "seed_everything is set by the study itself",
    "{options: {wandb.group: mine}}": "wandb.group is set by the study itself",
    "{options: {modle.dropout: 1}}": "modle",
    "{options: {trainer.devices: 2}}": "trainer.devices",
    "space: {trainer.devices: {int: [1, 2]}}": "trainer.devices: a trial is one process on one device",
    "{options: {trainer.strategy: ddp}}": "trainer.strategy: a trial is one process on one device",
    "space: {model.init_args.lambda_: {float: [0, 1], step: 0.1}}": "needs no training",
    "{options: {data: {fold: 3}}}": "data.fold is set by the study itself",
    "{options: {help: true}}": "help is not allowed in a study",
    "{options: {config: other.yaml}}": "config is not allowed in a study",
    "{options: {trainer.max_epochs: 0}}": "trainer.max_epochs is 0",
    "{options: {trainer.accelerator: abacus}}": "study least: trainer: ",
    "{options: {trainer.gradient_clip_algorithm: bogus}}": "study least: trainer: ",
    "{space: {model: {categorical: [CNNGRUSeqCap, CNNGRU]}}, choose_lambda: true}": "CNNGRU has no lambda",
    "space: {model.dropout: {float: [0, 0.5]}}": "an exhaustive study needs a step",
    "space: {model.gru_units: {int: [1, 20000]}}": "20000 trials",
    "space: {model.gru_units: {int: [1, 999999999999]}}": "999999999999 trials",
    "space: {model.dropout: {float: [0, 0.5], step: 1.0e-12}}": "500000000001 trials",
}


@pytest.mark.parametrize("change", PLANS)
def test_plans(refused, change):
    assert PLANS[change] in refused(yaml.safe_load(change))


def test_files_that_are_no_study(ser, tmp_path):
    for name, text, message in (
        ("list.yaml", "- 1", "not a mapping of keys to values"),
        ("broken.yaml", "study: [", "not YAML"),
        ("latin.yaml", b"study: \xe9t\xe9", "not YAML"),
        ("nowhere.yaml", None, "No such file"),
    ):
        if text is not None:
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        finished = ser("sweep", "--config", tmp_path / name, "--out", tmp_path / "out")
        assert finished.code == 2
        assert name in finished.err
        assert message in finished.err
        assert not (tmp_path / "out").exists()


def test_a_corpus_that_is_not_there(refused, tmp_path):
    options = {"data.corpus": {"class_path": "ser.data.EmoDB", "init_args": {"root": str(tmp_path / "nowhere")}}}
    assert "nowhere" in refused({"options": options})
    assert not (tmp_path / "studies").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trials", 3], "exhaustive and has 2"),
        (["--workers", 0], "0"),
        (["--per-device", 0], "per-device"),
        (["--devices", 99], "99"),
    ],
)
def test_options(refused, arguments, message):
    assert message in refused({}, *arguments)


def test_one_corpus_of_two_is_not_there(refused, short_corpus):
    assert "nowhere.csv" in refused({"space": {"data.corpus.csv": {"categorical": [str(short_corpus), "nowhere.csv"]}}})


def test_first_weights_that_have_heard_who_validates(refused, ser, tiny, tmp_path):
    """They were trained for fold 2 and are accepted there, but were trained on session 3."""
    assert ser("fit", "--config", CONF / "cnn_gru.yaml", *tiny, "--data.fold", 2, "--out", tmp_path / "first").code == 0
    words = dict(zip(tiny[::2], tiny[1::2], strict=True))
    options = {name.removeprefix("--"): str(value) for name, value in words.items()}
    options["init_weights"] = str(tmp_path / "first" / "checkpoints" / "best.ckpt")
    space = {"model.dropout": {"float": [0, 0.5], "step": 0.5}}
    message = refused({"options": options, "space": space, "folds": [2, 3]})
    assert "study least, fold 3" in message
    assert "was trained on" in message


def test_another_patience_with_workers_is_another_study(make_shared):
    """A launcher with a shorter interval would fail the trials of the other launchers' workers."""
    make_shared()
    with pytest.raises(InputError, match="heartbeat_seconds: 20 there, 1 here"):
        make_shared(heartbeat_seconds=1)


def test_the_folder_of_another_study_is_refused(refused, tmp_path):
    folder = tmp_path / "taken"
    folder.mkdir()
    (folder / "study.yaml").write_text("study: another\n")
    assert "is the folder of study another" in refused({}, "--out", folder)
    assert [path.name for path in folder.iterdir()] == ["study.yaml"]


def test_a_distributed_launch(refused, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert "without torchrun" in refused({})


def test_another_study_of_the_same_name_is_refused_with_the_differences(make_shared):
    make_shared({"config": {"model.dropout": 0.5}, "versions": {"torch": "1"}})
    make_shared({"config": {"model.dropout": 0.5}, "versions": {"torch": "1"}})  # an equal study
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


def test_corners_have_both_ends_of_every_range():
    space = Space(
        {
            "a": IntDistribution(1, 5),
            "b": dimension("b", {"categorical": ["x", "y", "z"]}),
            "c": FloatDistribution(0.0, 1.0),
        }
    )
    corners = list(space.corners())
    for name, ends in {"a": {1, 5}, "b": {"x", "y", "z"}, "c": {0.0, 1.0}}.items():
        assert {corner[name] for corner in corners} == ends


def test_ranges_that_differ_are_told_apart():
    """A study is joined if its ranges, as text, are equal."""
    ranges = (
        *("{int: [0, 4]}", "{int: [0, 4], step: 2}", "{float: [0, 4]}", "{float: [0, 4], step: 1}"),
        *("{float: [1, 4], log: true}", "{categorical: [1, 2]}", "{categorical: ['1', '2']}"),
        *("{categorical: [null, true]}", "{categorical: ['null', 'true']}", "{categorical: ['None', 'True']}"),
        *("{categorical: ['a, b', c]}", "{categorical: [a, 'b, c']}", "{categorical: [1.0, 2]}"),
    )
    texts = [describe(dimension("x", yaml.safe_load(text))) for text in ranges]
    assert len(set(texts)) == len(ranges)


def test_the_same_options_in_another_order_are_another_study(make_shared):
    """The points are equal, but trial 1 is another."""
    space = {"a": {"int": [1, 2]}, "b": {"int": [1, 3]}}
    make_shared(space=space)
    with pytest.raises(InputError, match="order of the space"):
        make_shared(space={"b": space["b"], "a": space["a"]})


def test_every_combination_once():
    space = Space(
        {
            "a": dimension("a", {"int": [1, 5], "step": 2}),
            "b": dimension("b", {"float": [0, 1], "step": 0.1}),
        }
    )
    points = list(space.points())
    assert len(points) == len({tuple(point.values()) for point in points}) == 3 * 11
    assert {point["b"] for point in points} == {round(0.1 * place, 12) for place in range(11)}
