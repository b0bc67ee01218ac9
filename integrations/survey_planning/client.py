"""Client of the survey and planning data services."""

from domain.ports.survey_planning import PipelineProject, PlanningInformation, SurveyOrganisation
from integrations.answer import Fields, read_envelope
from integrations.http import Connection
from integrations.samples import read_samples

_CATEGORIES: dict[str, str] = read_samples(__file__, "codes.yaml")["pipeline_category"]


class SurveyPlanningClient:
    """Asks the survey and planning data services over HTTP."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def pipeline_project(self, project_code: str, *, correlation_id: str | None = None) -> PipelineProject:
        """Return what is known of a pipeline project; lengths and widths in metres."""
        query = {"project_code": project_code}
        answer = self._connection.get("/pipeline-project", query, correlation_id=correlation_id)
        fields = read_envelope(self._connection.partner, answer)
        project = _read_project(fields)
        if project.project_code != project_code:
            fields.fail("project_code", f"不是所查的 {project_code}")
        return project


def _read_project(fields: Fields) -> PipelineProject:
    project = PipelineProject(
        project_code=fields.text("project_code"),
        project_name=fields.text("project_name"),
        survey=_read_survey(fields.object("survey")),
        planning=_read_planning(fields.object("planning")),
        answered_at=fields.moment("answered_at"),
    )
    fields.done()
    return project


def _read_survey(fields: Fields) -> SurveyOrganisation:
    survey = SurveyOrganisation(
        name=fields.text_or_none("name"),
        qualification_number=fields.text_or_none("qualification_number"),
        contact_name=fields.text_or_none("contact_name"),
        contact_phone=fields.text_or_none("contact_phone", r"[0-9+ -]{5,20}"),
    )
    fields.done()
    return survey


def _read_planning(fields: Fields) -> PlanningInformation:
    planning = PlanningInformation(
        approval_number=fields.text_or_none("approval_number"),
        road_name=fields.text_or_none("road_name"),
        road_red_line_width_m=fields.decimal_or_none("road_red_line_width_m"),
        pipeline_category=_read_category(fields),
        length_m=fields.decimal_or_none("length_m"),
        diameter_mm=fields.decimal_or_none("diameter_mm"),
        voltage_kv=fields.decimal_or_none("voltage_kv"),
        in_heritage_area=fields.truth_or_none("in_heritage_area"),
        in_rail_protection_zone=fields.truth_or_none("in_rail_protection_zone"),
    )
    _not_negative(fields, planning)
    fields.done()
    return planning


def _read_category(fields: Fields) -> str | None:
    code = fields.text_or_none("pipeline_category")
    if code is None:
        return None
    if code not in _CATEGORIES:
        fields.fail("pipeline_category", f"的代码 {code[:20]} 不在代码表中")
    return _CATEGORIES[code]


def _not_negative(fields: Fields, planning: PlanningInformation) -> None:
    for name in ("road_red_line_width_m", "length_m", "diameter_mm", "voltage_kv"):
        value = getattr(planning, name)
        if value is not None and value < 0:
            fields.fail(name, f"不能为负数，实为 {value}")
