"""Simulator of the survey and planning data services."""

import json
import sqlite3

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.ports.partner import partner
from integrations.samples import read_samples
from integrations.simulators.simulator import Simulator, moment_text, now, refusal, success
from integrations.simulators.store import Store

SCHEMA = "CREATE TABLE IF NOT EXISTS survey_project (project_code TEXT PRIMARY KEY, content TEXT NOT NULL);"


def survey_planning_simulator(store: Store) -> Simulator:
    """Build the simulator."""

    async def pipeline_project(request: Request) -> Response:
        code = request.query_params.get("project_code")
        row = store.one("SELECT content FROM survey_project WHERE project_code = ?", code)
        if row is None:
            return refusal("SURVEY-404", "没有这个项目编号的跟测和规划信息")
        return success({**json.loads(row["content"]), "answered_at": moment_text(now())})

    return Simulator(
        partner=partner("survey_planning"),
        routes=[Route("/pipeline-project", pipeline_project)],
        schema=SCHEMA,
        seed=_seed,
        principal_fields=("pipeline_category",),
        refusal=("SURVEY-409", "该项目的规划信息正在调整，暂不提供"),
        tables=("survey_project",),
    )


def _seed(db: sqlite3.Connection) -> None:
    for project in read_samples(__file__)["projects"]:
        content = json.dumps(project, ensure_ascii=False)
        db.execute("INSERT INTO survey_project VALUES (?, ?)", (project["project_code"], content))
