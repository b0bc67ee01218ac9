"""A case type that nobody has seen before: written into a folder at run time under a key made up at that moment, it is found,
filed, processed, listed, searched, exported and printed through the screens, without a line of Python."""

import io
import secrets
from dataclasses import replace

import openpyxl
import pytest
from pypdf import PdfReader
from sqlmodel import select

from domain.case.tables import Case, Task
from domain.document.tables import Document
from domain.file_store import FileStore
from portal.office import open_office
from portal.runner import Runner
from portal.settings import PROJECT_DIR, read_settings
from tests.case_types import tree_permit
from tests.domain.case.conftest import PNG
from tests.views.reading import fields_of, read, words

DISTRICT = "310118"


@pytest.fixture(scope="session")
def key():
    return f"made_up_{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
def made_up_office(tmp_path_factory, key):
    """The shipped rule sets, and one folder with one case type whose key, fields and words are its own."""
    folder = tmp_path_factory.mktemp("made_up")
    changes = {"tree_permit": key, "占用绿地许可": "临时占河许可", "占绿许可": "占河许可", "tree_limit": f"{key}_limit",
               "tree_route": f"{key}_route", "area": "river_surface"}
    for name, text in tree_permit.FILES.items():
        text = text.replace("type: area", "type: AREA").replace("{area:area}", "{area:AREA}")
        for old, new in changes.items():
            text, name = text.replace(old, new), name.replace(old, new)
        path = folder / key / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("AREA", "area"), encoding="utf-8")
    settings = read_settings({"VAR_DIR": str(folder / "var"), "DEMO": "1", "PARTNERS_URL": "http://127.0.0.1:9"})
    return open_office(settings, case_types=folder, rule_folders=(PROJECT_DIR / "rules" / "sets", folder / key))


@pytest.fixture
def office(made_up_office, settings):
    return replace(made_up_office, files=FileStore(settings.var_dir / "files"), caches={})


@pytest.fixture
def people(person, sign_in):
    """A browser for the applicant and for each officer."""
    applicant = person("applicant", enterprise="青浦水务（样例）", name="申请人甲")
    roles = ("window", "reviewer", "section_chief", "pre_reviewer", "approver")
    return {"applicant": sign_in(applicant), **{role: sign_in(person(role, district=DISTRICT, name=role)) for role in roles}}


def filed(applicant, key):
    """File one through the hall, as a person would; the code of the filing."""
    assert "临时占河许可" in applicant.get("/?q=占河").text
    assert applicant.get(f"/hall/{key}").status_code == 200
    started = applicant.post(f"/hall/{key}/start")
    code = started.headers["location"].split("/")[2]
    page = read(applicant.get(f"/filing/{code}/form/project"))
    typed = {"project_name": "泵站工程", "district": DISTRICT, "river_surface": "120.50", "cuts_trees": "false"}
    saved = applicant.post(f"/filing/{code}/form/project", {**fields_of(page.select_one("#case-form")), **typed})
    assert saved.status_code == 303, saved.text
    assert applicant.post(f"/filing/{code}/materials/plan", files={"file": ("平面图.png", PNG)}).status_code == 303
    check = read(applicant.get(f"/filing/{code}/check"))
    submitted = applicant.post(f"/filing/{code}/submit", {**fields_of(check.select_one("form[action$='/submit']")), "action": "submit"})
    assert submitted.headers["location"] == f"/filing/{code}/receipt"
    return code


def open_task(database, step):
    with database.reading() as session:
        return session.exec(select(Task).where(Task.step == step, Task.status.in_(("ready", "held")))).one()


def acted(database, browser, step, action, **fields):
    """Act at a step through the case page."""
    task = open_task(database, step)
    posted = {"_action": action, "_opinion": "同意", **fields}
    answer = browser.post(f"/cases/{task.case_id}/tasks/{task.id}/act", posted)
    if answer.status_code == 303 and "/act/" in answer.headers["location"]:
        answer = browser.post(answer.headers["location"], {**posted, "confirmed": "1"})
    assert answer.status_code == 303, answer.text


def test_it_is_filed_processed_listed_searched_exported_and_printed(database, office, people, key):
    code = filed(people["applicant"], key)
    case_id = open_task(database, "window").case_id

    listed = read(people["window"].get(f"/desk?type={key}"))
    assert "泵站工程" in words(listed.select_one("tbody")) and "120.50" in words(listed.select_one("tbody"))
    acted(database, people["window"], "window", "accept")
    acted(database, people["reviewer"], "review", "pass", visited="true")
    acted(database, people["section_chief"], "garden", "agree")
    acted(database, people["pre_reviewer"], "traffic", "agree")
    acted(database, people["approver"], "sign", "grant")
    with database.reading() as session:
        case = session.get(Case, case_id)
        assert (case.status, case.outcome, case.case_type, case.draft_number) == ("closed", "granted", key, code)
        papers = {each.key: each.id for each in session.exec(select(Document).where(Document.case_id == case_id)).all()}

    approver = people["approver"]
    assert _found(approver, f"type={key}&f_river_surface_from=120.5&f_river_surface_until=120.5") == ["泵站工程"]
    assert _found(approver, f"type={key}&f_river_surface_from=120.51") == []
    assert _found(approver, f"type={key}&f_project_name=泵站") == _found(approver, "q=站工") == ["泵站工程"]
    assert _found(approver, "q=泵房") == []

    assert approver.post("/cases/export", {"type": key}).status_code == 303
    runner = Runner(database, office)
    while runner._work_at_job():
        pass
    job = read(approver.get("/jobs")).select_one("tbody a")["href"]
    sheet = openpyxl.load_workbook(io.BytesIO(approver.get(f"{job}/result").content)).active
    head, row = ([cell.value for cell in line] for line in sheet.iter_rows())
    assert dict(zip(head, row, strict=True))["项目"] == "泵站工程" and 120.5 in row

    paper = people["applicant"].get(f"/files/documents/{papers['permit']}")
    assert paper.headers["content-type"] == "application/pdf"
    printed = "".join(PdfReader(io.BytesIO(paper.content)).pages[0].extract_text().split())
    assert "临时占河许可证" in printed and "120.50" in printed and "青浦水务" in printed
    assert "临时占河许可" in people["applicant"].get(f"/track/{case.number}").text


def _found(browser, query):
    return [row.select_one("a").text for row in read(browser.get(f"/cases?{query}")).select("tbody tr") if row.select_one("a")]
