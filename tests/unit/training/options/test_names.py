"""A name in place of a path: `--config reccap`."""

from pathlib import Path

import pytest

from ser.errors import InputError
from ser.sweep.study.options import read_options, with_options
from ser.sweep.study.plan import read_plan
from ser.training.options.names import CONF, SWEEPS, files_of, find_file, folder_of, names_in
from ser.training.options.run_options import RunOptions


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("option", ["-c", "--config", "--trainer", "--data"])
def test_a_name_stands_for_a_file_of_conf(option):
    file = str(CONF / "reccap.yaml")
    assert Path(file).is_file()
    assert files_of([option, "reccap", "--out", "demo"]) == [option, file, "--out", "demo"]
    assert files_of(["speaker", f"{option}=reccap"]) == ["speaker", f"{option}={file}"]


def test_other_words_are_what_they_were():
    words = ["--config", "../reccap", "--config=a.yaml", "--data", "~/x", "--data=", "--model", "CNNGRU", "--config"]
    assert files_of(words) == words
    assert files_of(["--config", "--help"]) == ["--config", "--help"], "the parser reports the missing value"
    assert files_of(["--data", '{"fold": 1}']) == ["--data", '{"fold": 1}']


def test_a_file_of_that_name_wins_but_no_folder(here):
    (here / "reccap").mkdir()
    assert find_file("--config", "reccap", CONF) == str(CONF / "reccap.yaml")
    (here / "reccap").rmdir()
    (here / "reccap").write_text("seed_everything: 2\n")
    assert find_file("--config", "reccap", CONF) == "reccap"
    assert find_file("--config", "reccap", CONF, here.parent) == str(CONF / "reccap.yaml")


@pytest.mark.parametrize(("folder", "near"), [(CONF, "reccap"), (SWEEPS, "routing")])
def test_an_unknown_name_is_refused_with_those_there_are(folder, near):
    with pytest.raises(InputError) as refused:
        find_file("--config", near[:-1], folder)
    first, second = str(refused.value).splitlines()
    assert first == f"--config {near[:-1]}: neither a file nor a known name; did you mean {near}?"
    assert second == f"(names: {', '.join(names_in(folder))}; a path works too)"


def test_each_command_has_its_own_folder():
    assert read_options("", ["--config", "demo"]).config == str(SWEEPS / "demo.yaml")
    assert read_options("status", ["demo"]).config == str(SWEEPS / "demo.yaml")
    assert files_of(["--config", "demo"]) == ["--config", str(CONF / "demo.yaml")]
    with pytest.raises(InputError, match=r"the study reccap: neither a file nor .*\n\(names: .*routing.*"):
        read_options("report", ["reccap"])
    with pytest.raises(InputError, match=r"--config routing: neither a file nor .*\n\(names: .*reccap.*"):
        files_of(["--config", "routing"])


def test_a_study_names_its_configurations_and_data(here):
    study = here / "below" / "study.yaml"
    study.parent.mkdir()
    text = "study: mine\nconfig: [seqcap, demo]\nspace: {model.dropout: {float: [0, 0.5]}}\ntrials: 1\n"
    study.write_text(text + "options: {trainer: trainer}\n")
    plan = with_options(read_plan(study), {"data": "emodb"})
    assert plan.config == [str(CONF / "seqcap.yaml"), str(CONF / "demo.yaml")]
    assert plan.options == {"trainer": str(CONF / "trainer.yaml"), "data": str(CONF / "emodb.yaml")}
    (study.parent / "demo").touch()
    assert read_plan(study).config[1] == str(study.parent / "demo")
    study.write_text(text.replace("demo", "demmo"))
    with pytest.raises(InputError, match=r"study.yaml: config demmo: neither .* did you mean demo\?"):
        read_plan(study)


def test_an_installed_package_has_the_folders_within_it(here, monkeypatch):
    package = here / "ser"
    monkeypatch.setattr("ser.training.options.names.__file__", str(package / "training" / "options" / "names.py"))
    assert folder_of("conf") == here / "conf"
    (package / "conf").mkdir(parents=True)
    assert folder_of("conf") == package / "conf"


def test_a_run_is_the_same_run_by_name_and_by_path():
    paths = ["--config", CONF / "reccap.yaml", "--config", CONF / "demo.yaml", "--data", CONF / "emodb.yaml"]
    names = ["--config", "reccap", "--config=demo", "--data", "emodb"]
    by_path, by_name = (RunOptions("fit", [str(word) for word in words], "").plain() for words in (paths, names))
    assert by_name == by_path
    assert by_name["model"]["class_path"] == "ser.systems.CNNRecCap"
    assert by_name["data"]["corpus"]["class_path"] == "ser.data.EmoDB"
