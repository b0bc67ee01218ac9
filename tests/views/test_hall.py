"""The public hall: found by words and audience, a guide made of the definition, and a start that never makes five drafts."""

from dataclasses import replace
from io import BytesIO

import pytest
from openpyxl import Workbook
from starlette.testclient import TestClient

from domain import template_file
from domain.case import draft
from domain.office import Office
from portal.office import open_office
from portal.settings import PROJECT_DIR, read_settings
from tests.case_types import tree_permit
from tests.domain.case.conftest import applicant, filing, officers  # noqa: F401
from tests.views.reading import heading, read, words

STAFF_TYPE = "staff_survey"


@pytest.fixture(scope="session")
def hall_office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Two case types: one that enterprises start, with a template; one that the office starts, behind a gate."""
    folder = tmp_path_factory.mktemp("hall_types")
    tree_permit.write(folder)
    documents = folder / "tree_permit" / "documents.yaml"
    documents.write_text(documents.read_text("utf-8").replace("key: plan, label: 平面图,", "key: plan, label: 平面图, template: plan_table,"), "utf-8")
    _write_other(folder, STAFF_TYPE, {"audience: enterprise": "audience: staff", "started_by: [applicant]": "started_by: [window]",
                                      "title: 占用绿地许可": "title: 绿地普查", "short: 占绿许可": "short: 绿地普查", "group: 测试事项": "group: 调查"})
    _write_other(folder, "gated_permit", {"asks_on_start: []": "asks_on_start: [tree_limit]", "title: 占用绿地许可": "title: 林地许可",
                                          "short: 占绿许可": "short: 林地许可", "占用绿地许可证": "林地证"})
    settings = read_settings({"VAR_DIR": str(folder / "var"), "DEMO": "1", "PARTNERS_URL": "http://127.0.0.1:9"})
    return open_office(settings, case_types=folder, rule_folders=(PROJECT_DIR / "rules" / "sets", folder / "tree_permit"))


def _write_other(folder, key, changes):
    for name, text in tree_permit.FILES.items():
        if name.startswith("rules/"):
            continue
        for old, new in {**changes, "key: tree_permit": f"key: {key}", "series: tree": f"series: {key}", "draft_prefix: TP": "draft_prefix: XX"}.items():
            text = text.replace(old, new)
        path = folder / key / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def office(hall_office, settings):
    from domain.file_store import FileStore

    return replace(hall_office, files=FileStore(settings.var_dir / "files"), caches={})


@pytest.fixture
def visitor(app):
    return TestClient(app, base_url="http://testserver")


def titles(page):
    return [words(each) for each in page.select(".links-ruled a")]


@pytest.mark.parametrize(("asked", "found"), [
    ("占用绿地", ["占用绿地许可"]),
    ("树木株数", ["占用绿地许可", "林地许可"]),  # the label of a form field
    ("测试依据 林地", ["林地许可"]),
    ("ＸＸ没有", []),
])
def test_case_types_are_found_by_title_basis_and_what_their_form_asks(visitor, asked, found):
    page = read(visitor.get("/", params={"q": asked}))
    assert titles(page) == found
    assert words(page.select_one("#results")) == f"找到 {len(found)} 个事项"


def test_what_offices_start_is_listed_only_when_asked_for(visitor):
    assert "绿地普查" not in titles(read(visitor.get("/")))
    assert titles(read(visitor.get("/", params={"audience": "staff"}))) == ["绿地普查"]
    assert titles(read(visitor.get("/", params={"audience": "citizen"}))) == []


def test_the_guide_says_what_the_definition_says(visitor):
    page = read(visitor.get("/hall/tree_permit"))
    text = words(page.main)
    for part in ("建设单位", "有项目", "不收费", "法定 20 个", "测试窗口", "测试依据", "平面图", "PDF 文档、PNG 图片", "共 6 步"):
        assert part in text, part
    assert [words(each) for each in page.select(".steps li")] == ["申报", "收件", "审核", "绿化会办", "交通会办", "签发"]
    assert page.select_one("form[action$='/start']") is None
    assert "next=%2Fhall%2Ftree_permit" in page.find("a", string="登录并申请")["href"]


def test_there_is_no_guide_to_what_does_not_exist(visitor):
    assert read(visitor.get("/hall/nothing"), 404)


def test_the_first_start_opens_a_draft_and_the_second_leads_back_to_it(sign_in, applicant, database):  # noqa: F811
    browser = sign_in(applicant)
    first = browser.post("/hall/tree_permit/start")
    assert first.status_code == 303 and first.headers["location"].startswith("/filing/TP-")
    again = browser.post("/hall/tree_permit/start")
    assert again.headers["location"] == "/hall/tree_permit#drafts"
    page = read(browser.get("/hall/tree_permit"))
    assert page.select_one("#drafts a")["href"] == first.headers["location"]
    with database.reading() as session:
        assert len(draft.drafts_of(session, applicant, "tree_permit")) == 1
    browser.post("/hall/tree_permit/start", {"second": "1"})
    with database.reading() as session:
        assert len(draft.drafts_of(session, applicant, "tree_permit")) == 2


def test_the_hall_shows_what_waits_and_finds_ones_own_case_by_number(sign_in, applicant, filing, person):  # noqa: F811
    page = read(sign_in(applicant).get("/", params={"q": filing.case.draft_number.lower()}))
    assert page.select_one("section[aria-labelledby=waiting] .tasks a")["href"] == f"/filing/{filing.case.draft_number}"
    assert page.select_one("section[aria-labelledby=own] a")["href"] == f"/track/{filing.case.draft_number}"
    other = read(sign_in(person("applicant", enterprise="别的公司（样例）")).get("/", params={"q": filing.case.draft_number}))
    assert other.select("section[aria-labelledby=own], section[aria-labelledby=waiting]") == []


def test_a_start_gate_that_cannot_tell_refuses_with_its_reason_and_opens_nothing(sign_in, applicant, database):  # noqa: F811
    page = read(sign_in(applicant).post("/hall/gated_permit/start"), 422)
    assert heading(page) == "现在不能申请林地许可"
    assert "占用面积上限" in words(page.select_one(".why"))
    with database.reading() as session:
        assert draft.drafts_of(session, applicant, "gated_permit") == []


def test_staff_and_strangers_cannot_start(sign_in, person, app, visitor):
    assert read(sign_in(person("window", district="310118")).post("/hall/tree_permit/start"), 403)
    answer = visitor.post("/hall/tree_permit/start", follow_redirects=False)
    assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")


def test_a_template_that_a_material_names_can_be_fetched_by_everybody(visitor, database, office, person):
    assert read(visitor.get("/template-files/plan_table"), 404)  # nobody has put one there yet
    book, written = Workbook(), BytesIO()
    book.save(written)
    administrator = person("system_admin")
    with database.writing() as session:
        content = template_file.receive(office.files, "平面图说明表.xlsx", [written.getvalue()])
        slot = template_file.slots(office)["plan_table"]
        template_file.put_version(session, administrator, slot, content, "平面图说明表.xlsx", "第一版", 0)
    answer = visitor.get("/template-files/plan_table")
    assert answer.content == written.getvalue()
    assert "filename*=UTF-8''%E5%B9%B3%E9%9D%A2%E5%9B%BE" in answer.headers["content-disposition"]
    assert "/template-files/plan_table" in [a["href"] for a in read(visitor.get("/hall/tree_permit")).select("table a")]
    assert read(visitor.get("/template-files/other"), 404)
