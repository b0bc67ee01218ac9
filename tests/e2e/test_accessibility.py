"""Every page of the route table in a real browser: it opens, breaks no policy, logs no error, and axe finds nothing.

A route is covered with the addresses its entry in `COVERED` gives, or left out with a reason; a new route without either
fails the guard.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response

from domain.manual import manuals
from portal.access import Page as Route
from portal.routes import PAGES
from tests.e2e.running import ROOT, RunningPortal
from tests.e2e.test_pipeline_permit import begin

AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
STANDARDS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
PHONE = {"width": 390, "height": 844}
ANYBODY, ENTERPRISE, OFFICIAL, KEEPER = "", "pipeline", "reviewer.310118", "rule_maintainer"
GRAPHICS = "graphic_manager"
INSPECTOR = "district_handler.310118"
SHOWN = [route for route in PAGES if "GET" in route.methods]

LEFT_OUT = {
    "healthz": "一段 JSON，给监测程序读，不是网页",
    "metrics": "一段文本，给监测程序读，不是网页",
    "template_file": "下载模板文件，不是网页",
    "template_file_version": "下载模板文件的某一版，不是网页",
    "material_file": "下载材料，不是网页",
    "document_file": "下载文书，不是网页",
    "range_file": "下载范围文件，不是网页",
    "inspection_package": "下载数据包，不是网页",
    "inspection_certificate": "下载质检证书，不是网页",
    "inspection_rules": "下载质检规则包，不是网页",
    "inspection_findings": "一段 GeoJSON，给质检地图读，不是网页",
    "inspection_features": "一段 GeoJSON，给质检地图读，不是网页",
    "overlay_file": "下载叠加结果的图形，不是网页",
    "case_snapshot": "下载快照文件，不是网页",
    "job_result": "下载任务的结果文件，不是网页",
    "leave_for_provider": "转到一网通办，本门户不出页面；每个企业账号登录时都走一遍",
    "return_from_provider": "从一网通办转回，本门户不出页面；每个企业账号登录时都走一遍",
    "leave_provider": "转到一网通办退出，本门户不出页面",
    "open_filter": "转到列表，页面就是 cases；没有保存筛选时无从打开",
    "edit_filter": "演示数据没有保存的筛选；页面与 new_filter 是同一张表单",
    "exchange_report": "演示数据没有对账任务",
    "calendar_revision": "演示数据没有日历修订",
    "map_facts": "地图侧栏的片段，不是整页",
    "map_selected": "GeoJSON 数据，给地图脚本读，不是网页",
    "map_ranges": "GeoJSON 数据，给地图脚本读，不是网页",
    "map_tile": "地图瓦片，给地图脚本读，不是网页",
    "plot_template": "下载地块模板，不是网页",
    "template_file_versions": "演示数据没有上传过模板文件",
    "download_rule_draft": "下载规则草稿的电子表格，不是网页",
    "rule_draft_table_row": "随门户的规则没有大表；与 rule_draft_rule 用同样的字段",
    "rule_conflict": "演示数据没有文件冲突；页面由 tests/views/test_rules_pages.py 打开",
    "my_case": "转到 filing 或 track，本身不出页面",
    "thematic_map_picture": "专题图的 SVG 图，嵌在 thematic_map 里",
    "saved_thematic_map": "演示数据没有保存的模板；与 thematic_map 是同一张页面，由 tests/e2e/test_thematic_map.py 打开并检查",
    "map_view": "演示数据没有保存的视图；由 tests/e2e/test_thematic_map.py 打开并检查",
    "open_map_view": "转到一张图，本身不出页面",
    "sketch": "演示数据没有草图；由 tests/e2e/test_map_query.py 打开并检查",
    "sketch_file": "下载草图，不是网页",
    "read_sketch": "JSON 数据，给画图的脚本读，不是网页",
    "sketch_near": "JSON 数据，给画图的脚本捕捉用，不是网页",
    "map_query_shapes": "GeoJSON 数据，给查询页的图读，不是网页",
    "share": "演示数据没有成果共享；由 tests/e2e/test_thematic_map.py 打开并检查",
    "share_service": "JSON 数据，给程序读，不是网页",
    "share_features": "GeoJSON 数据，给程序读，不是网页",
    "share_tile": "矢量瓦片，给程序读，不是网页",
}
"""Routes that show no page of their own, or have nothing to show in the demo data; each with the reason."""


@dataclass
class Demo:
    """What the demo database holds, asked for by plain queries."""

    file: Path
    own_draft: str = ""
    """The code of a draft that the enterprise began in this run."""
    rule_draft: str = ""
    """The address of a draft of a rule set that was begun in this run, with golden cases that fail."""
    overlays: tuple[str, str] = ("", "")
    """The addresses of two results of the same overlay, made in this run."""
    layer_update: str = ""
    """The address of an update of a layer that waits for its confirmation, with a patch under a mark."""

    def one(self, query: str, *values: Any) -> Any:
        """The first column of the first row; fails if the demo data hold none."""
        rows = self.all(query, *values)
        assert rows, f"the demo data hold nothing for: {query} {values}"
        return rows[0][0]

    def all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows."""
        with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(query, values).fetchall()

    def case(self, step: str, status: str = "open") -> int:
        """A demo permit that stands at this step."""
        return self.one("SELECT id FROM case_file WHERE is_demo AND case_type = 'pipeline_permit' AND steps = ? AND status = ?"
                        " AND district_code = '310118' ORDER BY id", step, status)

    def decided(self) -> str:
        """The number of a case that rules decided."""
        return self.one("SELECT number FROM case_file WHERE is_demo AND number IS NOT NULL AND district_code = '310118'"
                        " AND id IN (SELECT case_id FROM decision) ORDER BY id DESC")

    def plot(self) -> str:
        """The number of a plot of the annual farmland."""
        return self.one("SELECT f.key FROM feature f JOIN layer l ON l.id = f.layer_id WHERE l.key = 'annual_farmland' ORDER BY f.id")

    def closed(self) -> list[tuple[int, str]]:
        """The last ended demo case of every case type in the district, and an official who may look at it."""
        rows = self.all("SELECT max(id) FROM case_file WHERE is_demo AND status = 'closed' AND district_code = '310118'"
                        " GROUP BY case_type ORDER BY 1")
        assert len(rows) > 5, "the demo data hold too few ended cases"
        return [(case_id, OFFICIAL) for (case_id,) in rows]

    def draft(self, status: str) -> str:
        """The code of a demo permit of this status."""
        return self.one("SELECT draft_number FROM case_file WHERE is_demo AND case_type = 'pipeline_permit' AND status = ?"
                        " AND district_code = '310118' ORDER BY id DESC", status)

    def task(self, case_id: int) -> int:
        """The open task of a case."""
        return self.one("SELECT id FROM task WHERE case_id = ? AND status IN ('ready', 'held')", case_id)


@dataclass(frozen=True)
class Visit:
    """One address, and who opens it; nobody named: whoever the route is for."""

    path: str
    who: str | None = None
    status: int = 200


Visits = Callable[[Demo], list[Visit]]


def at_case(tail: str = "", step: str = "review", who: str = OFFICIAL) -> Visits:
    """A page below a demo permit at this step; {task} in the tail is its open task."""

    def visits(demo: Demo) -> list[Visit]:
        case_id = demo.case(step)
        task = str(demo.task(case_id)) if "{task}" in tail else ""
        return [Visit(f"/cases/{case_id}{tail.replace('{task}', task)}", who)]

    return visits


def at_rule_draft(*tails: str) -> Visits:
    """Pages of the rule draft that was begun in this run."""
    return lambda demo: [Visit(f"{demo.rule_draft}{tail}", KEEPER) for tail in tails]


def with_plots(tail: str, status: str, who: str | None = None) -> Visits:
    """A page below a demo case of this status that has plots."""
    return row(f"/cases/{{}}{tail}", "SELECT id FROM case_file WHERE is_demo AND case_type = 'annual_reserve' "
               f"AND status = '{status}' AND district_code = '310118' ORDER BY id", who)


def together(*parts: Visits) -> Visits:
    """The visits of several."""
    return lambda demo: [visit for part in parts for visit in part(demo)]


def row(path: str, query: str, who: str | None = None) -> Visits:
    """The page of the first row that the query finds."""
    return lambda demo: [Visit(path.format(quote(str(demo.one(query)))), who)]


def each(path: str, *values: str, who: str | None = None) -> Visits:
    """The same page for several keys."""
    return lambda demo: [Visit(path.format(value), who) for value in values]


def filing(tail: str = "") -> Visits:
    """A page of a draft of one's own."""
    return lambda demo: [Visit(f"/filing/{demo.own_draft}{tail}", ENTERPRISE)]


TABS = ("form", "materials", "decisions", "opinions", "trail", "papers", "links")
RULES = ("deadline_light", "payment_light", "payment_termination_gate", "permanent_farmland_admission", "pipeline_fast_track")
OWN_PLAN = "SELECT id FROM case_file WHERE is_demo AND case_type = 'annual_reserve' AND status = 'draft' AND district_code = '310118'"
LAST_ROUND = "SELECT id FROM report_round ORDER BY id DESC"

COVERED: dict[str, Visits] = {
    "new_overlay": each("/overlays/new?source={}", "layer", "file", "case", who=INSPECTOR),
    "overlay": lambda demo: [Visit(place, INSPECTOR) for place in demo.overlays],
    "delete_overlay": lambda demo: [Visit(f"{demo.overlays[0]}/delete", INSPECTOR)],
    "compare_overlays": lambda demo: [Visit("/overlays/compare?first={}&second={}".format(*(place.split("/")[-1] for place in demo.overlays)), INSPECTOR)],
    "inspection": together(
        *(row("/inspections/{}" + tail, f"SELECT id FROM inspection_task WHERE state = '{state}' ORDER BY id", INSPECTOR)
          for state, tail in (("failed", ""), ("failed", "?finding=1"), ("failed", "?pane=layers"), ("failed", "?pane=table"), ("passed", ""))),
    ),
    "inspection_changes": row("/inspections/runs/{}/changes", "SELECT min(id) FROM inspection_run WHERE state = 'failed'", INSPECTOR),
    "inspection_patches": row("/inspections/runs/{}/patches", "SELECT min(run_id) FROM admitted_patch", INSPECTOR),
    "new_inspection_variant": each("/inspections/variants/new?scheme={}", "supplement_package", who="city_handler"),
    "inspection_variant": row("/inspections/variants/{}", "SELECT id FROM inspection_variant", "city_handler"),
    "guide": each("/hall/{}", "pipeline_permit", "pipeline_permit_cancellation"),
    "filing": together(filing(), lambda demo: [Visit(f"/filing/{demo.draft('draft')}", ENTERPRISE)]),
    "filing_discard": filing("/discard"),
    "filing_section": together(*(filing(f"/form/{key}") for key in ("applicant", "project", "commitment"))),
    "filing_materials": filing("/materials"),
    "filing_check": filing("/check"),
    "receipt": lambda demo: [Visit(f"/filing/{demo.draft('open')}/receipt", ENTERPRISE)],
    "track": lambda demo: [Visit(f"/track/{demo.draft(status)}", ENTERPRISE) for status in ("open", "correction")],
    "withdraw_own": lambda demo: [Visit(f"/track/{demo.draft('open')}/withdraw", ENTERPRISE)],
    "manual": lambda demo: [Visit(f"/help/{each_one.key}") for each_one in manuals()],
    "verify_code": row("/verify/{}", "SELECT code FROM document_version"),
    "batch": lambda demo: [Visit(f"/cases/batch?act={act}&case={demo.case('review')}", OFFICIAL) for act in ("urge", "transfer")],
    "new_filter": each("/desk/filters/new?list={}", "cases", "desk"),
    "start_case": each("/cases/new/{}", "house_closing", "annual_reserve", who="district_handler.310118"),
    "case": together(at_case(), at_case(step="window", who="window.310118"), at_case(step="print", who="printer.310118"),
                     row("/cases/{}", "SELECT id FROM case_file WHERE is_demo AND case_type = 'payment_supervision' ORDER BY id DESC",
                         "district_transferor.310118"),
                     row("/cases/{}", OWN_PLAN, "district_handler.310118"),
                     row("/cases/{}", "SELECT id FROM case_file WHERE is_demo AND case_type = 'farmland_conversion' AND steps = 'city'", "city_handler")),
    "case_tab": together(
        lambda demo: [Visit(f"/cases/{demo.case('print')}/tabs/{tab}", "printer.310118") for tab in TABS],
        lambda demo: [Visit(f"/cases/{case_id}/tabs/snapshot", who) for case_id, who in demo.closed()],
    ),
    "end_absence": row("/account/absences/{}/end", "SELECT id FROM absence", "section_chief.310118"),
    "decision_again": lambda demo: [Visit("/cases/{}/decisions/{}".format(*demo.all(
        "SELECT case_id, id FROM decision WHERE kind = 'fast_track' ORDER BY id")[0]), OFFICIAL)],
    "case_operation": at_case("/do/urge", "approve"),
    "confirm_action": at_case("/tasks/{task}/act/pass"),
    "task_operation": together(*(at_case(f"/tasks/{{task}}/do/{key}") for key in (
        "return", "transfer", "assist", "countersign", "suspend", "terminate"))),
    "job": row("/jobs/{}", "SELECT id FROM job WHERE kind = 'build_report_package'", "approver.310118"),
    "rule_tab": together(*(each(f"/rules/{{}}/{tab}", "outflow_warning_line", "deadline_light", who=KEEPER) for tab in (
        "table", "parameters", "cases", "yaml", "editions", "use"))),
    "roll_back_rule": row("/rule-editions/{}/roll-back", "SELECT id FROM rule_edition WHERE key = 'outflow_warning_line'", KEEPER),
    "cancel_rule_schedule": row("/rule-editions/{}/cancel", "SELECT id FROM rule_edition WHERE key = 'outflow_warning_line'", KEEPER),
    "rule_draft": at_rule_draft(""),
    "rule_draft_parameters": at_rule_draft("/parameters"),
    "rule_draft_rules": at_rule_draft("/rules"),
    "rule_draft_rule": at_rule_draft("/rules/below", "/rules/new"),
    "rule_draft_cases": at_rule_draft("/cases"),
    "rule_draft_case": at_rule_draft("/cases/1", "/cases/0"),
    "rule_draft_yaml": at_rule_draft("/yaml"),
    "rule_draft_workbook": at_rule_draft("/workbook"),
    "discard_rule_draft": at_rule_draft("/discard"),
    "rule_replay": row("/rule-replays/{}", "SELECT id FROM rule_replay", KEEPER),
    "rule_decision": row("/rule-decisions/{}?against=", "SELECT id FROM decision WHERE rule_set = 'outflow_warning_line'", KEEPER),
    "rule_decision_golden": lambda demo: [Visit("/rule-decisions/{}/golden/{}".format(
        demo.one("SELECT id FROM decision WHERE rule_set = 'outflow_warning_line'"), demo.rule_draft.rpartition("/")[2]), KEEPER)],
    "rule": lambda demo: [Visit(f"/rules/{key}") for key in RULES],
    "new_range": at_case("/ranges/new", "window", "window.310118"),
    "range": lambda demo: [Visit("/cases/{}/ranges/{}".format(*demo.all(
        "SELECT case_id, id FROM case_range WHERE case_id IN (SELECT id FROM case_file WHERE case_type = 'pipeline_permit') ORDER BY id"
    )[0]), OFFICIAL)],
    "case_plots": together(with_plots("/plots", "closed"), with_plots("/plots", "draft", "district_handler.310118")),
    "clear_plots": with_plots("/plots/clear", "draft", "district_handler.310118"),
    "coordinates": lambda demo: [Visit("/coordinates"), *(Visit("/coordinates?case={}&range={}".format(*each)) for each in demo.all(
        "SELECT case_id, id FROM case_range WHERE confirmed_at IS NOT NULL AND removed_at IS NULL AND lower(file_name) LIKE '%.txt' ORDER BY id"
    )[:1])],
    "range_map": lambda demo: [Visit("/cases/{}/ranges/{}/map".format(*demo.all(
        "SELECT case_id, id FROM case_range WHERE confirmed_at IS NOT NULL AND removed_at IS NULL AND kind = 'project' ORDER BY id")[0]))],
    "case_map": row("/cases/{}/map", "SELECT case_id FROM case_range WHERE confirmed_at IS NOT NULL AND removed_at IS NULL ORDER BY id"),
    "map": lambda demo: [Visit(path) for path in (
        "/map", f"/map?plot={demo.plot()}", f"/map?q={quote('青浦区')}", "/map?q=121.1,31.1&at=121.1,31.1,15")],
    "overlay_scheme": each("/overlays/analyses/{}", "land_use_analysis"),
    "thematic_map": lambda demo: [Visit(f"/thematic-maps/make?layer=land_use&{query}") for query in (
        "kind=ranges&unit=district&classes=01", "kind=single&area=town:310118102", "kind=dots&area=district:310118&classes=01",
        "kind=heat&area=district:310118", f"kind=flow&flows={quote('青浦区,松江区,5')}")]
    + [Visit("/thematic-maps/make?layer=land_use&kind=ranges&count=99", status=422)],
    "map_print": each("/map/print?{}", "at=121.1,31.1,14", "at=121.1,31.1,14&layers=annual_farmland.available,land_use.paddy&paper=a3"),
    "map_views": each("/map/views{}", "", "?at=121.1,31.1,13"),
    "map_text": lambda demo: [Visit(f"/map/text?plot={demo.plot()}")],
    "layers": lambda demo: [Visit("/layers"), Visit("/layers?q=没有这样的图层")],
    "compare_layers": lambda demo: [
        Visit("/layers/compare"), Visit("/layers/compare?before=land_use@1&after=land_use@2&district=310118"),
        Visit("/layers/compare?before=land_use@1&after=land_use@1", status=422),
    ],
    "layer": lambda demo: [Visit("/layers/annual_farmland"), Visit("/layers/clue_patch", "city_handler")],
    "update_layer": lambda demo: [Visit(f"/layers/{at}", "graphic_manager") for at in ("annual_farmland/update", "annual_farmland/update?way=annual", "applied_map/update?way=status", "land_use/update?way=area")],
    "restore_layer": lambda demo: [Visit("/layers/annual_farmland/restore", "graphic_manager")],
    "layer_update": lambda demo: [Visit(demo.layer_update, "graphic_manager")],
    "layer_versions": lambda demo: [Visit("/layers/annual_farmland/versions")],
    "layer_features": lambda demo: [Visit("/layers/annual_farmland/features"), Visit("/layers/annual_farmland/features?state=past&words=GD")],
    "layer_feature": lambda demo: [Visit(f"/layers/annual_farmland/feature?id={demo.plot()}", "city_handler")],
    "edit_layer": lambda demo: [Visit("/layers/annual_farmland/edit", "city_handler")],
    "map_query": lambda demo: [Visit("/map/query"), Visit("/map/query?layer=land_use&class=01"), Visit(
        "/map/query?layer=annual_farmland&field1=quality_class&op1=ge&value1=8&bounds=121.08,31.08,121.12,31.12&buffer=50"),
        Visit("/map/query?layer=land_use&field1=data_year&op1=has&value1=2", status=422)],
    "new_sketch": each("/map/sketch?{}", "at=121.1,31.1,16", f"points={quote('121.1,31.1;121.11,31.1;121.11,31.11'.replace(';', chr(10)))}"),
    "map_measure": lambda demo: [Visit(f"/map/measure?kind=area&points={quote('121.1,31.1;121.2,31.1;121.2,31.2'.replace(';', chr(10)))}")],
    "exchange_message": row("/exchange/messages/{}", "SELECT id FROM outbox_message ORDER BY id DESC", "report_admin"),
    "exchange_received": row("/exchange/inbox/{}", "SELECT id FROM inbox_message", "report_admin"),
    "observation_series": row("/observations/{}", "SELECT id FROM observation_series WHERE key = '样例-CJ-0001'", "district_handler.310118"),
    "rules_by_project": lambda demo: [Visit("/rules/by-project"), Visit(f"/rules/by-project?q={quote(demo.decided())}")],
    "usage_control_matter": each("/usage-control/matters/{}", "pipeline_permit"),
    "usage_control_round": row("/usage-control/rounds/{}", LAST_ROUND),
    "case_usage_control": at_case("/usage-control", "print", "printer.310118"),
    "administered_person": row("/administration/people/{}", "SELECT id FROM person WHERE login = 'window.310118'"),
    "revoke_role": row("/administration/roles/{}/revoke", "SELECT id FROM role_grant"),
    "organisation": row("/administration/organisations/{}", "SELECT id FROM organisation"),
    "dictionary": each("/administration/dictionaries/{}", "return_reason"),
    "administered_job": row("/administration/jobs/{}", "SELECT id FROM job"),
    "dictionary_entry": each("/administration/dictionaries/return_reason/entries/{}", "opinion"),
    "parameter": each("/administration/parameters/{}", "rule_draft_lock_minutes", "ledger_carry_over"),
    "open_linked": at_case("/linked/cancellation", "print", "printer.310118"),
    "ledger_statement": each("/ledgers/accounts/{}/310118", "stock", "plan", who="district_handler.310118"),
    "ledger_details": each("/ledgers/details/{}", "planned", "conversion_outflow", "nonbuild_outflow"),
    "audit_entry": row("/audit/{}", "SELECT id FROM audit_entry ORDER BY id DESC"),
}
"""What is opened for a route with parameters, and for one without where a fitting account must be named."""


@dataclass
class Watched:
    """A browser of one account whose page tells what goes wrong in it."""

    context: BrowserContext
    page: Page
    said: list[str]

    def open(self, path: str) -> Response:
        """Go there, forgetting what earlier pages said."""
        self.said.clear()
        answer = self.page.goto(path, wait_until="load")
        assert answer is not None
        return answer

    def violations(self) -> list[str]:
        """What axe finds: the rule, the help, and the first elements."""
        self.page.evaluate(AXE)
        found = self.page.evaluate(
            "standards => axe.run({runOnly: {type: 'tag', values: standards}, resultTypes: ['violations'], preload: false}).then(r => r.violations)", STANDARDS
        )
        return [f"{v['id']}: {v['help']} — " + " | ".join(f"{n['target']} {n['html'][:160]}" for n in v["nodes"][:3]) for v in found]


Open = Callable[[str, bool], Watched]


@pytest.fixture(scope="module")
def watched(
    browser: Browser, browser_context_args: dict[str, Any], portal: RunningPortal, accounts: list[dict[str, Any]]
) -> Iterator[Open]:
    """The browser of an account, signed in once for all pages; on a desk or on a phone."""
    opened: dict[tuple[str, bool], Watched] = {}

    def open_as(login: str, on_phone: bool) -> Watched:
        if (login, on_phone) not in opened:
            size = {"viewport": PHONE} if on_phone else {}
            context = browser.new_context(**{**browser_context_args, **size, "base_url": portal.url})
            if login:
                account = next(each for each in accounts if each["login"] == login)
                sign_in(context.new_page(), account)
            opened[login, on_phone] = watch(context)
        return opened[login, on_phone]

    yield open_as
    for each_one in opened.values():
        each_one.context.close()


@pytest.fixture(scope="module")
def demo(portal: RunningPortal, watched: Open) -> Demo:
    """The demo data, and a draft begun by the enterprise."""
    page = watched(ENTERPRISE, False).page
    begin(page)
    own_draft = page.url.split("/filing/")[1].split("/")[0].split("?")[0]
    found = Demo(
        portal.folder / "portal.sqlite3", own_draft, rule_draft_begun(watched(KEEPER, False).page), overlaid_twice(watched(INSPECTOR, False).page)
    )
    return replace(found, layer_update=layer_update_shown(found, watched(GRAPHICS, False).page))


def layer_update_shown(demo: Demo, page: Page) -> str:
    """A deletion of a free plot and of one that a case holds, compared and not confirmed; its address."""
    held = demo.one("SELECT object_key FROM hold WHERE object_kind = 'plot' AND ended_at IS NULL ORDER BY id")
    page.goto("/layers/annual_farmland/update?way=delete")
    page.get_by_label("图形编号").fill(f"{demo.plot()}\n{held}")
    page.get_by_label("更新理由").fill("复核后删除")
    page.get_by_role("button", name="读取并比较").click()
    page.get_by_role("heading", name="与现行图层的差异").wait_for(timeout=60_000)
    return "/layers/" + page.url.split("/layers/")[1]


def rule_draft_begun(page: Page) -> str:
    """A draft of the warning line at 12 %, replayed; its address."""
    page.goto("/rules/outflow_warning_line")
    page.get_by_role("button", name="起草修改").click()
    page.wait_for_url("**/parameters*")
    page.get_by_label("警戒比例，数值").fill("0.12")
    page.get_by_role("button", name="保存并检查").click()
    address = page.url.split("/parameters")[0].removeprefix(page.url.split("/rule-drafts")[0])
    page.goto(address)
    page.get_by_role("button", name="回放这一稿").click()
    page.get_by_role("heading", name="结论会变").wait_for(timeout=60_000)
    return address


def overlaid_twice(page: Page) -> tuple[str, str]:
    """A file of one range overlaid with land use, and once more as the layers are now; the addresses of both results."""
    page.goto("/overlays/new?source=file")
    outline = {"type": "Polygon", "coordinates": [[[121.05, 31.1], [121.06, 31.1], [121.06, 31.11], [121.05, 31.11], [121.05, 31.1]]]}
    data = json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "东段"}, "geometry": outline}]})
    page.get_by_label("范围文件").set_input_files({"name": "范围.geojson", "mimeType": "application/geo+json", "buffer": data.encode()})
    page.get_by_label("坐标系").select_option("EPSG:4490")
    page.get_by_label("土地利用现状", exact=True).check()
    page.get_by_label("名称").fill("核对用的叠加")
    page.get_by_role("button", name="叠加并保存").click()
    first = _result(page)
    page.get_by_role("button", name="按现在的图层再算一次").click()
    page.wait_for_url(lambda url: not url.endswith(first))
    return first, _result(page)


def _result(page: Page) -> str:
    """The address of the result, once it stands."""
    page.get_by_role("heading", name="逐个范围").wait_for(timeout=60_000)
    return "/overlays/" + page.url.split("/overlays/")[1]


def sign_in(page: Page, account: dict[str, Any]) -> None:
    """Sign in by the account's own way."""
    page.goto("/sign-in")
    if account["way"] == "identity":
        page.get_by_role("link", name="从一网通办登录").click()
        page.get_by_role("radio", name=account["organisation"]).check()
        page.get_by_label("密码").fill(account["password"])
        page.get_by_role("button", name="登录").click()
    else:
        page.get_by_label("登录名").fill(account["login"])
        page.get_by_label("口令").fill(account["password"])
        page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url(lambda url: "/sign-in" not in url and "/authorize" not in url)
    page.close()


def watch(context: BrowserContext) -> Watched:
    """A page that writes down errors of the console, of scripts, and breaches of the content policy."""
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(f"console: {message.text}") if message.type == "error" else None)
    page.on("pageerror", lambda fault: said.append(f"script: {fault}"))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', e => console.error('CSP ' + e.violatedDirective + ' ' + e.blockedURI))"
    )
    return Watched(context, page, said)


def account_for(route: Route, accounts: list[dict[str, Any]]) -> str:
    """Whom the route is for: nobody in particular, an enterprise, an official, or a holder of its roles."""
    if route.access.roles:
        return next(each["login"] for each in accounts if each["role"] in route.access.roles)
    return {"public": ANYBODY, "applicants": ENTERPRISE}.get(route.access.name, OFFICIAL)


def visits_of(route: Route, demo: Demo) -> list[Visit]:
    """The addresses at which a route is looked at."""
    return COVERED[route.name](demo) if route.name in COVERED else [Visit(route.path)]


def test_every_page_is_covered_or_left_out_with_a_reason():
    parametrised = {route.name for route in SHOWN if "{" in route.path}
    open_questions = parametrised - COVERED.keys() - LEFT_OUT.keys()
    assert not open_questions, f"name an address in COVERED, or a reason in LEFT_OUT, for: {sorted(open_questions)}"
    names = {route.name for route in SHOWN}
    assert not (COVERED.keys() | LEFT_OUT.keys()) - names, "COVERED or LEFT_OUT names a route that is not in the table"
    assert not COVERED.keys() & LEFT_OUT.keys()
    assert all(len(reason) > 8 for reason in LEFT_OUT.values())


LOOKED_AT = [route for route in SHOWN if route.name not in LEFT_OUT]


def faults_of(browser: Watched, visit: Visit) -> list[str]:
    """Everything that is wrong with one page, each with its address."""
    answer = browser.open(visit.path)
    if answer.status != visit.status:
        return [f"{visit.path}: status {answer.status}, expected {visit.status}"]
    # The browser itself logs the status of a page that is meant to refuse.
    own_status = f"console: Failed to load resource: the server responded with a status of {visit.status} "
    said = [each for each in browser.said if visit.status == 200 or not each.startswith(own_status)]
    return [f"{visit.path}: {fault}" for fault in [*browser.violations(), *said]]


@pytest.mark.parametrize("route", LOOKED_AT, ids=lambda route: route.name)
def test_page_opens_without_fault(route, demo, watched, accounts):
    faults = []
    for visit in visits_of(route, demo):
        who = account_for(route, accounts) if visit.who is None else visit.who
        faults += faults_of(watched(who, False), visit)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("route", [route for route in LOOKED_AT if route.access.name == "public"], ids=lambda route: route.name)
def test_public_page_opens_without_fault_on_a_phone(route, demo, watched):
    phone = watched(ANYBODY, True)
    for visit in visits_of(route, demo):
        faults = faults_of(phone, visit)
        wide = phone.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert not faults and wide <= 0, "\n".join([*faults, f"{visit.path}: {wide} px wider than the screen"])


IN_THE_DARK = ("map", "district_report", "ledgers", "help", "case", "case_tab", "administration", "desk", "rule")
"""Pages with charts, maps, rulers and long texts, whose colours are not those of the plain components."""


@pytest.fixture(scope="module")
def dark(browser: Browser, browser_context_args: dict[str, Any], portal: RunningPortal, accounts: list[dict[str, Any]]) -> Iterator[Callable[[str], Watched]]:
    """The phone of an account that is set to the dark theme."""
    opened: dict[str, Watched] = {}

    def open_as(login: str) -> Watched:
        if login not in opened:
            context = browser.new_context(**{**browser_context_args, "viewport": PHONE, "color_scheme": "dark", "base_url": portal.url})
            if login:
                sign_in(context.new_page(), next(each for each in accounts if each["login"] == login))
            opened[login] = watch(context)
            opened[login].open("/help")  # the first answer asks the browser for its colours, the next has them
        return opened[login]

    yield open_as
    for each_one in opened.values():
        each_one.context.close()


@pytest.mark.parametrize("route", [route for route in LOOKED_AT if route.name in IN_THE_DARK], ids=lambda route: route.name)
def test_page_opens_without_fault_in_the_dark_on_a_phone(route, demo, dark, accounts):
    faults = []
    for visit in visits_of(route, demo):
        phone = dark(account_for(route, accounts) if visit.who is None else visit.who)
        faults += faults_of(phone, visit)
        assert phone.page.locator("html").get_attribute("data-theme") == "dark"
        wide = phone.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        faults += [f"{visit.path}: {wide} px wider than the screen"] if wide > 0 else []
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("size", [{}, {"viewport": PHONE}], ids=["desk", "phone"])
def test_words_that_were_not_taken_in_are_shown_without_fault(browser, browser_context_args, portal, accounts, size):
    context = browser.new_context(**{**browser_context_args, **size, "base_url": portal.url})
    sign_in(context.new_page(), next(each for each in accounts if each["login"] == OFFICIAL))
    watched = watch(context)
    watched.open("/account/absences")
    watched.page.locator("[name=reason]").fill("写到一半的事由")
    context.clear_cookies()
    watched.page.get_by_role("button", name="设置代理").click()
    watched.page.get_by_role("heading", level=1, name="没有生效").wait_for()
    assert "写到一半的事由" in [each_one.input_value() for each_one in watched.page.locator("main textarea").all()]
    assert watched.violations() == []
    context.close()
