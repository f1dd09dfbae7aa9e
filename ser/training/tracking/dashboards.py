"""Views in W&B, as code: a workspace for cross-validations, one for studies, and a report of one result.

A panel shows only what `ser` records in runs of the types that its view is filtered to; a test compares the names.
"""

import warnings
from collections.abc import Iterable
from pathlib import Path

from ser.errors import InputError
from ser.results.predictions import in_short

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # between wandb-workspaces and pydantic
    import wandb_workspaces.reports.v2 as reports
    import wandb_workspaces.workspaces as workspaces
    from wandb_workspaces.expr import And, Metric

View = workspaces.Workspace | reports.Report
SCORES = ("wa", "ua")
TITLES = {"wa": "WA", "ua": "UA"}
MATRIX = {name: name for name in ("Actual", "Predicted", "nPredictions")}
VARIED = ("routing_iterations", "lambda_", "learning_rate", "dropout")  # what the studies in sweeps/ vary, and lambda


def cross_validations(entity: str, project: str, emotions: Iterable[str]) -> workspaces.Workspace:
    """Folds and pooled results: a group per cross-validation, side by side."""
    sections = {
        "Test": [
            *(reports.BarPlot(metrics=[f"result/{name}"], title=f"{TITLES[name]}, test") for name in SCORES),
            *(
                reports.BarPlot(
                    metrics=[f"result/{name}/{end}"], title=f"{TITLES[name]}, {end} end of the 95 % interval"
                )
                for name in SCORES
                for end in ("low", "high")
            ),
        ],
        "Recall by emotion, test": recalls("test", emotions),
        "Confusion matrices": [matrix("test"), matrix("val")],
        "Learning curves by fold": curves(),
        "Recall by emotion, validation": [
            line(f"val/recall/{emotion}", f"Recall of {emotion}, validation") for emotion in emotions
        ],
        "Tables": [reports.MediaBrowser(media_keys=["folds", "test/predictions"])],
    }
    columns = ["run:displayName", *(f"summary:result/{name}" for name in SCORES), "config:seed_everything.value"]
    return workspace(entity, project, "Cross-validations", ("fold", "pooled"), sections, columns)


def studies(entity: str, project: str, emotions: Iterable[str]) -> workspaces.Workspace:
    """Studies and their trials: history, importances, and scores by routing iterations and lambda."""
    varied = {name: reports.Config(f"model.init_args.{name}") for name in VARIED}
    scores = [reports.SummaryMetric(f"val/{name}") for name in SCORES]
    columns = [reports.ParallelCoordinatesPlotColumn(metric=each) for each in (*varied.values(), *scores)]
    sections = {
        "History": [
            reports.LinePlot(x="trial", y=[f"val/{name}" for name in SCORES], title="WA and UA of each trial"),
            reports.LinePlot(x="trial", y=["best so far"], title="Best so far"),
            reports.MediaBrowser(media_keys=["figures/history", "figures/slices"]),
        ],
        "Options": [
            reports.ParallelCoordinatesPlot(
                columns=columns, title="Options and validation, a line per fold of a trial"
            ),
            reports.ParameterImportancePlot(with_respect_to="val/wa"),
            *(
                reports.ScatterPlot(x=varied[name], y=scores[0], title=f"{name}: validation WA of the folds")
                for name in ("routing_iterations", "lambda_")
            ),
        ],
        "Learning curves of the trials": curves(),
        "Recall by emotion, validation": [
            line(f"val/recall/{emotion}", f"Recall of {emotion}, validation") for emotion in emotions
        ],
        "Tables": [reports.MediaBrowser(media_keys=["trials"])],
    }
    columns = ["run:displayName", *(f"summary:val/{name}" for name in SCORES)]
    return workspace(entity, project, "Studies", ("study", "trial"), sections, columns)


def result_report(entity: str, project: str, folder: Path, about: dict) -> reports.Report:
    """A report of one result: its scores, matrices, curves and tables.

    Args:
        folder: of a run or a cross-validation, with the ids of its W&B runs.
        about: its `result.json`.
    """
    ids = sorted(path.read_text(encoding="utf-8").strip() for path in folder.glob("**/wandb_id.txt"))
    runs = reports.Runset(name=folder.name, filters=And(Metric("ID").isin(ids)))
    what = f"{about['system']} on {about['corpus']}, protocol {about['protocol']}"
    lines = [f"{in_short(about)}, {about['utterances']} test utterances."]
    for name, limits in about.get("intervals", {}).items():
        if limits:
            lines.append(f"{name.upper()}: 95 % interval {100 * limits[0]:.1f} to {100 * limits[1]:.1f} %.")
    lines += [f"Leaks: {line}" for line in about.get("leaks") or []]
    pooled = [reports.MediaBrowser(media_keys=["folds"])] if "runs" in about else []
    blocks = [
        reports.H1(text=what),
        *(reports.P(text=line) for line in lines),
        reports.H2(text="Test"),
        reports.PanelGrid(runsets=[runs], panels=[matrix("test"), *recalls("test", about["emotions"])]),
        reports.H2(text="Learning curves"),
        reports.PanelGrid(runsets=[runs], panels=curves()),
        reports.H2(text="Tables"),
        reports.PanelGrid(runsets=[runs], panels=[reports.MediaBrowser(media_keys=["test/predictions"]), *pooled]),
    ]
    return reports.Report(entity=entity, project=project, title=what[:128], blocks=blocks, width="fluid")


def workspace(
    entity: str, project: str, name: str, jobs: tuple[str, ...], sections: dict[str, list], columns: list[str]
) -> workspaces.Workspace:
    """A workspace of runs of some types, grouped."""
    return workspaces.Workspace(
        entity=entity,
        project=project,
        name=name,
        sections=[workspaces.Section(name=title, panels=panels, is_open=True) for title, panels in sections.items()],
        settings=workspaces.WorkspaceSettings(x_axis="epoch"),
        runset_settings=workspaces.RunsetSettings(
            filters=And(Metric("JobType").isin(list(jobs))),
            groupby=[Metric("Group"), Metric("JobType")],
            pinned_columns=columns,
        ),
    )


def line(metric: str, title: str) -> reports.LinePlot:
    """A learning curve over the epochs."""
    return reports.LinePlot(x="epoch", y=[metric], title=title)


def curves() -> list[reports.LinePlot]:
    """The learning curves of a training."""
    shown = {"val/wa": "WA, validation", "val/ua": "UA, validation", "val/loss": "Loss, validation"}
    shown |= {"train/loss": "Loss, training", "train/rate": "Learning rate"}
    return [line(metric, title) for metric, title in shown.items()]


def recalls(part: str, emotions: Iterable[str]) -> list[reports.BarPlot]:
    """The recall of each emotion."""
    return [reports.BarPlot(metrics=[f"{part}/recall/{emotion}"], title=f"Recall of {emotion}") for emotion in emotions]


def matrix(part: str) -> reports.CustomChart:
    """The confusion matrix of a set."""
    query = {"summaryTable": {"tableKey": f"{part}/confusion_table"}}
    return reports.CustomChart(query=query, chart_name="wandb/confusion_matrix/v1", chart_fields=MATRIX)


def as_sent(view: View) -> dict:
    """What is sent to W&B for a view, as plain values."""
    return view._to_model().model_dump(mode="json", by_alias=True, exclude_none=True)


def own_entity() -> str:
    """The account's own entity.

    Raises:
        InputError: without an account, or if the server does not answer.
    """
    import wandb

    try:
        return wandb.Api().default_entity
    except Exception as error:
        raise InputError(f"W&B does not answer: {_first_line(error)}") from error


def save(view: View) -> str:
    """Save a view in W&B; return its address.

    Raises:
        InputError: if the server refuses it.
    """
    try:
        view.save()
    except Exception as error:
        raise InputError(f"W&B does not save the view: {_first_line(error)}") from error
    return view.url


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
