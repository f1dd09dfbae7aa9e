"""The table of trials, the best configuration and the report of a study; all studies in `sweeps`."""

import pandas as pd
import pytest
import yaml

from ser.errors import InputError
from ser.results.identity import read_identity
from ser.sweep.outcome.trials import best_config, best_trial, trials_table
from ser.sweep.study.check import check_runs, corners_of
from ser.sweep.study.options import split_options, with_options
from ser.sweep.study.plan import read_plan
from tests.conftest import CONF
from tests.made_up.joint_study import open_made_up, settle, write_joint

SWEEPS = CONF.parent / "sweeps"


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    """Six planned trials: complete, pruned, given up, failed once, not started, complete."""
    root = tmp_path_factory.mktemp("outcome")
    shared = open_made_up(write_joint(root, CONF / "gru_seqcap.yaml", trials=6), root / "study")
    folder = root / "study"
    settle(shared, folder, 0, "CNNGRUSeqCap", 0.4)
    settle(shared, folder, 1, "CNNGRUSeqCap", 1, pruned_after=2)
    for _ in range(3):
        settle(shared, folder, 2, "CNNGRUSeqCap", 1, error="no memory")
    settle(shared, folder, 3, "CNNGRUSeqCap", 1, error="once")
    settle(shared, folder, 5, "CNNGRUSeqCap", 2.5)
    return shared, folder


def test_trials_csv_has_one_row_per_planned_trial(made_up, tmp_path):
    shared, _ = made_up
    trials_table(shared).to_csv(tmp_path / "trials.csv", index=False)
    table = pd.read_csv(tmp_path / "trials.csv")
    assert table.trial.tolist() == list(range(6))
    assert table.state.tolist() == ["complete", "pruned", "given up", "waiting", "waiting", "complete"]
    assert table.tries.tolist() == [1, 1, 3, 1, 0, 1]
    assert table.pruned_after_fold.dropna().to_dict() == {1: 2}
    assert table.error.dropna().to_dict() == {2: "no memory", 3: "once"}
    assert table.epochs[0] == "1 2 3"
    points = shared.plan.points
    for name in shared.plan.space.dimensions:
        assert table[name].tolist() == pytest.approx([point[name] for point in points])
    results = shared.results()
    assert table.wa.dropna().to_dict() == pytest.approx({place: results[place].value for place in (0, 5)})
    assert table.lambda_.dropna().between(0, 1).all()
    assert best_trial(shared.plan, results) == table.wa.idxmax() == 5


def test_fewer_trials_than_the_files_are_all_there_are(ser, make_shared, tmp_path):
    make_shared(sampler="random", trials=2)
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "trials": 6}))
    assert "rows: 0 of 2 trials settled, 2 waiting\n" in ser("sweep", "status", path, "--study", tmp_path).out


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")
def test_whole_numbers_stay_whole_beside_trials_that_have_none(make_shared):
    shared = make_shared(sampler="tpe", trials=3)
    begun = shared.optuna.ask()
    begun.suggest_int("model.gru_units", 1, 4)
    text = trials_table(shared).to_csv(index=False)
    assert ".0" not in "".join(line.split(",")[2] for line in text.splitlines()[1:])


def test_the_best_configuration_has_the_best_point_its_lambda_and_absolute_paths(made_up, monkeypatch, tmp_path):
    shared, _ = made_up
    monkeypatch.chdir(tmp_path)
    plan = with_options(shared.plan, {"data.corpus.root": "here"})
    row = shared.results()[5]
    config = best_config(plan, row)
    options = config["model"]["init_args"]
    assert {f"model.{name}": options[name] for name in ("routing_iterations", "learning_rate", "dropout")} == row.params
    assert options["lambda_"] == row.user_attrs["lambda_"]
    assert config["data"]["corpus"]["init_args"]["root"] == str(tmp_path / "here")
    assert (config["folds"], config["seeds"]) == ([1, 2, 3], [1])
    assert not {"fold", "seed"} & set(config["data"])
    assert not {"out", "config"} & set(config)


def test_options_of_the_runs_are_told_from_those_of_the_command():
    words = ["--config", "a.yaml", "--data", "b.yaml", "--trainer.max-epochs=3", "--workers", "2"]
    own, given = split_options([*words, "--data.corpus.root", "x"])
    assert own == ["--config", "a.yaml", "--workers", "2"]
    assert given == {"data": "b.yaml", "trainer.max_epochs": "3", "data.corpus.root": "x"}
    for wrong in (["--data.corpus.root"], ["--data.corpus.root", "--workers", "2"]):
        with pytest.raises(InputError, match=r"data\.corpus\.root needs a value"):
            split_options(wrong)


def test_options_that_the_study_varies_or_owns_are_refused():
    plan = read_plan(SWEEPS / "joint.yaml")
    with pytest.raises(InputError, match="varies it"):
        with_options(plan, {"model.dropout": "0.5"})
    with pytest.raises(InputError, match=r"data\.fold"):
        with_options(plan, {"data.fold": "2"})


def test_the_report_of_a_study_that_was_run_differently_is_refused(ser, made_up, tiny_corpus, tmp_path):
    _, folder = made_up
    path = folder.parent / "made-up.yaml"
    corpus = ["--data.corpus", "ser.data.Synthetic", "--data.corpus.root", tiny_corpus]
    words = ["sweep", "report", path, "--study", folder, "--trials", 6, "--out", tmp_path / "report", *corpus]
    done = ser(*words, "--data.corpus.utterances_per_speaker", 8)
    assert done.code == 2
    assert "was started with other settings" in done.err  # created by hand, it has no identity
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("path", sorted(SWEEPS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_study_of_the_repository_is_read_and_checked(path, tiny_corpus):
    plan = read_plan(path)
    assert plan.study == path.stem
    if plan.command == "lambda":
        return
    corpus = {"data.corpus": "ser.data.Synthetic", "data.corpus.root": str(tiny_corpus)}
    given = {**corpus, "data.corpus.utterances_per_speaker": "8"}
    plan = with_options(plan, given)
    identity = check_runs(plan, corners_of(plan))
    assert identity["config"]["data.corpus.utterances_per_speaker"] == 8
    assert not set(plan.space.dimensions) & set(identity["config"])


def test_a_study_is_run_reported_and_its_best_tested_once(ser, write_study, tmp_path, monkeypatch):
    """The only test here that trains: two trials of two steps, and the best one again, with its test set."""
    study, report = tmp_path / "least", tmp_path / "report"
    told = ["--data.max_batch_seconds", "30", "--wandb.mode", "offline"]
    path = write_study()
    words = ["sweep", "--config", path, "--out", study, *told]
    monkeypatch.chdir(tmp_path)
    done = ser(*words)
    assert done.code == 0, done.err
    best = yaml.safe_load((study / "best.yaml").read_text())
    assert best["data"]["max_batch_seconds"] == 30
    trials = pd.read_csv(study / "trials.csv")
    assert best["model"]["init_args"]["gru_units"] == trials["model.gru_units"][trials.wa.idxmax()]
    (summary,) = (study / "wandb").glob("offline-run-*")
    media = summary / "files" / "media"
    assert len(list((media / "images" / "figures").glob("*.png"))) == 2
    assert list((media / "table").glob("trials_*.json"))
    words = ["sweep", "report", path, "--study", study, "--out", report]
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # the best must be retrained with one thread, as its trial was
    done = ser(*words)
    assert done.code == 0, done.err
    (again,) = (study / "best").glob("seed*/validation.csv")
    trial = study / "trials" / trials.folder[trials.wa.idxmax()] / again.parent.name
    assert again.read_bytes() == (trial / "validation.csv").read_bytes()
    assert "After retraining" not in done.out
    assert read_identity(study)["corpus"] == read_identity(study / "best")["corpus"]  # best.yaml is checked against it
    claim = pd.read_csv(report / "claim.csv").set_index("set")
    assert claim.loc["validation", "WA %"] == pytest.approx(100 * trials.wa.max(), abs=1e-3)
    assert "2 trials" in done.out
    tested = (study / "best" / "result.json").stat().st_mtime_ns
    assert ser(*words).code == 0
    assert (study / "best" / "result.json").stat().st_mtime_ns == tested
    config = yaml.safe_load((study / "best" / "config.yaml").read_text())
    config["model"]["init_args"]["gru_units"] += 1
    (study / "best" / "config.yaml").write_text(yaml.safe_dump(config))
    done = ser(*words)  # as if another trial had been the best before
    assert done.code == 2
    assert "model.gru_units" in done.err
