"""The payments panel (LAND-038): lights, records, typing one in, taking it back; and the house counts beside it."""

import pytest
from bs4 import BeautifulSoup
from sqlmodel import select

from domain.payment import PaymentRecord
from tests.case_types.test_payment_supervision import DISTRICT, Supervision

pytestmark = pytest.mark.usefixtures("linked")


@pytest.fixture
def transferor(person):
    return person("district_transferor", district=DISTRICT)


@pytest.fixture
def walk(database, transferor):
    made = Supervision(database, -3, 30, amounts=["1000.00", "500.00"])
    made.fill(transferor, "supervise")
    return made


def panel_of(answer, status=200):
    assert answer.status_code == status, answer.text[:1500]
    return BeautifulSoup(answer.text, "html.parser").find(id="payments")


def posted(walk, **changed):
    day = walk.today
    return {"voucher_number": "PZ-1", "amount": "1000.00", "paid_on-year": day.year, "paid_on-month": day.month,
            "paid_on-day": day.day, **changed}


def test_each_instalment_has_its_light_and_a_typed_payment_moves_it(walk, transferor, sign_in, database):
    browser = sign_in(transferor)
    shown = panel_of(browser.get(f"/cases/{walk.id}")).get_text(" ", strip=True)
    assert "逾期未缴付" in shown and "未到提醒期" in shown
    address = f"/cases/{walk.id}/tasks/{walk.task('supervise')}/payments"
    assert browser.post(address, posted(walk)).status_code == 303
    shown = panel_of(browser.get(f"/cases/{walk.id}")).get_text(" ", strip=True)
    assert "逾期未缴付" not in shown and "凭证 PZ-1" in shown
    with database.reading() as session:
        record = session.exec(select(PaymentRecord)).one()
    refused = browser.post(f"/cases/{walk.id}/payments/{record.id}/void", {"task_id": walk.task("supervise"), "reason": ""})
    assert "请填写原因" in panel_of(refused, 422).get_text()
    done = browser.post(f"/cases/{walk.id}/payments/{record.id}/void", {"task_id": walk.task("supervise"), "reason": "录错"})
    assert done.status_code == 303
    assert "已撤销" in panel_of(browser.get(f"/cases/{walk.id}")).get_text()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"amount": "一千"}, "金额应是数字"),
        ({"amount": "NaN"}, "金额应是数字"),
        ({"amount": ""}, "金额应大于 0"),
        ({"voucher_number": ""}, "请填写凭证号"),
        ({"paid_on-year": "", "paid_on-month": "", "paid_on-day": ""}, "请填写缴款日期"),
        ({"paid_on-month": "13"}, "应写成"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(walk, transferor, sign_in, changed, words):
    browser = sign_in(transferor)
    answer = browser.post(f"/cases/{walk.id}/tasks/{walk.task('supervise')}/payments", posted(walk, **changed))
    panel = panel_of(answer, 422)
    assert words in panel.get_text() and panel.find("details", open=True) is not None
    assert panel.find("input", {"name": "voucher_number"})["value"] == str(changed.get("voucher_number", "PZ-1"))


def test_another_role_may_not_type_payments(walk, person, sign_in):
    browser = sign_in(person("window", district=DISTRICT))
    assert browser.post(f"/cases/{walk.id}/tasks/{walk.task('supervise')}/payments", posted(walk)).status_code == 403


@pytest.mark.function("LAND-015", "both_sides_shown")
def test_the_house_case_shows_both_sides_with_their_sums(database, person, sign_in):
    from tests.case_types.test_house_closing import ONE_SHORT, begun

    handler = person("district_handler", district=DISTRICT)
    house = begun(database, handler, ONE_SHORT)
    answer = sign_in(handler).get(f"/cases/{house.id}")
    shown = BeautifulSoup(answer.text, "html.parser").find("main").get_text(" ", strip=True)
    assert "两侧相差 1" in shown and "60" in shown and "59" in shown
