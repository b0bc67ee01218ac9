"""Guessing an address: every route with an id, opened by people of another district and of another enterprise.

`ROUTES` gives an address for every such route, below one permit of Qingpu; a new route without an entry fails the guard.
Whoever may not know of a row is told that there is none (404), or that the page is for other posts (403); the person whose
row it is gets an answer, so that no refusal comes from an address that nobody could open.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import shapely
from sqlmodel import col, select

from domain.case.tables import Material, StoredDecision
from domain.case_range import CaseRange
from domain.document.tables import Document
from domain.exchange.tables import InboxMessage, OutboxMessage
from domain.inspection.task.tables import (
    InspectionException,
    InspectionRun,
    InspectionTask,
    InspectionVariant,
)
from domain.job import Job
from domain.layer_share.tables import LayerShare
from domain.layer_update import LayerUpdate
from domain.map_view import MapView
from domain.notice import Notice
from domain.observation.tables import ObservationSeries
from domain.overlay_run import LayerChoice, OverlayRun, RunRequest
from domain.payment import PaymentRecord
from domain.person import Absence, RoleGrant
from domain.portal_clock import now, today
from domain.session import SignedInSession
from domain.sketch import Sketch
from domain.thematic_map.tables import SavedThematicMap
from domain.usage_control import ReportRound
from portal.areas.rules import KEEPERS
from portal.areas.rules import PAGES as RULE_PAGES
from portal.routes import PAGES
from tests.case_types.permit_walk import Permit

OTHER_DISTRICT = "310115"
DISTRICT_ROLES = (
    "window", "pre_reviewer", "reviewer", "section_chief", "approver", "printer", "dispatcher", "erratum_reviewer", "district_handler",
    "district_chief", "district_leader", "district_transferor", "enforcer",
)
REFUSED = (403, 404)


@dataclass(frozen=True)
class Route:
    """Where a route leads in this portal, whose row it is, and what is posted there."""

    path: str
    owner: str = ""
    posted: dict = field(default_factory=dict)


CASE = "/cases/{case}"
TASK = CASE + "/tasks/{task}"
RANGE = CASE + "/ranges/{range}"
FILING = "/filing/{draft}"
INSPECTION, INSPECTED = "/inspections/{inspection}", "/inspections/runs/{run}"
THEMATIC, MAP_VIEW, SHARE = "/thematic-maps/{thematic}", "/map/views/{view}", "/shares/{share}"
SKETCH = "/map/sketches/{sketch}"
PERSON = "/administration/people/{person}"
ROUTES = {
    "edit_filter": Route("/desk/filters/{filter}", "dispatcher"),
    "open_filter": Route("/desk/filters/{filter}/open", "dispatcher"),
    "delete_filter": Route("/desk/filters/{filter}/delete"),
    "case": Route(CASE, "dispatcher"),
    "case_tab": Route(CASE + "/tabs/form", "dispatcher"),
    "case_snapshot": Route(CASE + "/snapshot"),
    "decision_again": Route(CASE + "/decisions/{decision}", "dispatcher"),
    "upload_material": Route(CASE + "/materials/pipeline_range"),
    "remove_material": Route(CASE + "/materials/{material}/remove"),
    "case_operation": Route(CASE + "/do/urge", "dispatcher"),
    "claim": Route(TASK + "/claim"),
    "save_step": Route(TASK + "/save", posted={"_opinion": "同意"}),
    "act": Route(TASK + "/act", posted={"_action": "dispatch"}),
    "confirm_action": Route(TASK + "/act/dispatch"),
    "issue_document": Route(TASK + "/documents/permit"),
    "task_operation": Route(TASK + "/do/transfer", "dispatcher"),
    "job": Route("/jobs/{job}", "dispatcher"),
    "cancel_job": Route("/jobs/{job}/cancel"),
    "retry_job": Route("/jobs/{job}/retry"),
    "job_result": Route("/jobs/{job}/result", "dispatcher"),
    "case_plots": Route(CASE + "/plots", "dispatcher"),
    "upload_plots": Route(CASE + "/plots/upload"),
    "remove_plot": Route(CASE + "/plots/remove"),
    "clear_plots": Route(CASE + "/plots/clear"),
    "export_plots": Route(CASE + "/plots/export"),
    "ledger_statement": Route("/ledgers/accounts/annual_reserve/310118"),
    "end_session": Route("/account/sessions/{session}/end"),
    "end_absence": Route("/account/absences/{absence}/end", "dispatcher"),
    "open_notice": Route("/notices/{notice}"),
    "my_case": Route("/my/cases/{case}", "applicant"),
    "filing": Route(FILING, "applicant"),
    "filing_refresh": Route(FILING + "/sources"),
    "filing_discard": Route(FILING + "/discard"),
    "filing_section": Route(FILING + "/form/project", "applicant"),
    "filing_save": Route(FILING + "/form/project"),
    "filing_autosave": Route(FILING + "/form/project/autosave"),
    "filing_materials": Route(FILING + "/materials", "applicant"),
    "filing_upload": Route(FILING + "/materials/pipeline_range"),
    "filing_replace": Route(FILING + "/materials/pipeline_range/{material}/replace"),
    "filing_remove": Route(FILING + "/materials/pipeline_range/{material}/remove"),
    "filing_check": Route(FILING + "/check", "applicant"),
    "filing_submit": Route(FILING + "/submit"),
    "receipt": Route("/filing/{code}/receipt", "applicant"),
    "track": Route("/track/{code}", "applicant"),
    "urge_own": Route("/track/{code}/urge"),
    "withdraw_own": Route("/track/{code}/withdraw"),
    "material_file": Route("/files/materials/{material}", "dispatcher"),
    "document_file": Route("/files/documents/{document}", "dispatcher"),
    "observation_series": Route("/observations/{series}", "dispatcher"),
    "enter_observation": Route("/observations/{series}/readings", posted={"key": "k", "value": "1"}),
    "export_observations": Route("/observations/{series}/export"),
    "exchange_message": Route("/exchange/messages/{message}", "dispatcher"),
    "exchange_replay": Route("/exchange/messages/{message}/replay"),
    "exchange_cancel": Route("/exchange/messages/{message}/cancel"),
    "exchange_received": Route("/exchange/inbox/{received}", "dispatcher"),
    "exchange_report": Route("/exchange/reconcile/{job}"),
    "exchange_try": Route("/exchange/partners/usage_control/try"),
    "usage_control_round": Route("/usage-control/rounds/{round}", "dispatcher"),
    "case_usage_control": Route(CASE + "/usage-control", "dispatcher"),
    "open_linked": Route(CASE + "/linked/erratum"),
    "add_payment": Route(TASK + "/payments"),
    "void_payment": Route(CASE + "/payments/{payment}/void"),
    "new_range": Route(CASE + "/ranges/new"),
    "range": Route(RANGE, "dispatcher"),
    "declare_range": Route(RANGE + "/crs"),
    "confirm_range": Route(RANGE + "/confirm"),
    "remove_range": Route(RANGE + "/remove"),
    "range_file": Route(RANGE + "/file", "dispatcher"),
    "range_map": Route(RANGE + "/map"),
    "case_map": Route(CASE + "/map"),
    "saved_thematic_map": Route(THEMATIC),
    "rename_thematic_map": Route(THEMATIC + "/rename"),
    "share_thematic_map": Route(THEMATIC + "/share"),
    "copy_thematic_map": Route(THEMATIC + "/copy"),
    "delete_thematic_map": Route(THEMATIC + "/delete"),
    "restore_thematic_map": Route(THEMATIC + "/restore"),
    "map_view": Route(MAP_VIEW, "dispatcher"),
    "open_map_view": Route(MAP_VIEW + "/open", "dispatcher"),
    "rename_map_view": Route(MAP_VIEW + "/rename"),
    "share_map_view": Route(MAP_VIEW + "/share"),
    "unshare_map_view": Route(MAP_VIEW + "/shares/1/end"),
    "sketch": Route(SKETCH, "dispatcher", posted={"name": "改", "kind": "point", "points": "121.1,31.1", "version": "1"}),
    "sketch_file": Route(SKETCH + "/file", "dispatcher"),
    "sketch_range": Route(SKETCH + "/range", posted={"case": "x"}),
    "share_sketch": Route(SKETCH + "/share"),
    "delete_sketch": Route(SKETCH + "/delete"),
    "restore_sketch": Route(SKETCH + "/restore"),
    "delete_map_view": Route(MAP_VIEW + "/delete"),
    "restore_map_view": Route(MAP_VIEW + "/restore"),
    "share": Route(SHARE, "dispatcher"),
    "decide_share": Route(SHARE + "/decide", posted={"decision": "approve", "version": "1"}),
    "withdraw_share": Route(SHARE + "/withdraw"),
    "take_share_address": Route(SHARE + "/address"),
    "download_share": Route(SHARE + "/download"),
    "audit_entry": Route("/audit/1"),
    "administered_person": Route(PERSON),
    "change_person": Route(PERSON + "/change"),
    "disable_person": Route(PERSON + "/disable"),
    "enable_person": Route(PERSON + "/enable"),
    "begin_absence_for": Route(PERSON + "/absence"),
    "reset_password": Route(PERSON + "/password"),
    "unlock_person": Route(PERSON + "/unlock"),
    "end_person_sessions": Route(PERSON + "/sessions"),
    "grant_role": Route(PERSON + "/roles"),
    "revoke_role": Route("/administration/roles/{grant}/revoke"),
    "organisation": Route("/administration/organisations/{organisation}"),
    "set_organisation_active": Route("/administration/organisations/{organisation}/active"),
    "dictionary": Route("/administration/dictionaries/pipeline_kind"),
    "add_dictionary_entry": Route("/administration/dictionaries/pipeline_kind/entries"),
    "reorder_dictionary": Route("/administration/dictionaries/pipeline_kind/order"),
    "dictionary_entry": Route("/administration/dictionaries/pipeline_kind/entries/x"),
    "relabel_dictionary_entry": Route("/administration/dictionaries/pipeline_kind/entries/x/label"),
    "retire_dictionary_entry": Route("/administration/dictionaries/pipeline_kind/entries/x/retire"),
    "restore_dictionary_entry": Route("/administration/dictionaries/pipeline_kind/entries/x/restore"),
    "parameter": Route("/administration/parameters/rule_draft_lock_minutes"),
    "reset_parameter": Route("/administration/parameters/rule_draft_lock_minutes/reset"),
    "calendar_revision": Route("/administration/calendar/revisions/1"),
    "template_file_versions": Route("/administration/template-files/plots"),
    "put_template_file": Route("/administration/template-files/plots/put"),
    "roll_back_template_file": Route("/administration/template-files/plots/roll-back"),
    "template_file_version": Route("/administration/template-files/plots/versions/1"),
    "inspection": Route(INSPECTION), "inspection_changes": Route(INSPECTED + "/changes"), "inspection_package": Route(INSPECTED + "/package"),
    "inspection_certificate": Route(INSPECTED + "/certificate"), "inspection_rules": Route(INSPECTED + "/rules"),
    "inspection_patches": Route(INSPECTED + "/patches"), "resume_patches": Route(INSPECTED + "/patches/resume"), "export_patches": Route(INSPECTED + "/patches/export"),
    "inspection_findings": Route(INSPECTED + "/findings?bounds=1,2,3,4"),
    "inspection_features": Route(INSPECTED + "/features?bounds=1,2,3,4"), "export_inspection": Route(INSPECTED + "/export", posted={"what": "report.pdf"}),
    "pack_inspection": Route(INSPECTED + "/pack"), "admit_inspection": Route(INSPECTION + "/packages/1/admit", posted={"version": "1"}),
    "resubmit_inspection": Route(INSPECTION + "/packages/1/resubmit", posted={"version": "1"}), "restore_inspection": Route(INSPECTION + "/restore"),
    "copy_inspection": Route(INSPECTION + "/copy"), "rename_inspection": Route(INSPECTION + "/rename", posted={"version": "1", "title": "x"}),
    **{f"{act}_inspection": Route(INSPECTION + f"/{act}", posted={"version": "1"}) for act in ("confirm", "reread", "rerun", "cancel", "delete")},
    "ask_inspection_exception": Route(INSPECTION + "/exceptions", posted={"version": "1", "run": "1", "finding": "1", "reason": "x"}),
    "decide_inspection_exception": Route("/inspections/exceptions/{exception}/decide", posted={"decision": "approve"}),
    "withdraw_inspection_exception": Route("/inspections/exceptions/{exception}/withdraw"),
    "inspection_variant": Route("/inspections/variants/{variant}"),
    "delete_inspection_variant": Route("/inspections/variants/{variant}/delete", posted={"version": "1"}),
    "administered_job": Route("/administration/jobs/{job}"),
    "cancel_administered_job": Route("/administration/jobs/{job}/cancel"),
    "retry_administered_job": Route("/administration/jobs/{job}/retry"),
}
# Pages of the workbench are closed to everybody who does not keep the rules, whatever row they point at.
ROUTES |= {
    page.name: Route(re.sub(r"\{[^}]+\}", "1", page.path)) for page in RULE_PAGES if "{" in page.path and page.access == KEEPERS
}
ROUTES |= {
    "overlay": Route("/overlays/{overlay}", "dispatcher"),
    "overlay_file": Route("/overlays/{overlay}/file"),
    "overlay_again": Route("/overlays/{overlay}/again"),
    "export_overlay": Route("/overlays/{overlay}/export"),
    "delete_overlay": Route("/overlays/{overlay}/delete", "dispatcher"),
}
UPDATE = "/layers/land_use/updates/{update}"
ROUTES |= {
    "layer_update": Route(UPDATE), "decide_layer_update": Route(UPDATE + "/decide", posted={"version": "1", "choice_A": "keep", "reason": "x"}),
    **{f"{act}_layer_update": Route(UPDATE + f"/{act}", posted={"version": "1"}) for act in ("confirm", "compare", "drop")},
}
ROUTES["rule_decision"] = Route("/rule-decisions/{decision}", "dispatcher")
OPEN = {
    "guide": "办事指南，人人可看",
    "manual": "使用手册，人人可看",
    "template_file": "空白表格模板，人人可下载",
    "verify_code": "凭文书上的编码公开核验",
    "start_filing": "开始自己的申请，不指向别人的办件",
    "start_case": "发起自己的办件，不指向别人的办件",
    "rule": "规则库，工作人员都可看",
    "rule_tab": "规则库，工作人员都可看；用到它的办件按辖区列出，由 test_rules 核对",
    "usage_control_matter": "事项目录；其中的办件按辖区列出，由 test_usage_control 核对",
    "ledger_details": "明细表的名称，不是行号；行按辖区列出，由 test_ledgers 核对",
    "overlay_scheme": "预设分析的名称，不是行号；结果按辖区列出，由 test_overlays 核对",
    "share_service": "凭令牌的服务地址；没有令牌查不到，批准、撤回和范围由 tests/views/test_shares.py 核对",
    "share_features": "凭令牌的服务地址，同上",
    "share_tile": "凭令牌的服务地址，同上",
    "map_tile": "图层瓦片；图层和辖区的权限由 tests/views/test_layer_rights.py 核对",
    "layer": "图层的名称，不是行号；不开放的图层打不开，由 tests/views/test_layers.py 核对",
    "layer_versions": "同上",
    "update_layer": "图层的名称，不是行号；只对有更新权的岗位开放，辖区由 test_layer_updates 核对",
    "restore_layer": "同上",
    "layer_features": "同上；要素按辖区列出",
    "layer_feature": "同上；辖区外的要素查不到",
    "export_layer": "同上；只导出辖区内的要素",
    "edit_layer": "只对市级数据管理人员开放",
}
"""Routes whose parameter points at nobody's row; each with the reason."""


@pytest.fixture
def permit(database, linked, person):
    """A permit that is ready to be dispatched, with everything that an address can point at."""
    made = Permit(database, person)
    made.granted()
    made.answered()
    made.step("printer", "print", "printed")
    return made


@pytest.fixture
def places(permit, database, sign_in):
    """The ids and codes that stand in the addresses."""
    officer, applicant = permit.officers["dispatcher"], permit.applicant
    browser = sign_in(officer)
    assert browser.post("/desk/filters/new", {"list": "desk", "name": "我的", "query": "q=x"}).status_code == 303
    assert browser.post("/cases/export", {"q": "样例"}).status_code == 303
    permit.run_jobs()
    from domain.case import draft as drafts
    from domain.case.tables import SavedFilter

    with database.writing() as session:
        draft_code = drafts.open_draft(session, applicant, "pipeline_permit").draft_number
    case, at = permit.case, now()
    with database.writing() as session:
        material = session.exec(select(Material).where(Material.case_id == case.id, Material.slot == "pipeline_range")).one()
        rows = {
            "range": CaseRange(case_id=case.id, kind="project", name="范围", file_name="range.txt", file_digest=material.digest, step="apply",
                               uploaded_at=at),
            "payment": PaymentRecord(case_id=case.id, voucher_number="1", amount="1.00", paid_on=today(), source="hand", recorded_at=at),
            "absence": Absence(person_id=officer.person_id, delegate_id=permit.officers["printer"].person_id, from_at=at,
                               until_at=at + timedelta(days=1), reason="病假"),
            "received": InboxMessage(partner="usage_control", kind="result", business_key="k", digest="d", case_id=case.id, payload={},
                                     received_at=at, last_received_at=at),
            "series": ObservationSeries(key="s", subject="样例墩", title="日沉降量", unit="mm", rule_set="observation_line",
                                        district_code="310118", created_at=at),
            "inspection": InspectionTask(number="ZJ1", title="质检", scheme="x", district_code="310118", state="failed", created_by=officer.person_id,
                                         created_by_name="甲", created_at=at, changed_at=at, changed_by_name="甲"),
            "variant": InspectionVariant(scheme="x", title="放宽", created_by=officer.person_id, created_by_name="甲", changed_at=at),
            "overlay": OverlayRun(
                title="叠加", asked=RunRequest("叠加", (LayerChoice("land_use", "class_code"),), layer="annual_farmland").as_document(),
                district_code="310118", asked_by=officer.person_id, asked_by_name="发件", asked_at=at,
            ),
            "update": LayerUpdate(layer_key="land_use", way="delete", state="ready", district_code="310118", effective_on=today(), asked_by_name="甲",
                                  asked_at=at),
            "thematic": SavedThematicMap(owner_id=officer.person_id, name="图", spec={"layer": "land_use"}, edition_number=1, created_at=at, changed_at=at),
            "view": MapView(owner_id=officer.person_id, name="视图", state="at=121.1,31.1,13", created_at=at, changed_at=at),
            "sketch": Sketch(owner_id=officer.person_id, name="草图", kind="point", geometry=shapely.MultiPoint([(121.1, 31.1)]), point_count=1,
                             length_m=0, created_at=at, changed_at=at),
            "share": LayerShare(applicant_id=officer.person_id, applicant_name="某", layer_key="land_use", districts=[], classes=[], fields=[],
                                purpose="planning", format="service", until_on=today(), asked_at=at),
            "notice": Notice(person_id=applicant.person_id, kind="task", title="通知", created_at=at),
        }
        session.add_all(rows.values())
        session.flush()
        rows["run"] = InspectionRun(task_id=rows["inspection"].id, package_no=1, run_no=1, state="failed", file_name="x.zip", digest=material.digest,
                                    size_bytes=1, uploaded_by_name="甲", uploaded_at=at)
        session.add(rows["run"])
        session.flush()
        rows["exception"] = InspectionException(run_id=rows["run"].id, finding_count=1, reason="x", asked_by=officer.person_id, asked_by_name="甲", asked_at=at)
        session.add(rows["exception"])
        session.flush()

        def first(table, *conditions):
            return session.exec(select(table.id).where(*conditions).order_by(col(table.id).desc()).limit(1)).one()

        found = {
            **{name: row.id for name, row in rows.items()}, "case": case.id, "code": case.number, "draft": draft_code,
            "task": permit.task("dispatch"), "material": material.id, "person": officer.person_id, "organisation": applicant.organisation_id,
            "filter": first(SavedFilter), "job": first(Job, Job.owner_id == officer.person_id),
            "decision": first(StoredDecision, StoredDecision.case_id == case.id), "document": first(Document, Document.case_id == case.id),
            "message": first(OutboxMessage, OutboxMessage.case_id == case.id), "round": first(ReportRound, ReportRound.case_id == case.id),
            "session": first(SignedInSession, SignedInSession.person_id == officer.person_id),
            "grant": first(RoleGrant, RoleGrant.person_id == officer.person_id),
        }
        session.commit()
    return found


def pointing():
    """The routes with a parameter."""
    return [page for page in PAGES if "{" in page.path]


def test_every_route_with_a_parameter_has_an_address_or_a_reason():
    names = {page.name for page in pointing()}
    assert names == set(ROUTES) | set(OPEN)
    assert not set(ROUTES) & set(OPEN)


def test_the_addresses_are_those_of_the_route_table():
    by_name = {page.name: page for page in pointing()}
    for name, route in ROUTES.items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", by_name[name].path)
        assert re.fullmatch(pattern, re.sub(r"\{[^}]+\}", "1", route.path).partition("?")[0]), name


def answers(browser, places, name):
    """What the methods of a route answer."""
    page = next(page for page in pointing() if page.name == name)
    path = ROUTES[name].path.format(**places)
    found = {}
    if "GET" in page.methods:
        found["GET"] = browser.get(path, follow_redirects=False)
    if "POST" in page.methods:
        found["POST"] = browser.post(path, ROUTES[name].posted)
    return found


def test_strangers_are_refused_everywhere(permit, places, person, sign_in, database):
    strangers = {
        "另一个区的工作人员": sign_in(person(*DISTRICT_ROLES, district=OTHER_DISTRICT, name="别区")),
        "另一家企业": sign_in(person("applicant", enterprise="别家（样例）", name="别家")),
    }
    before = permit.case.version
    let_in = {
        (who, method, name): answer.status_code
        for who, browser in strangers.items()
        for name in ROUTES
        for method, answer in answers(browser, places, name).items()
        if answer.status_code not in REFUSED
    }
    assert let_in == {}
    assert permit.case.version == before


def test_those_whose_rows_they_are_are_answered(permit, places, sign_in):
    people = {"dispatcher": sign_in(permit.officers["dispatcher"]), "applicant": sign_in(permit.applicant)}
    refused = {
        name: answer.status_code
        for name, route in ROUTES.items()
        if route.owner
        for method, answer in answers(people[route.owner], places, name).items()
        if method == "GET" and answer.status_code not in (200, 303)
    }
    assert refused == {}


def test_a_number_that_no_row_can_have_is_not_found(sign_in, person):
    browser = sign_in(person("window", district="310118"))
    for path in ("/cases/99999999999999999999", "/files/materials/99999999999999999999", "/jobs/99999999999999999999"):
        assert browser.get(path).status_code == 404, path


HUGE, STRANGE = "9" * 30, "\u0661\u0662"


@pytest.mark.parametrize("path", [
    "/jobs?before={}", "/map?case={}", "/cases/batch?act=urge&case={}", "/cases/batch?act=assign&case=1&person={}", "/cases?after={}.x",
    "/notices?page={}", "/desk?after={}.", "/cases?q=%00", "/cases?type=%00", "/rules/%00", "/desk?district=%00",
])
def test_what_is_no_number_or_no_text_is_refused_in_words(sign_in, person, path):
    browser = sign_in(person("window", district="310118"))
    for value in (HUGE, STRANGE, "9" * 5000):
        assert browser.get(path.format(value)).status_code in (200, 404, 422), path
