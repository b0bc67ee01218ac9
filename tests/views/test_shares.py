"""Shares of layers: admitted by rules, decided by another person, used by address or file, recorded, withdrawn."""

import io
import re
import sqlite3
import zipfile
from datetime import timedelta

import pytest
import shapely
from sqlmodel import select
from starlette.testclient import TestClient

from domain import job
from domain.actor import SYSTEM
from domain.audit import AuditEntry
from domain.case.tables import StoredDecision
from domain.errors import NotAllowed, NotFound
from domain.layer_share import applying, service
from domain.layer_share.tables import LayerShare, LayerShareAccess
from domain.map_tile import tiles_over
from domain.portal_clock import today
from tests.domain.space_fixtures import PADDY, PUDONG, QINGPU, load_plots
from tests.views.pages import cells, faults, page, title

ADDRESS = re.compile(r"/share-service/[\w-]+")
COLUMNS = ["class_code", "owner_unit_name", "area_m2"]


@pytest.fixture(autouse=True)
def plots(database):
    with database.writing() as session:
        load_plots(session)


@pytest.fixture
def client(app):
    """A program that knows nothing but an address."""
    return TestClient(app, base_url="http://testserver")


@pytest.fixture
def applicant(person):
    return person("district_handler", district=QINGPU, name="申请人")


@pytest.fixture
def manager(person):
    return person("city_handler", name="数据管理员")


def form(**changed):
    usual = {
        "layer": "land_use", "purpose": "planning", "until_on": (today() + timedelta(days=90)).isoformat(), "format": "service", "districts": QINGPU,
        "classes": "01", "fields": COLUMNS, "reason": "",
    }
    return {**usual, **changed}


@pytest.fixture
def asked(sign_in, applicant):
    """Apply and give the number of the share."""

    def ask(actor=applicant, **changed):
        answer = sign_in(actor).post("/shares/apply", form(**changed))
        assert answer.status_code == 303, answer.text[:3000]
        return int(answer.headers["location"].rpartition("/")[2])

    return ask


@pytest.fixture
def approved(asked, sign_in, manager):
    def give(**changed):
        number = asked(**changed)
        assert decide(sign_in(manager), number).status_code == 303
        return number

    return give


def decide(browser, number, decision="approve", **more):
    return browser.post(f"/shares/{number}/decide", {"decision": decision, "version": "1", **more})


def address_of(browser, number):
    """The address that is shown once."""
    return ADDRESS.search(page(browser.post(f"/shares/{number}/address")).select_one("code").text).group()


@pytest.mark.function("ONEMAP-015", "c1")
def test_an_application_waits_for_the_data_manager(database, sign_in, applicant, manager, asked):
    number = asked()
    assert cells(sign_in(manager).get("/shares"), "状态") == ["待审批"] and "1 项等你审批" in title(sign_in(manager).get("/shares"))
    assert title(sign_in(applicant).get(f"/shares/{number}")) == "土地利用现状的共享：待审批"
    with database.reading() as session:
        share, decision = session.get(LayerShare, number), session.exec(select(StoredDecision)).one()
    assert share.fields == COLUMNS and share.classes == ["01"] and (decision.rule_set, decision.outcome) == ("result_sharing_admission", "none")


@pytest.mark.parametrize(("changed", "says"), [
    ({"districts": PUDONG}, "超出本人辖区"), ({"districts": []}, "超出本人辖区"), ({"purpose": "research"}, "须写明理由"),
    ({"until_on": (today() + timedelta(days=366)).isoformat()}, "超过最长的"),
])  # fmt: skip
def test_the_rules_refuse_and_their_answer_is_kept(database, sign_in, applicant, changed, says):
    found = faults(sign_in(applicant).post("/shares/apply", form(**changed)))
    assert len(found) == 1 and says in found[0]
    with database.reading() as session:
        assert session.exec(select(StoredDecision.outcome)).one() in ("deny", "justify") and session.exec(select(LayerShare)).first() is None


@pytest.mark.parametrize(("changed", "count"), [
    ({"until_on": (today() - timedelta(days=1)).isoformat()}, 1), ({"until_on": ""}, 1), ({"purpose": "x", "format": "y"}, 2), ({"districts": "1"}, 1), ({"fields": "secret"}, 1),
])  # fmt: skip
def test_what_cannot_be_asked_for_is_named_by_field(sign_in, applicant, changed, count):
    assert len(faults(sign_in(applicant).post("/shares/apply", form(**changed)))) == count


def test_a_reason_lets_a_foreign_district_be_asked_for(asked):
    assert asked(districts=PUDONG, reason="两区交界处规划协调需要（样例）")


def test_fields_of_ownership_do_not_go_out_for_research(database, asked):
    number = asked(purpose="research", reason="科研统计所需的说明文字（样例）")
    with database.reading() as session:
        assert session.get(LayerShare, number).fields == ["class_code", "area_m2"]


@pytest.mark.function("ONEMAP-015", "c3")
def test_nothing_is_given_out_before_approval(database, sign_in, applicant, manager, asked):
    number = asked()
    browser = sign_in(applicant)
    assert browser.post(f"/shares/{number}/address").status_code == 403
    assert browser.post(f"/shares/{number}/download").status_code == 403
    assert browser.get("/share-service/guessed/features").status_code == 404
    assert decide(browser, number).status_code == 403
    refused = decide(sign_in(manager), number, "refuse", opinion="用途不明（样例）")
    assert refused.status_code == 303 and browser.post(f"/shares/{number}/address").status_code == 403
    with database.reading() as session:
        assert session.exec(select(LayerShareAccess)).first() is None


def test_nobody_decides_his_own_application(database, manager, asked, person):
    number = asked(actor=manager)
    with database.writing() as session, pytest.raises(NotAllowed, match="不能自己审批"):
        applying.approve(session, manager, number, 1)
    second = person("city_handler", name="另一人")
    with database.writing() as session:
        assert applying.approve(session, second, number, 1).status == "approved"


def test_a_refusal_gives_its_reason_and_a_decision_is_made_once(sign_in, manager, asked):
    number = asked()
    assert faults(decide(sign_in(manager), number, "refuse")) == ["请写理由"]
    assert decide(sign_in(manager), number).status_code == 303
    assert decide(sign_in(manager), number, "refuse", opinion="晚了").status_code == 409


@pytest.mark.function("ONEMAP-015", "c2")
def test_the_address_gives_only_what_was_approved(database, sign_in, applicant, approved, client):
    number = approved()
    address = address_of(sign_in(applicant), number)
    about = client.get(address).json()
    assert about["title"] == "土地利用现状" and [each["name"] for each in about["fields"]] == ["DLBM", "QSDWMC", "TBMJ"]
    answer = client.get(f"{address}/features?size=2")
    first = answer.json()
    assert answer.headers["content-type"].startswith("application/geo+json") and [each["id"] for each in first["features"]] == ["DL-1", "DL-2"]
    assert set(first["features"][0]["properties"]) == {"DLBM", "QSDWMC", "TBMJ"} and first["isGenerated"]
    assert shapely.equals(shapely.geometry.shape(first["features"][1]["geometry"]), PADDY)
    second = client.get(next(each["href"] for each in first["links"] if each["rel"] == "next")).json()
    assert [each["id"] for each in second["features"]] == ["DL-3"] and "next" not in {each["rel"] for each in second["links"]}


def test_tiles_hold_the_share_alone(sign_in, applicant, approved, client):
    address = address_of(sign_in(applicant), approved())
    wanted = next(tiles_over(PADDY.bounds, 14))
    tile = client.get(f"{address}/tiles/14/{wanted.column}/{wanted.row}")
    assert b"DL-2" in tile.content and b"DL-4" not in tile.content and tile.headers["cache-control"] == "no-store"
    assert client.get(f"{address}/tiles/3/99/0").status_code == 404


def test_a_token_is_kept_as_a_digest_and_renewed(database, sign_in, applicant, approved, client):
    number = approved()
    old = address_of(sign_in(applicant), number)
    new = address_of(sign_in(applicant), number)
    assert client.get(old).status_code == 404 and client.get(new).status_code == 200
    token = new.rpartition("/")[2]
    with database.reading() as session:
        share = session.get(LayerShare, number)
        said = [f"{each.subject} {each.detail}" for each in session.exec(select(AuditEntry)).all()]
    assert share.token_digest == service.digest_of(token) and token not in str(share) and not any(token in each for each in said)


def test_only_the_applicant_takes_the_address(sign_in, manager, approved, person):
    number = approved()
    assert sign_in(manager).post(f"/shares/{number}/address").status_code == 403
    assert sign_in(person("district_handler", district=QINGPU)).get(f"/shares/{number}").status_code == 404


@pytest.mark.function("ONEMAP-015", "c4", "c5")
def test_a_withdrawn_share_answers_no_more_and_every_use_is_on_record(database, sign_in, applicant, manager, approved, client):
    number = approved()
    address = address_of(sign_in(applicant), number)
    assert client.get(f"{address}/features").status_code == 200
    assert faults(sign_in(manager).post(f"/shares/{number}/withdraw")) == ["请写理由"]
    assert sign_in(manager).post(f"/shares/{number}/withdraw", {"why": "数据有更正（样例）"}).status_code == 303
    for path in ("", "/features", "/tiles/14/13705/6706"):
        answer = client.get(address + path)
        assert answer.status_code == 410 and "已经撤回" in answer.json()["error"]
    shown = sign_in(manager).get(f"/shares/{number}")
    assert cells(shown, "取什么") == ["被拒绝的请求"] * 3 + ["要素"] and cells(shown, "要素数") == ["—", "—", "—", "3"]
    assert "数据有更正（样例）" in page(shown).text and sign_in(applicant).post(f"/shares/{number}/address").status_code == 410
    with database.reading() as session:
        commands = session.exec(select(AuditEntry.command).where(AuditEntry.subject == f"layer_share:{number}").order_by(AuditEntry.id)).all()
    assert commands == ["layer_share.apply", "layer_share.approve", "layer_share.issue_token", "layer_share.read", "layer_share.withdraw", *["layer_share.read"] * 3]


def test_a_share_ends_with_its_last_day(database, sign_in, applicant, approved, client):
    number = approved()
    address = address_of(sign_in(applicant), number)
    with database.writing() as session:
        session.get(LayerShare, number).until_on = today()
        session.commit()
    assert client.get(address).status_code == 200
    with database.writing() as session:
        session.get(LayerShare, number).until_on = today() - timedelta(days=1)
        session.commit()
    assert client.get(address).status_code == 410 and cells(sign_in(applicant).get("/shares?status=expired"), "状态") == ["已到期"]


def run_job(database):
    with database.writing() as session:
        claimed = job.claim(session, SYSTEM)
    return job.run(claimed, database, database.office, lambda: False)


@pytest.mark.parametrize("file_kind", ["gpkg", "shp"])
def test_a_download_is_built_given_to_its_applicant_and_ends(database, sign_in, applicant, manager, approved, file_kind, tmp_path):
    number = approved(format="download", file_kind=file_kind)
    browser = sign_in(applicant)
    assert browser.post(f"/shares/{number}/download").status_code == 409
    assert run_job(database).document["features"] == 3
    assert sign_in(manager).post(f"/shares/{number}/download").status_code == 403
    content = browser.post(f"/shares/{number}/download").content
    if file_kind == "shp":
        assert {name.rpartition(".")[2] for name in zipfile.ZipFile(io.BytesIO(content)).namelist()} >= {"shp", "dbf", "prj"}
    else:
        path = tmp_path / "share.gpkg"
        path.write_bytes(content)
        with sqlite3.connect(path) as connection:
            assert connection.execute("SELECT count(*), group_concat(DISTINCT DLBM) FROM DLTB").fetchone() == (3, "0101,0103")
    assert browser.post(f"/shares/{number}/address").status_code == 409
    assert browser.post(f"/shares/{number}/withdraw", {"why": "不再需要（样例）"}).status_code == 303
    assert browser.post(f"/shares/{number}/download").status_code == 410


def test_an_address_that_is_asked_too_often_waits(monkeypatch, sign_in, applicant, approved, client):
    monkeypatch.setattr(service, "READS_A_MINUTE", 2)
    address = address_of(sign_in(applicant), approved())
    assert [client.get(address).status_code for _ in range(3)] == [200, 200, 429]


def test_the_form_takes_what_a_query_of_the_map_found(sign_in, manager):
    shown = page(sign_in(manager).get(f"/shares/apply?layer=land_use&districts={PUDONG}&classes=0101"))
    assert [each["value"] for each in shown.select("input[name=districts][checked]")] == [PUDONG] and shown.select_one("#classes")["value"] == "0101"
    assert len(shown.select("input[name=fields][checked]")) == 16


def test_applicants_of_the_hall_have_no_shares(sign_in, person):
    browser = sign_in(person("applicant", enterprise="样例公司"))
    assert browser.get("/shares").status_code == 403 and browser.post("/shares/apply", form()).status_code == 403


def test_what_there_is_not_is_not_found(database, manager):
    with database.writing() as session, pytest.raises(NotFound):
        applying.approve(session, manager, 99, 1)
