"""Follow-up survey organisation and planning information of a pipeline project, by its project code."""

from collections.abc import Mapping
from typing import Any

from domain.facts import Ask, fact
from domain.ports.errors import PartnerRefused
from domain.ports.survey_planning import PipelineProject, PlanningInformation

GIVES = {
    "project_name": "text",
    "pipeline_class": "code",
    "length_m": "decimal",
    "diameter_mm": "decimal",
    "voltage_kv": "decimal",
    "road_name": "text",
    "approval_number": "text",
    "red_line_width_m": "decimal",
    "in_protected_area": "boolean",
    "survey_name": "text",
    "survey_qualification": "text",
    "survey_contact": "text",
    "survey_phone": "text",
    "survey_planning_answer": "text",
}


@fact("survey_planning", title="跟测与规划信息", gives=GIVES, outside=True)
def survey_planning(ask: Ask) -> Mapping[str, Any]:
    """What is known of the project; only the answer in words if the code is missing or not known there."""
    code = ask.values.get("project_code")
    if not code:
        return {}
    try:
        project = ask.office.partners.survey_planning.pipeline_project(code)
    except PartnerRefused as refusal:
        return dict.fromkeys(GIVES) | {"survey_planning_answer": f"没有取到数据：{refusal.text}。可手工填写"}
    return _facts(project)


def _facts(project: PipelineProject) -> dict[str, Any]:
    planning, survey = project.planning, project.survey
    return {
        "project_name": project.project_name,
        "pipeline_class": planning.pipeline_category,
        "length_m": planning.length_m,
        "diameter_mm": planning.diameter_mm,
        "voltage_kv": planning.voltage_kv,
        "road_name": planning.road_name,
        "approval_number": planning.approval_number,
        "red_line_width_m": planning.road_red_line_width_m,
        "in_protected_area": _in_protected_area(planning),
        "survey_name": survey.name,
        "survey_qualification": survey.qualification_number,
        "survey_contact": survey.contact_name,
        "survey_phone": survey.contact_phone,
        "survey_planning_answer": "已取得",
    }


def _in_protected_area(planning: PlanningInformation) -> bool | None:
    """Inside if it is inside one of the zones, outside only if it is known to be outside both."""
    zones = (planning.in_heritage_area, planning.in_rail_protection_zone)
    if True in zones:
        return True
    return None if None in zones else False
