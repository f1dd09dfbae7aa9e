"""`ser dashboard [FOLDER] [--project ser] [--entity NAME] [--json FILE]`: make W&B workspaces for cross-validations and
studies, and a report of the result in FOLDER."""

import argparse
import json
import os
from pathlib import Path

from ser.bounds import Emotions, check
from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError
from ser.files import new_file, write_text
from ser.paths import expand_home
from ser.training.options.arguments import Parser

DESCRIPTION = """Save views in W&B: a workspace "Cross-validations" with the folds and pooled results of a project side
by side, a workspace "Studies", and, given FOLDER, a report of its result. Each call saves new views; it changes no run.
An account is needed (wandb login), except with --json."""


def main(arguments: list[str]) -> int:
    """Run `ser dashboard ARGUMENTS`.

    Raises:
        InputError: for a folder without a result, or without an account.
    """
    options = expand_home(_parser().parse_args(arguments))
    out = new_file("--json", options.json, (".json",)) if options.json is not None else None
    folder = Path(options.folder) if options.folder is not None else None
    about = _result(folder) if folder else None
    emotions = about["emotions"] if about else PAPER_EMOTIONS
    if options.emotions is not None:
        emotions = [name.strip() for name in options.emotions.split(",")]
    check("--emotions", list(emotions), Emotions)
    tracked = _tracking_options(folder) if folder else {}
    project = options.project or tracked.get("project") or os.environ.get("WANDB_PROJECT") or "ser"
    try:
        from ser.training.tracking.dashboards import (
            as_sent,
            cross_validations,
            own_entity,
            result_report,
            save,
            studies,
        )
        from ser.training.tracking.key import check_key
    except ImportError as error:
        raise InputError("ser dashboard needs wandb-workspaces: pip install 'ser[dashboard]'") from error
    if not out:
        os.environ.setdefault("WANDB_SILENT", "true")  # this command prints the addresses itself
        check_key("ser dashboard")
    entity = options.entity or tracked.get("entity") or os.environ.get("WANDB_ENTITY") or ("" if out else own_entity())
    views = [cross_validations(entity, project, emotions), studies(entity, project, emotions)]
    views += [result_report(entity, project, folder, about)] if about else []
    if out:
        write_text(out, json.dumps([as_sent(view) for view in views], indent=2) + "\n")
        print(f"{len(views)} views, as they would be sent: {out}")
        return 0
    for view in views:
        print(save(view))
    return 0


def _result(folder: Path) -> dict:
    """The result in a folder."""
    from ser.results.reading import read_about

    about = read_about(folder)
    if "wa" not in about:
        raise InputError(f"{folder}: holds no test result, so there is nothing to report")
    if not list(folder.glob("**/wandb_id.txt")):
        raise InputError(f"{folder}: was not tracked with W&B, so a report there could show nothing of it")
    return about


def _tracking_options(folder: Path) -> dict:
    """The options `wandb` of a run: a report in another project would show nothing of it."""
    import yaml

    try:
        return yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8")).get("wandb") or {}
    except (OSError, ValueError, AttributeError, yaml.YAMLError):
        return {}


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="ser dashboard", description=DESCRIPTION)
    parser.add_argument("folder", nargs="?", metavar="FOLDER", help="a run or a cross-validation, tracked with W&B")
    parser.add_argument("--project", help="W&B's project (default: FOLDER's, WANDB_PROJECT, or ser)")
    parser.add_argument("--entity", help="user or team (default: FOLDER's, WANDB_ENTITY, or the account's)")
    parser.add_argument("--emotions", help="names, as in data.emotions (default: FOLDER's, or the paper's four)")
    parser.add_argument("--json", metavar="FILE", help="write what would be sent into FILE, and send nothing")
    return parser
