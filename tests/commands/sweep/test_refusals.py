"""Refusals of `ser sweep`: one message and exit code 2, before a folder is created or a worker started."""

import pytest
import yaml

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
    "heartbeat_seconds: 1000000": "heartbeat_seconds: must be at most 86400 (1000000)",
    "tries: -1": "tries: must be at least 1 (-1)",
    "sampler_seed: 4294967296": "sampler_seed: must be at most 4294967295 (4294967296)",
    "sampler_seed: -1": "sampler_seed: must be at least 0 (-1)",
    "choose_lambda: sometimes": "choose_lambda: must be true or false ('sometimes')",
    "choose_lambda: true": "CNNGRU has no lambda",
    "config: null": "config is missing",
    "config: 5": "config: must be a list (5)",
    "config: nowhere.yaml": "nowhere.yaml",
    "folds: []": "folds",
    "folds: 0-2": "there is no fold 0",
    "folds: [1, 11]": "there is no fold 11",
    "folds: [1, 6]": "fold 1 validates utterances that fold 6 tests",
    "seeds: many": "seeds",
    "space: {model.lambda_: {float: [0, 1], step: 0.1}}": "needs no training",
    "space: {model.gru_unit: {int: [1, 2]}}": "gru_unit",
    "space: {model.gru_units: {int: [-1, 2]}}": "at {'model.gru_units': -1}",
    "space: {model.dropout: {categorical: [0.1, 1.5]}}": "dropout is 1.5",
    "space: {data.fold: {int: [1, 2]}}": "data.fold",
    "{options: {seed_everything: 2}}": "seed_everything",
    "{options: {wandb.group: mine}}": "wandb.group",
    "{options: {modle.dropout: 1}}": "modle",
    "{options: {trainer.devices: 2}}": "trainer.devices",
    "space: {trainer.devices: {int: [1, 2]}}": "trainer.devices: a trial is one process",
    "{options: {trainer.strategy: ddp}}": "trainer.strategy: a trial is one process",
    "space: {model.init_args.lambda_: {float: [0, 1], step: 0.1}}": "needs no training",
    "{options: {data: {fold: 3}}}": "data.fold",
    "{options: {data.corpus: {class_path: ser.data.EmoDB, init_args: {root: nowhere}}}}": "nowhere",
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
TWICE = "study: least\nconfig: none.yaml\nspace: {lr: {int: [4, 5]}}\nsampler: random\ntrials: 2\ntrials: 3"
FILES = {
    "list.yaml": ("- 1", ["not a mapping of keys to values"]),
    "broken.yaml": ("study: [", ["not YAML"]),
    "latin.yaml": (b"study: \xe9t\xe9", ["not YAML"]),
    "nowhere.yaml": (None, ["No such file"]),
    "twice.yaml": (TWICE, ["twice.yaml:6:", "'trials'", "line 5"]),
}
ARGUMENTS = [  # after a valid study
    (["--trials", 3], ["exhaustive and has 2"]),
    (["--workers", 0], ["--workers is 0"]),
    (["--per-device", 0], ["per-device"]),
    (["--devices", 99], ["devices is 99"]),
    (["--out", "taken"], ["taken", "is the folder of study another"]),
    (["--data.fodl", 3], ["data.fodl: no such option", "data.fold?", "(all options: ser fit --help,"]),
    (["--wrkers", 3], ["ser: --wrkers: no such option", "--workers?", "(all options", ": ser sweep --help"]),
    (["--data.corpus.tiles", 3], ["tiles"]),
]
STORAGES = [
    ("postgresql://ann:se%2Fcret@127.0.0.1:1/ser", ["postgresql://ann:***@127.0.0.1:1/ser cannot be used"]),
    ("postgresql://ann:Planted-7f3a@cr:et@127.0.0.1:1/ser", ["cannot be used", "%40"]),
    ("postgresql://u:p:w@h:port/db", ["cannot be used"]),
    ("nonsense", ["cannot be used"]),
    ("mysteryql://host/ser", ["cannot be used"]),
    ("sqlite:////nowhere/at/all/study.db", ["cannot be used"]),
    ("sqlite://", ["in memory"]),
    ("sqlite:///:memory:", ["in memory"]),
]
SECRETS = ("cret", "Planted", "et@", "cr:et", "'et", "p:w")


@pytest.fixture
def refused_study(refused, write_study):
    """Run `ser sweep` on a study with changes, which must be refused; return the message."""

    def run(changes, parts, *words, files=None):
        return refused(["sweep", "--config", write_study(**changes), "--out", "out", *words], parts, files)

    return run


@pytest.mark.parametrize("space", SPACES)
def test_search_spaces(refused_study, space):
    refused_study({"space": yaml.safe_load(space), "sampler": "random", "trials": 2}, ["study.yaml", SPACES[space]])


@pytest.mark.parametrize("change", PLANS)
def test_plans(refused_study, change):
    refused_study(yaml.safe_load(change), [PLANS[change]])


@pytest.mark.parametrize(("words", "parts"), ARGUMENTS)
def test_arguments(refused_study, words, parts):
    refused_study({}, parts, *words, files={"taken/study.yaml": "study: another\n"})


@pytest.mark.parametrize(("url", "parts"), STORAGES)
def test_storages(refused_study, url, parts):
    """The study's folder is created and locked before its storage is opened."""
    message = refused_study({}, parts, "--storage", url, files={"out/.lock": ""})
    assert not [secret for secret in SECRETS if secret in message]


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_study(refused, name):
    text, parts = FILES[name]
    refused(["sweep", "--config", name, "--out", "out"], [name, *parts], {} if text is None else {name: text})


@pytest.mark.parametrize("command", ["status", "report"])
def test_what_was_not_started_is_neither_shown_nor_reported(refused, command):
    words = ["sweep", command, CONF.parent / "sweeps" / "joint.yaml", "--study", "study"]
    refused(words, ["has not been started"])


def test_a_look_at_a_study_that_is_not_there_makes_no_file(refused, write_study):
    refused(["sweep", "status", write_study(), "--storage", "sqlite:///typo.db"], ["has not been started"])


def test_one_corpus_of_two_is_not_there(refused_study, short_corpus):
    values = [str(short_corpus), "nowhere.csv"]
    refused_study({"space": {"data.corpus.csv": {"categorical": values}}}, ["nowhere.csv"])


def test_first_weights_that_have_heard_who_validates(refused_study, best_of, tiny):
    """Weights trained for fold 1 are allowed in fold 1, but were trained on session 2, which validates fold 2."""
    words = dict(zip(tiny[::2], tiny[1::2], strict=True))
    options = {name.removeprefix("--"): str(value) for name, value in words.items()}
    options["init_weights"] = str(best_of("cnn_gru"))
    space = {"model.dropout": {"float": [0, 0.5], "step": 0.5}}
    refused_study({"options": options, "space": space, "folds": [1, 2]}, ["study least, fold 2", "was trained on"])


def test_a_distributed_launch(refused_study, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    refused_study({}, ["without torchrun"])
