"""The runs, artifacts and sweeps that a W&B server makes of the requests it gets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from threading import Lock

EMPTY = {"project": None, "entity": None, "serverInfo": None}
VIEWER = {"id": "v", "username": "me", "entity": "me", "flags": "{}", "teams": {"edges": []}}


@dataclass
class Run:
    """A run, by what its clients sent.

    Attributes:
        opened: the variables of every request that made or changed it.
        lines: of its history.
        summary: its last values.
        uses: names of the artifacts that it used.
    """

    opened: list[dict] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    summary: dict = field(default_factory=dict)
    alerts: list[dict] = field(default_factory=list)
    uses: list[str] = field(default_factory=list)

    @property
    def history(self) -> list[dict]:
        return [json.loads(line) for line in self.lines]

    def last(self, name: str) -> object:
        """The last value of a property that a client sent: jobType, displayName, groupName, sweep, ..."""
        return [each[name] for each in self.opened if each.get(name) is not None][-1]

    @property
    def config(self) -> dict:
        return {name: each["value"] for name, each in json.loads(self.last("config")).items()}


@dataclass
class Store:
    """Everything that a server has.

    Attributes:
        runs: by id.
        artifacts: the variables of their creation, by their id: "type/name".
        files: the content of uploaded files, by name.
        sweep: configuration of a sweep, as YAML.
        commands: for an agent, given one by one when it has no run.
        views: workspaces and reports, by the variables of the requests that saved them.
    """

    address: str
    runs: dict[str, Run] = field(default_factory=dict)
    artifacts: dict[str, dict] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    sweep: str = ""
    commands: list[dict] = field(default_factory=list)
    views: list[dict] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def take(self, path: str, body: bytes) -> dict:
        """Answer a request."""
        with self.lock:
            if path == "/graphql":
                asked = json.loads(body)
                return {"data": self.data(asked["query"], asked.get("variables") or {})}
            if path.endswith("/file_stream"):
                self.stream(self.runs[path.split("/")[-2]], json.loads(body).get("files") or {})
            elif path.startswith("/files/"):
                self.files[path.removeprefix("/files/")] = body
            return {}

    def stream(self, run: Run, files: dict) -> None:
        if history := files.get("wandb-history.jsonl"):
            run.lines[history["offset"] :] = history["content"]
        if summary := files.get("wandb-summary.json"):
            run.summary = json.loads(summary["content"][-1])

    def data(self, query: str, given: dict) -> dict:
        if "RunResumeStatus" in query:
            return {"model": self.resumed(given["name"])}
        if "upsertBucket" in query:
            inserted = given["name"] not in self.runs
            run = self.runs.setdefault(given["name"], Run())
            run.opened.append(given)
            project = {"id": "p", "name": given["project"], "entity": {"id": "e", "name": "me"}}
            bucket = {"id": "b", "name": given["name"], "displayName": "run", "config": "{}", "project": project}
            lines = {"historyLineCount": len(run.lines), "sweepName": given["sweep"]}
            return {"upsertBucket": {"bucket": {**bucket, **lines}, "inserted": inserted}}
        if "createRunFiles" in query:
            files = [{"name": name, "uploadUrl": f"{self.address}/files/{name}"} for name in given["files"]]
            return {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}
        if "notifyScriptableRunAlert" in query:
            self.runs[given["runName"]].alerts.append(given)
            return {"notifyScriptableRunAlert": {"success": True}}
        if "GetProjects" in query:
            about = {"id": "p", "name": "ser", "entityName": given["entity"], "createdAt": "2026-01-01T00:00:00"}
            node = {**about, "isBenchmark": False, "user": None}
            return {"models": {"edges": [{"node": node}], "pageInfo": {"endCursor": None, "hasNextPage": False}}}
        if "upsertView" in query:
            self.views.append(given)
            saved = {"id": f"Vmlldzo{len(self.views)}", "name": given["name"], "displayName": given["displayName"]}
            project = {"id": "p", "name": given["projectName"], "entityName": given["entityName"]}
            view = {**saved, "type": given["type"], "description": "", "project": project, "spec": given["spec"]}
            times = dict.fromkeys(("createdAt", "updatedAt"), "2026-01-01T00:00:00")
            return {"upsertView": {"view": {**view, **times, "user": VIEWER}, "inserted": True}}
        return self.artifact_data(query, given) or self.agent_data(query, given) or EMPTY

    def resumed(self, name: str) -> dict | None:
        if name not in self.runs:
            return None
        run = self.runs[name]
        counts = {"historyLineCount": len(run.lines), "logLineCount": 0, "eventsLineCount": 0}
        tails = {
            "historyTail": json.dumps(run.lines[-1:]),
            "eventsTail": "[]",
            "summaryMetrics": json.dumps(run.summary),
        }
        about = {"displayName": run.last("displayName"), "tags": [], "notes": None, "wandbConfig": '{"t": 1}'}
        bucket = {"id": "b", "name": name, "config": run.last("config"), **counts, **tails, **about}
        return {"id": "p", "name": "p", "entity": {"id": "e", "name": "me"}, "bucket": bucket}

    def artifact_data(self, query: str, given: dict) -> dict | None:
        if "createArtifactManifest" in query:
            file = {"id": "f", "name": "m", "uploadUrl": f"{self.address}/files/manifest", "uploadHeaders": []}
            return {"createArtifactManifest": {"artifactManifest": {"id": "m", "file": file}}}
        if "createArtifactFiles" in query:
            specs = given["artifactFiles"] if "artifactFiles" in given else given["input"]["artifactFiles"]
            nodes = [
                {
                    "id": "f",
                    "name": spec["name"],
                    "displayName": spec["name"],
                    "uploadUrl": f"{self.address}/files/{spec['name']}",
                    "uploadHeaders": [],
                    "storagePath": spec["name"],
                    "uploadMultipartUrls": None,
                    "artifact": {"id": "a"},
                }
                for spec in specs
            ]
            return {"createArtifactFiles": {"files": {"edges": [{"node": node} for node in nodes]}}}
        if "createArtifact(" in query:
            about = given.get("input", given)
            name = f"{about['artifactTypeName']}/{about['artifactCollectionName']}"
            self.artifacts[name] = about
            sequence = {"id": "s", "latestArtifact": None}
            return {"createArtifact": {"artifact": {"id": name, "state": "PENDING", "artifactSequence": sequence}}}
        if "useArtifact" in query:
            about = given.get("input", given)
            self.runs[about["runName"]].uses.append(about["artifactID"])
            return {"useArtifact": {"artifact": {"id": about["artifactID"]}}}
        return None

    def agent_data(self, query: str, given: dict) -> dict | None:
        if "agentHeartbeat" in query:
            busy = json.loads(given["runState"])
            commands = [] if busy or not self.commands else [self.commands.pop(0)]
            return {"agentHeartbeat": {"agent": {"id": "agent"}, "commands": json.dumps(commands)}}
        if "createAgent" in query:
            return {"createAgent": {"agent": {"id": "agent"}}}
        if "sweep(sweepName" in query:
            about = {"id": "s", "name": given["sweep"], "state": "RUNNING", "config": self.sweep, "runs": {"edges": []}}
            return {"project": {"sweep": about}}
        return {"viewer": VIEWER} if "viewer" in query else None
