"""The pages of layer updates: a journey from the upload to the map, decisions on marks, refusals in words, the way back."""

from datetime import date

import pytest
import shapely

from domain import hold
from domain.hold import PLOT
from domain.job import Job
from domain.layer import edition_on
from domain.layer_update import update_of
from domain.portal_clock import today
from tests.domain.layer_update.conftest import QINGPU, Updates, farmland, geojson, plots, square
from tests.domain.ledger_books import new_case, working

KEY = "annual_farmland"
HOME = f"/layers/{KEY}/update"


@pytest.fixture
def updates(database, person):
    made = Updates(database, person("graphic_manager", name="韩图形"))
    made.load([farmland(n) for n in range(4)], data_year=2024)
    return made


@pytest.fixture
def manager(updates, sign_in):
    return sign_in(updates.manager)


def send(manager, updates, way, content=None, **fields):
    with updates.database.reading() as session:
        day = today(session)
    fields = {"way": way, "expected": str(updates.number()), "effective_on": f"{day:%Y-%m-%d}", "reason": "年度更新", "crs": "EPSG:4490", **fields}
    name = fields.pop("file_name", "NDGDZY.geojson")
    files = {"file": (name, content, "application/geo+json")} if content is not None else {}
    answer = manager.post(HOME, fields, files=files or None)
    updates.work()
    return answer


def text_of(manager, address):
    answer = manager.get(address)
    assert answer.status_code == 200
    return answer.text


def post(manager, updates, address, act, **fields):
    number = int(address.rsplit("/", 1)[1])
    with updates.database.reading() as session:
        version = update_of(session, updates.manager, KEY, number).version
    answer = manager.post(f"{address}/{act}", {"version": str(version), **fields})
    updates.work()
    return answer


@pytest.mark.function("LAND-056", "c1", "c2", "c3", "c4")
def test_the_journey_of_the_annual_renewal(updates, manager, person):
    with working(updates.database, person("district_handler", district=QINGPU)) as work:
        hold.take(work, new_case(work), PLOT, ["GD310118-000003"], "reserved")
    assert "年度底板更新" in text_of(manager, HOME) and "数据年度" in text_of(manager, HOME + "?way=annual")
    survey = geojson([
        ({"BSM": f"31011800000000{n}", "TBBH": f"{n}", "DLBM": code, "DLMC": "水田", "SJNF": 2026}, square(n)) for n, code in ((0, "0101"), (1, "0103"), (7, "0101"))
    ])  # fmt: skip
    address = send(manager, updates, "annual", survey, data_year="2026", file_name="DLTB.geojson").headers["location"]
    shown = text_of(manager, address)
    for words in ("与现行图层的差异", "青浦区", "地类或类别 0101 → 0103", "转入历史", "有占用标记的图斑", "GD310118-000003", "1 块待决定", "DLTB 共 3 个图斑"):
        assert words in shown
    assert "disabled" in shown and updates.number() == 1
    refused = post(manager, updates, address, "confirm")
    assert refused.status_code == 409 and "还没有决定怎么处理" in refused.text
    assert post(manager, updates, address, "decide", reason="办件未办结", **{"choice_GD310118-000003": "keep"}).status_code == 303
    assert "保留原图斑：办件未办结（韩图形" in text_of(manager, address)
    assert post(manager, updates, address, "confirm").status_code == 303
    done = text_of(manager, address)
    assert "年度耕地资源层已更新为第 2 版" in done and "在一张图上看" in done
    now = updates.now()
    assert {each.attributes["data_year"] for each in now.values()} == {2026} and now["GD310118-000003"].status == "可用"
    assert sorted(now) == ["310118000000007", "GD310118-000000", "GD310118-000001", "GD310118-000003"]
    versions = text_of(manager, f"/layers/{KEY}/versions")
    assert "年度底板更新" in versions and "韩图形" in versions
    with updates.database.reading() as session:
        assert edition_on(session, KEY).data_year == 2026
    assert {each.attributes["data_year"] for each in updates.on(date(2026, 1, 1)).values()} == {2024}


def test_a_held_patch_says_what_it_would_overlap_if_it_is_kept(updates, manager, person):
    with working(updates.database, person("district_handler", district=QINGPU)) as work:
        hold.take(work, new_case(work), PLOT, ["GD310118-000003"], "reserved")
    survey = geojson([({"BSM": "3101180000000009", "TBBH": "9", "DLBM": "0101", "DLMC": "水田", "SJNF": 2026}, square(3, width=0.0004))])
    address = send(manager, updates, "annual", survey, data_year="2026", file_name="DLTB.geojson").headers["location"]
    shown = text_of(manager, address)
    assert "原图斑与新图形 3101180000000009（" in shown
    assert "保留会造成重叠" in shown


@pytest.mark.function("GEO-030", "c1", "c3")
def test_an_area_is_renewed_and_taken_back_on_screen(updates, manager):
    file = plots([("N1", shapely.box(121.001, 31.1, 121.003, 31.101), "0101")])
    address = send(manager, updates, "area", file, border="refuse").headers["location"]
    assert "待确认" in text_of(manager, address)
    assert post(manager, updates, address, "confirm").status_code == 303
    assert sorted(updates.now()) == ["GD310118-000000", "GD310118-000003", "N1"]
    assert "第 2 版" in text_of(manager, f"/layers/{KEY}/restore")
    assert manager.post(f"/layers/{KEY}/restore", {"expected": "2", "reason": ""}).status_code == 422
    assert manager.post(f"/layers/{KEY}/restore", {"expected": "1", "reason": "误传"}).status_code == 409
    assert manager.post(f"/layers/{KEY}/restore", {"expected": "2", "reason": "误传"}).status_code == 303
    assert sorted(updates.now()) == [f"GD310118-{n:06d}" for n in range(4)]


@pytest.mark.function("GEO-030", "c1")
def test_features_are_deleted_by_numbers_that_a_link_brings(updates, manager):
    assert "GD310118-000001" in text_of(manager, HOME + "?way=delete&keys=GD310118-000001")
    address = send(manager, updates, "delete", keys="GD310118-000001，GD310118-000002").headers["location"]
    post(manager, updates, address, "confirm")
    assert sorted(updates.now()) == ["GD310118-000000", "GD310118-000003"]


def test_what_is_missing_stands_at_its_field_and_the_rest_is_kept(updates, manager):
    answer = send(manager, updates, "region", reason="补测")
    assert answer.status_code == 422 and "请选择行政区" in answer.text and "请选择数据文件" in answer.text and "补测" in answer.text


def test_a_form_that_is_out_of_date_says_who_was_faster(updates, manager):
    updates.confirm(updates.ask("delete", keys=("GD310118-000001",)))
    answer = send(manager, updates, "delete", keys="GD310118-000002", expected="1")
    assert answer.status_code == 409 and "已由韩图形于" in answer.text and len(updates.now()) == 3


def test_refusals_stand_in_words_and_the_update_can_be_given_up(updates, manager):
    address = send(manager, updates, "feature", plots([("", square(9), "0101")])).headers["location"]
    shown = text_of(manager, address)
    assert "不能更新，图层没有改动" in shown and "没有地块唯一编号" in shown
    assert post(manager, updates, address, "drop").status_code == 303
    assert "已放弃" in text_of(manager, address) and "已放弃" in text_of(manager, HOME)


def test_while_it_is_read_the_page_shows_the_job(updates, manager):
    with updates.database.reading() as session:
        day = today(session)
    fields = {"way": "delete", "expected": "1", "effective_on": f"{day:%Y-%m-%d}", "reason": "试", "keys": "GD310118-000001"}
    address = manager.post(HOME, fields).headers["location"]
    assert "正在读取" in text_of(manager, address)
    assert manager.get(address, headers={"HX-Request": "true"}).status_code == 200
    updates.work()
    assert manager.get(address, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"


def test_an_update_that_ended_before_its_job_is_shown_whole(updates, manager):
    row = updates.ask("delete", keys=("GD310118-000001",))
    with updates.database.writing() as session:
        session.get_one(Job, row.job_id).status = "running"
        session.commit()
    answer = manager.get(f"/layers/{KEY}/updates/{row.id}", headers={"HX-Request": "true"})
    assert answer.headers["HX-Refresh"] == "true"


def test_a_district_is_offered_its_own_ways_and_districts(updates, sign_in, person):
    local = sign_in(person("graphic_manager", district=QINGPU))
    shown = text_of(local, HOME)
    assert "按范围更新" in shown and "全图层更新" not in shown and "年度底板更新" not in shown
    assert "浦东新区" not in text_of(local, HOME + "?way=region")


def test_others_have_no_such_page(updates, sign_in, person):
    assert sign_in(person("district_handler", district=QINGPU)).get(HOME).status_code == 403
