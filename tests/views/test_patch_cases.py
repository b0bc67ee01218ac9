"""Screens of patches that became cases: the part of the task's page, the list, the panel of a case; who may."""

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import event

from domain import failpoint
from domain.patch_case import opening
from domain.patch_case.handing_over import LIBRARY, MAP
from tests.domain.patch_case.conftest import QINGPU, ready

ALL_DONE = ["完成"] * 5


@pytest.fixture
def clues(database, office, tmp_path, person):
    return ready(database, office, tmp_path, person)


def soup(answer, status=200):
    assert answer.status_code == status, answer.text[:3000]
    return BeautifulSoup(answer.text, "html.parser")


def rows(page):
    return page.select('[aria-label="图斑案件"] tbody tr')


def tags(row):
    return [each.get_text(strip=True) for each in row.select(".tag")]


@pytest.mark.function("PROJ-044", "c5")
def test_the_list_tells_every_stage_and_leads_to_case_and_map(clues, linked, sign_in):
    run = clues.admitted(count=4)
    browser = sign_in(clues.handler)
    path = f"/inspections/runs/{run.id}/patches"
    working = soup(browser.get(path))
    assert [tags(row) for row in rows(working)] == [["完成", "完成", "进行中", "完成", "进行中"]] * 4
    assert working.select_one("#patches")["hx-trigger"] == "every 5s" and "4 / 4 个图斑已立案" in working.get_text()
    part = browser.get(f"{path}?watch=1", headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<div id="patches"') and "every 5s" in part.text
    clues.deliver()
    done = soup(browser.get(f"{path}?watch=1", headers={"HX-Request": "true"}))
    assert [tags(row) for row in rows(done)] == [ALL_DONE] * 4 and not done.select("[hx-get]")
    case = clues.cases()[0]
    first = rows(done)[0]
    assert {each["href"] for each in first.select("a")} == {f"/cases/{case.id}", f"/map?case={case.id}"}
    assert case.number in first.get_text() and "仿真-GXK" in first.get_text() and "仿真-TDT" in first.get_text() and "核查" in first.get_text()


@pytest.mark.function("PROJ-044", "c5")
def test_the_page_of_the_task_and_the_case_say_the_same(clues, linked, sign_in, person):
    run = clues.admitted()
    clues.deliver(MAP)
    shown = soup(sign_in(clues.handler).get(f"/inspections/{run.task_id}"))
    assert len(rows(shown)) == 10 and "看全部 12 个图斑的案件" in shown.get_text() and "入共享库 0 / 12，转天地图 12 / 12" in shown.get_text()
    part = shown.select_one("#patches")["hx-get"]
    assert len(rows(soup(sign_in(clues.handler).get(part, headers={"HX-Request": "true"})))) == 10 and "first=1" in part
    case = clues.cases()[0]
    panel = soup(sign_in(person("enforcer", district=QINGPU, name="温执法")).get(f"/cases/{case.id}")).select_one('[aria-labelledby="patch-title"]')
    assert tags(panel) == ["完成", "完成", "进行中", "完成", "完成"] and case.number in panel.get_text()
    assert f"/inspections/runs/{run.id}/patches" in panel.select_one("a")["href"]


def test_the_list_is_filtered_sorted_and_searched(clues, linked, sign_in, running):
    run = clues.admitted(count=3)
    running.fault(LIBRARY, "refuse", calls=1)
    clues.deliver()
    browser, path = sign_in(clues.handler), f"/inspections/runs/{run.id}/patches"
    [failed] = rows(soup(browser.get(f"{path}?state=failed")))
    assert "。。" not in failed.get_text() and tags(failed)[2] == "失败" and "GXK-409" in failed.get_text() and "交换监控" in failed.get_text()
    assert len(rows(soup(browser.get(f"{path}?state=done")))) == 2
    last = clues.cases()[-1]
    [found] = rows(soup(browser.get(f"{path}?words={last.values['patch_number']}&sort=-area_m2")))
    assert last.number in found.get_text()
    assert "没有符合条件的图斑" in soup(browser.get(f"{path}?words=没有")).get_text()
    assert browser.get(f"{path}?page=9&state=x&sort=y").status_code == 200


def test_a_partner_that_does_not_answer_is_named_above_the_list(clues, linked, sign_in, running):
    run = clues.admitted(count=2)
    running.fault(LIBRARY, "down")
    clues.deliver()
    shown = soup(sign_in(clues.handler).get(f"/inspections/runs/{run.id}/patches"))
    assert "共享库没有正常应答" in shown.get_text() and "天地图没有" not in shown.get_text()
    assert sorted(tags(row)[2] for row in rows(shown)) == ["进行中"] * 2 and {tags(row)[4] for row in rows(shown)} == {"完成"}


def test_going_on_is_offered_to_those_who_admit_and_to_nobody_else(clues, sign_in, person):
    counted = iter(range(1, 100))

    def cut(name):
        if name == "patch_case:opened" and next(counted) == 1:
            raise RuntimeError("cut off")

    failpoint.install(cut)
    try:
        run = clues.admitted(count=2)
    finally:
        failpoint.install(None)
    path = f"/inspections/runs/{run.id}/patches"
    assert not soup(sign_in(clues.chief).get(path)).select(f'form[action$="{path}/resume"]')
    assert sign_in(clues.chief).post(f"{path}/resume").status_code == 403
    assert sign_in(person("district_handler", district="310115")).get(path).status_code == 404
    assert sign_in(person("window", district=QINGPU)).get(path).status_code == 403
    browser = sign_in(clues.handler)
    shown = soup(browser.get(path))
    assert "立案没有完成" in shown.get_text() and shown.select(f'form[action$="{path}/resume"]')
    assert browser.post(f"{path}/resume").status_code == 303
    assert browser.post(f"{path}/resume").status_code == 409
    clues.work()
    assert len(clues.cases()) == 2 and opening.KIND


def test_an_export_is_queued_for_what_is_shown(clues, sign_in):
    run = clues.admitted(count=2)
    browser = sign_in(clues.handler)
    answer = browser.post(f"/inspections/runs/{run.id}/patches/export", {"state": "working"})
    assert answer.status_code == 303 and "/jobs/" in answer.headers["location"]


def test_the_number_of_patches_does_not_change_the_number_of_statements(clues, sign_in):
    browser, counts = sign_in(clues.handler), {}
    for count, first in ((2, 0), (12, 100)):
        run = clues.admitted(count=count, first=first)
        for path in (f"/inspections/runs/{run.id}/patches", f"/inspections/{run.task_id}"):
            assert browser.get(path).status_code == 200
            said = []
            event.listen(clues.database.engine, "before_cursor_execute", lambda _c, _u, statement, *_rest, kept=said: kept.append(statement))
            assert browser.get(path).status_code == 200
            counts.setdefault(path.rsplit("/", 1)[-1] == "patches", []).append(len(said))
    assert counts[True][0] == counts[True][1] <= 12, counts
    assert counts[False][0] == counts[False][1], counts
