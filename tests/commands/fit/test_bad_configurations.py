"""Numbers out of their range, keys that stand twice, classes that are none: refused by key, value and range."""

import pytest

from tests.conftest import CONF


def without(options, *names) -> list:
    """Options on a command line, less some and their values."""
    pairs = zip(options[::2], options[1::2], strict=True)
    return [word for name, value in pairs if name not in names for word in (name, value)]


@pytest.fixture
def refused(ser, tiny, tmp_path, monkeypatch):
    """Give a file of options to `ser fit`; what it says. Nothing may be left behind."""
    monkeypatch.chdir(tmp_path)

    def give(text, system="seqcap", **beside):
        for name, content in {"mine": text, **beside}.items():
            (tmp_path / f"{name}.yaml").write_text(content)
        files = sorted(path.name for path in tmp_path.iterdir())
        here = ("--trainer.max_epochs", "--data.segment_seconds", "--data.min_tail_seconds")
        options = without(tiny, *here)  # given here, a file's values would not count
        finished = ser("fit", "--config", CONF / f"{system}.yaml", *options, "--config", "mine.yaml")
        assert finished.code == 2, finished
        assert "Traceback" not in finished.err
        assert sorted(path.name for path in tmp_path.iterdir()) == files
        return finished.err

    return give


HUGE = "9" * 400  # as an integer more than any floating-point number


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: {init_args: {learning_rate: .nan}}", "model.learning_rate is nan, but must be"),
        ("model: {init_args: {learning_rate: .inf}}", "model.learning_rate is inf, but must be"),
        ("model: {init_args: {dropout: 1.0}}", "model.dropout is 1.0, but must be less than 1"),
        ("model: {init_args: {dropout: -.inf}}", "model.dropout is -inf, but must be at least 0"),
        ("model: {init_args: {dense_units: 0}}", "model.dense_units is 0, but must be at least 1"),
        ("model: {init_args: {routing_iterations: 101}}", "model.routing_iterations is 101, but must be at most 100"),
        (f"model: {{init_args: {{emo_capsule_dim: {HUGE}}}}}", "model.emo_capsule_dim is 9999999999"),
        ("model: {init_args: {emo_capsule_dim: 1000, window_capsule_dim: 100}}", "must make at most 16777216"),
        ("model: {init_args: {window_steps: 100000}}", "model.window_steps is 100000, but must be at most 10000"),
        (
            "model: {init_args: {window_shift: 41}}",
            "model.window_shift is 41, but must be at most",
        ),
        ("model: {init_args: {window_stride: 0}}", "model.window_stride is 0, but must be at least 1"),
        ("model: {init_args: {num_window_convolutions: -8}}", "model.num_window_convolutions is -8, but must be"),
        ("data: {batch_size: 1000000}", "data.batch_size is 1000000, but must be at most 4096"),
        ("data: {segment_seconds: 0}", "data.segment_seconds is 0.0, but must be at least 0.1"),
        ("data: {min_tail_seconds: 2.5}", "data.min_tail_seconds is 2.5, but segments have only 2.0 s"),
        ("data: {num_workers: 10000}", "data.num_workers is 10000, but must be at most 256"),
        ("data: {max_batch_seconds: -1}", "data.max_batch_seconds is -1.0, but must be"),
        ("data: {fold: 99999999999999999999}", "fold is 99999999999999999999, but protocol speaker"),
        ("trainer: {max_epochs: -1}", "trainer.max_epochs is -1, but must be at least 1"),
        ("trainer: {max_epochs: null}", "trainer.max_epochs is None, but must be a whole number"),
        ("trainer: {max_epochs: 1000000000000}", "trainer.max_epochs is 1000000000000, but must be at most 100000"),
        ("trainer: {gradient_clip_val: .nan}", "trainer.gradient_clip_val is nan, but must be"),
        ("trainer: {gradient_clip_val: -1.5}", "trainer.gradient_clip_val is -1.5, but must be"),
        ("trainer: {num_nodes: 0}", "trainer.num_nodes is 0, but must be at least 1"),
        ("trainer: {log_every_n_steps: -5}", "trainer.log_every_n_steps is -5, but must be at least 0"),
        ("trainer: {val_check_interval: 1}", "trainer.val_check_interval is 1, but a run validates every epoch"),
        ("trainer: {devices: 0}", "trainer: "),
        ("trainer: {strategy: fsdp, accelerator: cpu}", "trainer: The strategy `fsdp` requires a GPU"),
        ("trainer: {accelerator: tpu}", "trainer: "),
        ("checkpoints: {minutes: .inf}", "checkpoints.minutes is inf, but must be"),
        ("checkpoints: {minutes: 0}", "checkpoints.minutes is 0.0, but must be"),
        ("checkpoints: {steps: 0}", "checkpoints.steps is 0, but must be at least 1"),
        ("learning_rate_rule: {hold_epochs: -1}", "learning_rate_rule.hold_epochs is -1, but must be at least 0"),
        (
            "learning_rate_rule: {window_steps: 1000000000}",
            "learning_rate_rule.window_steps is 1000000000, but must be at most 1000000",
        ),
        ("learning_rate_rule: {check_every: 0}", "learning_rate_rule.check_every is 0, but must be at least 1"),
        ("{trainer: {max_epochs: 1}, epochs_averaged: 2}", "epochs_averaged is 2, but must be at most 1"),
        ("seed_everything: 4294967296", "seed_everything is 4294967296, but must be at most 4294967295"),
        ("model: {init_args: {dropout: half}}", "dropout"),
        ("data: {batch_size: 1.5}", "batch_size"),
    ],
)
def test_numbers(refused, text, message):
    assert message in refused(text)


DIGITS = "f" * 5000  # in hexadecimal, read as a number that Python does not print


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data: " + "[" * 20_000, ["mine.yaml"]),
        ("data: " + "{a: " * 3000 + "1" + "}" * 3000, ["mine.yaml"]),
        (f"data: {{batch_size: {'9' * 5000}}}", ["mine.yaml:1: a number of 5000 characters"]),
        (f"data: {{batch_size: 0x{DIGITS}}}", ["mine.yaml:1: a number of 5002 characters"]),
        (f"data: {{batch_size: 1{':59' * 3000}}}", ["mine.yaml:1: a number of 9001 characters"]),
        (f"\nseed_everything: 0x{DIGITS}", ["mine.yaml:2: a number of 5002 characters"]),
        (f"model: {{init_args: {{learning_rate: 0x{DIGITS}}}}}", ["mine.yaml:1: a number of 5002 characters"]),
        ("data: {fold: !!timestamp 2020-13-45}", ["mine.yaml", "month must be in 1..12"]),
        ("data: &d {corpus: *d}", ["mine.yaml:1: an alias (*) uses this value again"]),
        (
            "trainer: {callbacks: [{class_path: lightning.pytorch.callbacks.EarlyStopping, "
            "init_args: {monitor: train/loss}}]}",
            ["trainer.callbacks: EarlyStopping is not allowed: it stops a run early"],
        ),
        ("trainer: {callbacks: &c [*c]}", ["mine.yaml:1: an alias (*) uses this value again"]),
        ("data: &a\n  <<: *a", ["mine.yaml:1: an alias (*) uses this value again"]),
        ("? [a, b]\n: 1", ["mine.yaml:1: a key that is not one word"]),
        ('out: "a\\0b"', ["--out 'a\\x00b': embedded null byte"]),
    ],
    ids=range(14),
)
def test_what_cannot_be_read_or_shown(refused, text, words):
    said = refused(text)
    assert len(said) < 5000
    for word in words:
        assert word in said


def test_aliases_that_expand_to_more_than_any_memory(refused):
    lines = ["a0: &a0 [x]", *(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]" for n in range(30))]
    assert "an alias (*) uses this value again" in refused("\n".join(lines))


def test_sizes_of_the_recurrent_branch(refused):
    message = "model.gru_units is 5000, but must be at most 4096"
    assert message in refused("model: {init_args: {gru_units: 5000}}", "cnn_gru")
    assert "model.lstm_units is 0, but must be" in refused("model: {init_args: {lstm_units: 0}}", "cnn_lstm")
    assert "model.lambda_ is nan, but must be" in refused("model: {init_args: {lambda_: .nan}}", "gru_seqcap")


@pytest.mark.parametrize(
    ("text", "beside", "words"),
    [
        ("data: {fold: 1}\ntrainer: {}\ndata: {fold: 2}", {}, ["mine.yaml:3: duplicate key 'data'"]),
        ("data:\n  fold: 1\n  fold: 1", {}, ["mine.yaml:3: duplicate key 'fold'", "first in line 2"]),
        ("data: {fold: 1}\ndata.fold: 99", {}, ["mine.yaml:2: duplicate key 'data.fold'"]),
        ("data.fold: 99\ndata: {fold: 1}", {}, ["mine.yaml:2: duplicate key 'fold'"]),
        (
            "model: {init_args: {dropout: 0.1}, init_args.dropout: 0.9}",
            {},
            ["mine.yaml:1: duplicate key 'init_args.dropout'"],
        ),
        ("model: {init_args: {dropout: 0.1}, dropout: 0.9}", {}, ["mine.yaml:1: duplicate key 'dropout'"]),
        (
            "trainer: other.yaml",
            {"other": "max_epochs: 1\nmax_epochs: 2"},
            ["other.yaml:2: duplicate key 'max_epochs'"],
        ),
        ("data: other.yaml", {"other": "fold: 1\nfold: 2"}, ["other.yaml:2: duplicate key 'fold'"]),
        (
            "model: other.yaml",
            {"other": "class_path: CNNGRU\nclass_path: CNNGRU"},
            ["other.yaml", "duplicate key 'class_path'"],
        ),
        (
            "data: {corpus: other.yaml}",
            {"other": "init_args: {}\ninit_args: {}"},
            ["other.yaml", "duplicate key 'init_args'"],
        ),
    ],
)
def test_a_key_that_stands_twice(refused, text, beside, words):
    said = refused(text, **beside)
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--jobs", 100000], "jobs is 100000, but must be at most 1024"),
        (["--seeds", "4294967296"], "seeds is 4294967296, but must be at most 4294967295"),
        (["--folds", "0"], "folds: there is no fold 0"),
        (["--folds", "1-99999999"], "more than 10000 numbers"),
        (["--seeds", f"1-{'9' * 30}"], "more than 10000 numbers"),
    ],
)
def test_numbers_of_a_cross_validation(ser, tiny, tmp_path, options, message):
    out = tmp_path / "out"
    finished = ser("crossval", "--config", CONF / "cnn_gru.yaml", *tiny, *options, "--out", out)
    assert (finished.code, "Traceback" in finished.err) == (2, False)
    assert message in finished.err
    assert not out.exists()


STUDY = "study: s\nconfig: cnn_gru.yaml\nspace: {model.gru_units: {int: [4, 5]}}\nsampler: random\ntrials: 2\n"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("trials: 3", "study.yaml:6: duplicate key 'trials' (first in line 5)"),
        ("heartbeat_seconds: 1000000", "heartbeat_seconds: must be at most 86400 (1000000)"),
        ("tries: -1", "tries: must be at least 1 (-1)"),
        ("sampler_seed: 4294967296", "sampler_seed: must be at most 4294967295 (4294967296)"),
    ],
)
def test_studies(ser, tmp_path, more, message):
    (tmp_path / "study.yaml").write_text(STUDY + more)
    finished = ser("sweep", "status", tmp_path / "study.yaml")
    assert (finished.code, "Traceback" in finished.err) == (2, False)
    assert message in finished.err
