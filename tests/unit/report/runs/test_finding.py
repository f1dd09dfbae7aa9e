"""Where runs are looked for."""

import os

import pytest

from ser.report.runs.finding import find_runs


@pytest.fixture
def put(tmp_path):
    """Make an empty file, with its folders, below `tmp_path`."""

    def make(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()

    return make


def names(*folders):
    places, unread = find_runs(folders)
    assert not unread
    return [place.name for place in places]


def test_names_are_below_the_folder_that_contains_all_runs(put, tmp_path):
    put("here/runs/a/result.json", "here/runs/b/metrics.csv")
    assert names(tmp_path) == ["a", "b"]
    assert names(tmp_path / "here" / "runs" / "b") == ["b"]
    put("here/other/c/identity.json")
    assert names(tmp_path) == ["other/c", "runs/a", "runs/b"]


def test_only_files_of_runs_make_a_run(put, tmp_path):
    put("report/report.json", "notes/config.yaml", "study/study.yaml", "study/identity.json", "study/trials.csv")
    assert names(tmp_path) == []


def test_the_parts_of_a_run_are_not_searched(put, tmp_path):
    put("cv/result.json", "cv/wandb/x/result.json", "cv/slurm/x/result.json", "cv/seed1-fold01/metrics.csv")
    put("cv/seed1-fold01/tensorboard/metrics.csv", ".hidden/result.json")
    put("cv/seed1-fold02/identity.json", "cv/seed1-fold02/csv/version_0/metrics.csv")
    assert names(tmp_path) == ["cv", "cv/seed1-fold01", "cv/seed1-fold02"]
    put("wandb/result.json")
    assert names(tmp_path) == ["cv", "cv/seed1-fold01", "cv/seed1-fold02", "wandb"], "a run can have that name"


def test_every_run_is_found_once_in_spite_of_links(put, tmp_path):
    put("runs/a/metrics.csv", "elsewhere/b/metrics.csv")
    (tmp_path / "runs" / "Latest").symlink_to(tmp_path / "runs" / "a")
    (tmp_path / "runs" / "big").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "runs" / "loop").symlink_to(tmp_path / "runs")
    (tmp_path / "runs" / "broken").symlink_to(tmp_path / "nowhere")
    runs = tmp_path / "runs"
    assert names(runs, runs / "a", runs) == ["a", "big/b"]


def test_a_folder_that_cannot_be_searched_is_named(put, tmp_path, monkeypatch):
    put("runs/a/metrics.csv", "runs/locked/b/metrics.csv")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("os.scandir", refuse)
    places, unread = find_runs([tmp_path])
    assert [place.name for place in places] == ["a"]
    assert unread == {str(tmp_path / "runs" / "locked"): "Permission denied"}


def test_folds_know_what_they_are_part_of(put, tmp_path):
    put(
        "cv/identity.json",
        "cv/seed2-fold03/metrics.csv",
        "s/trials/0a/seed1-fold01/metrics.csv",
        "seed1-fold01/metrics.csv",
    )
    places, _ = find_runs([tmp_path])
    assert {place.name: (place.is_several, place.is_fold, place.is_of_trial) for place in places} == {
        "cv": (True, False, False),
        "cv/seed2-fold03": (False, True, False),
        "s/trials/0a/seed1-fold01": (False, False, True),
        "seed1-fold01": (False, False, False),
    }


def test_a_file_name_that_is_not_utf_8(tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    with open(folder + b"/metrics.csv", "w"):
        pass
    assert names(tmp_path) == ["caf\\xe9"]
