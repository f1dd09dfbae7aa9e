"""Configurations that `ser fit` refuses: numbers out of range, duplicate keys, files that are not YAML."""

import pytest

from tests.conftest import CONF

HUGE = "9" * 400  # an integer greater than any floating-point number
DIGITS = "f" * 5000  # a hexadecimal number that Python reads, but refuses to print
ALIAS = "an alias (*) uses this value again"
MANY_TIMES = [f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]" for n in range(30)]
EARLY_STOPPING = "{class_path: lightning.pytorch.callbacks.EarlyStopping, init_args: {monitor: train/loss}}"


def model(options: str) -> str:
    return f"model: {{init_args: {{{options}}}}}"


NUMBERS = [
    (model("learning_rate: .nan"), ["model.learning_rate is nan"]),
    (model("learning_rate: .inf"), ["model.learning_rate is inf"]),
    (model("dropout: 1.0"), ["model.dropout is 1.0", "less than 1"]),
    (model("dropout: -.inf"), ["model.dropout is -inf", "at least 0"]),
    (model("dense_units: 0"), ["model.dense_units is 0", "at least 1"]),
    (model("routing_iterations: 101"), ["model.routing_iterations is 101", "at most 100"]),
    (model(f"emo_capsule_dim: {HUGE}"), ["model.emo_capsule_dim is 9999999999"]),
    (model("emo_capsule_dim: 1000, window_capsule_dim: 100"), ["at most 16777216"]),
    (model("window_steps: 100000"), ["model.window_steps is 100000", "at most 10000"]),
    (model("window_shift: 41"), ["model.window_shift is 41", "at most"]),
    (model("window_stride: 0"), ["model.window_stride is 0", "at least 1"]),
    (model("num_window_convolutions: -8"), ["model.num_window_convolutions is -8"]),
    (model("dropout: half"), ["dropout"]),
    ("data: {batch_size: 1000000}", ["data.batch_size is 1000000", "at most 4096"]),
    ("data: {batch_size: 1.5}", ["batch_size"]),
    ("data: {segment_seconds: 0}", ["data.segment_seconds is 0.0", "at least 0.1"]),
    ("data: {min_tail_seconds: 2.5}", ["data.min_tail_seconds is 2.5", "2.0 s"]),
    ("data: {num_workers: 10000}", ["data.num_workers is 10000", "at most 256"]),
    ("data: {max_batch_seconds: -1}", ["data.max_batch_seconds is -1.0"]),
    ("data: {fold: 99999999999999999999}", ["fold is 99999999999999999999", "protocol speaker"]),
    ("trainer: {max_epochs: -1}", ["trainer.max_epochs is -1", "at least 1"]),
    ("trainer: {max_epochs: null}", ["trainer.max_epochs is None", "whole number"]),
    ("trainer: {max_epochs: 1000000000000}", ["trainer.max_epochs is 1000000000000", "at most 100000"]),
    ("trainer: {gradient_clip_val: .nan}", ["trainer.gradient_clip_val is nan"]),
    ("trainer: {gradient_clip_val: -1.5}", ["trainer.gradient_clip_val is -1.5"]),
    ("trainer: {num_nodes: 0}", ["trainer.num_nodes is 0", "at least 1"]),
    ("trainer: {log_every_n_steps: -5}", ["trainer.log_every_n_steps is -5", "at least 0"]),
    ("trainer: {val_check_interval: 1}", ["trainer.val_check_interval is 1", "every epoch"]),
    ("trainer: {devices: 0}", ["trainer: "]),
    ("trainer: {strategy: fsdp, accelerator: cpu}", ["trainer: ", "`fsdp` requires a GPU"]),
    ("trainer: {accelerator: tpu}", ["trainer: "]),
    ("checkpoints: {minutes: .inf}", ["checkpoints.minutes is inf"]),
    ("checkpoints: {minutes: 0}", ["checkpoints.minutes is 0.0"]),
    ("checkpoints: {steps: 0}", ["checkpoints.steps is 0", "at least 1"]),
    ("learning_rate_rule: {hold_epochs: -1}", ["learning_rate_rule.hold_epochs is -1", "at least 0"]),
    ("learning_rate_rule: {window_steps: 1000000000}", ["rule.window_steps is 1000000000", "at most 1000000"]),
    ("learning_rate_rule: {check_every: 0}", ["learning_rate_rule.check_every is 0", "at least 1"]),
    ("{trainer: {max_epochs: 1}, epochs_averaged: 2}", ["epochs_averaged is 2", "at most 1"]),
    ("seed_everything: 4294967296", ["seed_everything is 4294967296", "at most 4294967295"]),
]
UNREADABLE = [
    ("data: " + "[" * 20_000, ["mine.yaml"]),
    ("data: " + "{a: " * 3000 + "1" + "}" * 3000, ["mine.yaml"]),
    (f"data: {{batch_size: {'9' * 5000}}}", ["mine.yaml:1:", "number of 5000 characters"]),
    (f"data: {{batch_size: 0x{DIGITS}}}", ["mine.yaml:1:", "number of 5002 characters"]),
    (f"data: {{batch_size: 1{':59' * 3000}}}", ["mine.yaml:1:", "number of 9001 characters"]),
    (f"\nseed_everything: 0x{DIGITS}", ["mine.yaml:2:", "number of 5002 characters"]),
    (model(f"learning_rate: 0x{DIGITS}"), ["mine.yaml:1:", "number of 5002 characters"]),
    ("data: {fold: !!timestamp 2020-13-45}", ["mine.yaml", "month must be in 1..12"]),
    ("data: &d {corpus: *d}", ["mine.yaml:1:", ALIAS]),
    (f"trainer: {{callbacks: [{EARLY_STOPPING}]}}", ["trainer.callbacks: EarlyStopping is not allowed"]),
    ("trainer: {callbacks: &c [*c]}", ["mine.yaml:1:", ALIAS]),
    ("data: &a\n  <<: *a", ["mine.yaml:1:", ALIAS]),
    ("\n".join(["a0: &a0 [x]", *MANY_TIMES]), [ALIAS]),  # expands to more than fits into memory
    ("? [a, b]\n: 1", ["mine.yaml:1:", "not one word"]),
    ('out: "a\\0b"', ["--out 'a\\x00b'", "null byte"]),
    ("# für mich\n".encode("latin-1"), ["not UTF-8"]),
    (
        "trainer: {callbacks: {init_args: {logging_interval: step}}}",
        [
            "ser: trainer.callbacks: options without a class",
            "first name a class that has them",
            "--trainer.callbacks CLASS",
        ],
    ),
]
TWICE = [  # content of mine.yaml, and of other.yaml, which it can name
    ("data: {fold: 1}\ntrainer: {}\ndata: {fold: 2}", "", ["mine.yaml:3:", "'data'"]),
    ("data:\n  fold: 1\n  fold: 1", "", ["mine.yaml:3:", "'fold'", "line 2"]),
    ("data: {fold: 1}\ndata.fold: 99", "", ["mine.yaml:2:", "'data.fold'"]),
    ("data.fold: 99\ndata: {fold: 1}", "", ["mine.yaml:2:", "'fold'"]),
    (model("dropout: 0.1")[:-1] + ", init_args.dropout: 0.9}", "", ["mine.yaml:1:", "'init_args.dropout'"]),
    (model("dropout: 0.1")[:-1] + ", dropout: 0.9}", "", ["mine.yaml:1:", "'dropout'"]),
    ("trainer: other.yaml", "max_epochs: 1\nmax_epochs: 2", ["other.yaml:2:", "'max_epochs'"]),
    ("data: other.yaml", "fold: 1\nfold: 2", ["other.yaml:2:", "'fold'"]),
    ("model: other.yaml", "class_path: CNNGRU\nclass_path: CNNGRU", ["other.yaml", "'class_path'"]),
    ("data: {corpus: other.yaml}", "init_args: {}\ninit_args: {}", ["other.yaml", "'init_args'"]),
]
UNKNOWN = [
    ("modle: {class_path: ser.systems.CNNRecCap}", ["modle"]),
    ("optimiser: null", ["optimiser"]),
    ("data: {protocl: speaker}", ["protocl"]),
    ("data: {corpus: {class_path: ser.data.Synthetic, init_args: {rot: x}}}", ["rot"]),
    ("model: {class_path: ser.systems.CNNRecCap, init_args: {rooting: 3}}", ["rooting"]),
    ("trainer: {max_epoch: 3}", ["max_epoch"]),
    ("model: {class_path: ser.systems.CNNRekCap}", ["CNNRekCap"]),
]
NEAREST = [  # content of mine.yaml; line and key in the message, and the suggested key
    ("\nmodle: {class_path: x}", ["mine.yaml:2: modle.class_path: ", "model?"]),
    ("data:\n  fodl: 3", ["mine.yaml:2: data.fodl: ", "data.fold?"]),
    ("data.fodl: 3", ["mine.yaml:1: data.fodl: ", "data.fold?"]),
    (
        "data: {corpus: {class_path: ser.data.Synthetic,\n  init_args: {rot: x}}}",
        ["mine.yaml:2: data.corpus.rot: ", "data.corpus.root?"],
    ),
    ("wandb: beside.yaml", ["beside.yaml:2: wandb.moed: ", "wandb.mode?"]),
    ("data: data.yaml", ["data.yaml:1: data.corpus.rot: ", "data.corpus.root?"]),
]
BESIDE = {
    "beside.yaml": "# W&B\nmoed: offline",
    "data.yaml": "corpus: {class_path: ser.data.IEMOCAP, init_args: {rot: x}}",
}
NO_FILES = [
    ("trainer:\n\tmax_epochs: 1", ["ser: mine.yaml:2: a tab", "spaces"]),
    ("data:\n  fold: 1\n\t  seed: 1", ["ser: mine.yaml:3: a tab", "spaces"]),
    ("data: {}\n---\ndata: {}", ["ser: mine.yaml:2: a second document", "one configuration"]),
    ("data: {fold: 1\ntrainer: }", ["ser: mine.yaml:2: not YAML: "]),
    ("data: {fold: '\x07'}", ["ser: mine.yaml:1: not YAML: "]),
    ("- data", ["ser: mine.yaml: not a mapping of keys to values"]),
]
PLACES = {
    "config": ["fit", "--config", CONF / "reccap.yaml", "--config", "mine.yaml"],
    "trainer": ["fit", "--config", CONF / "reccap.yaml", "--trainer=mine.yaml"],
    "nested": ["fit", "--config", CONF / "reccap.yaml", "--config", "outer.yaml"],
    "study": ["sweep", "--config", "mine.yaml"],
    "protocol": ["protocol", "speaker", "--data", "mine.yaml"],
}


@pytest.fixture
def refused_file(refused, tiny):
    """Give `ser fit` a file of options, which must be refused; return the message."""
    here = ("--trainer.max_epochs", "--data.segment_seconds", "--data.min_tail_seconds")
    pairs = zip(tiny[::2], tiny[1::2], strict=True)  # options given here would override the file's values
    corpus = [word for name, value in pairs if name not in here for word in (name, value)]

    def give(text, parts, system="seqcap", **beside):
        words = ["fit", "--config", CONF / f"{system}.yaml", *corpus, "--config", "mine.yaml"]
        return refused(words, parts, {"mine.yaml": text, **{f"{name}.yaml": text for name, text in beside.items()}})

    return give


@pytest.mark.parametrize(("text", "parts"), [*NUMBERS, *UNKNOWN])
def test_values_and_keys(refused_file, text, parts):
    refused_file(text, parts)


@pytest.mark.parametrize(("text", "parts"), UNREADABLE, ids=range(len(UNREADABLE)))
def test_what_cannot_be_read_or_shown(refused_file, text, parts):
    assert len(refused_file(text, parts)) < 5000


@pytest.mark.parametrize(
    ("system", "options", "parts"),
    [
        ("cnn_gru", "gru_units: 5000", ["model.gru_units is 5000", "at most 4096"]),
        ("cnn_lstm", "lstm_units: 0", ["model.lstm_units is 0"]),
        ("gru_seqcap", "lambda_: .nan", ["model.lambda_ is nan"]),
    ],
)
def test_options_of_other_systems(refused_file, system, options, parts):
    refused_file(model(options), parts, system)


@pytest.mark.parametrize(("text", "other", "parts"), TWICE)
def test_a_key_that_stands_twice(refused_file, text, other, parts):
    refused_file(text, parts, **({"other": other} if other else {}))


@pytest.mark.parametrize(("text", "parts"), NEAREST)
@pytest.mark.parametrize("command", ["fit", "crossval"])
@pytest.mark.parametrize("folder", ["", "below/"])
def test_a_wrong_key_is_named_with_its_line_and_the_nearest_one(refused, text, parts, command, folder):
    files = {f"{folder}{name}": written for name, written in {"mine.yaml": text, **BESIDE}.items()}
    words = [command, "--config", CONF / "reccap.yaml", "--config", f"{folder}mine.yaml"]
    refused(words, [f"ser: {folder}{parts[0]}", *parts[1:]], files)


@pytest.mark.parametrize(("text", "parts"), NO_FILES)
@pytest.mark.parametrize("place", PLACES)
def test_a_file_that_is_none_is_named_with_its_line(refused, text, parts, place):
    refused(PLACES[place], parts, {"mine.yaml": text, "outer.yaml": "data: mine.yaml"})
