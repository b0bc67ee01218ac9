"""The shared library and the map service: a patch arrives once, whatever happens to its answer."""

import dataclasses
from decimal import Decimal

import pytest

from domain.ports import OutsideSystemDown, PartnerAnswerInvalid, PartnerRefused
from domain.ports.map_service import MapFeature
from domain.ports.sharing_library import OverlayShare, SharedPatch

SQUARE = {"type": "MultiPolygon", "coordinates": [[[[121.1, 31.1], [121.101, 31.1], [121.101, 31.101], [121.1, 31.1]]]]}
PATCH = SharedPatch(
    "样例执〔2026〕1号", "样例执〔2026〕1号", "XS1", "TB1", "卫星遥感", "310118", Decimal("1200.50"),
    (OverlayShare("永久基本农田", "永久基本农田", Decimal("300.00")),), SQUARE,
)  # fmt: skip
FEATURE = MapFeature("样例执〔2026〕1号", "样例执〔2026〕1号", "TB1", "线索图斑 TB1", "310118", SQUARE)
SENT = {
    "sharing_library": (lambda partners, sent: partners.sharing_library.store(sent), PATCH, lambda partners, key: partners.sharing_library.is_held(key)),
    "map_service": (lambda partners, sent: partners.map_service.place(sent), FEATURE, lambda partners, key: partners.map_service.is_placed(key)),
}
both = pytest.mark.parametrize("name", SENT)


@both
def test_a_patch_sent_twice_is_held_once(running, name):
    send, sent, held = SENT[name]
    assert not held(running.partners, sent.business_key)
    first, second = send(running.partners, sent), send(running.partners, sent)
    assert held(running.partners, sent.business_key)
    assert first.receipt_number == second.receipt_number and (first.is_duplicate, second.is_duplicate) == (False, True)
    assert len(running.state()["kept"]) == 1


@both
def test_a_lost_answer_and_a_second_sending_leave_one_effect(running, name):
    send, sent, _ = SENT[name]
    running.fault(name, "lost_answer", calls=1)
    with pytest.raises(OutsideSystemDown) as down:
        send(running.partners, sent)
    assert down.value.effect_unknown
    assert send(running.partners, sent).is_duplicate and len(running.state()["kept"]) == 1


@both
def test_another_patch_under_the_same_key_is_refused(running, name):
    send, sent, _ = SENT[name]
    send(running.partners, sent)
    with pytest.raises(PartnerRefused, match="内容不同"):
        send(running.partners, dataclasses.replace(sent, patch_number="TB2"))


@both
@pytest.mark.parametrize("change", [
    {"case_number": ""}, {"geometry": {"type": "Point", "coordinates": [121.1, 31.1]}},
    {"geometry": {"type": "Polygon", "coordinates": [[[121.1, 31.1], [121.2, 31.1], [121.2, 31.2]]]}},
    {"geometry": {"type": "Polygon", "coordinates": [[[40500000, 31.1], [121.2, 31.1], [121.2, 31.2], [40500000, 31.1]]]}},
])  # fmt: skip
def test_what_a_partner_cannot_use_it_refuses_with_the_field(running, name, change):
    send, sent, _ = SENT[name]
    with pytest.raises(PartnerRefused) as refused:
        send(running.partners, dataclasses.replace(sent, **change))
    assert {each.field for each in refused.value.rejections} == set(change)


@both
@pytest.mark.parametrize("field", ["business_key", "receipt_number", "received_at", "is_duplicate"])
def test_an_incomplete_receipt_is_no_receipt(running, name, field):
    send, sent, _ = SENT[name]
    running.fault(name, "wrong_schema", field=field)
    with pytest.raises(PartnerAnswerInvalid) as invalid:
        send(running.partners, sent)
    assert invalid.value.field == f"data.{field}"


@both
def test_a_receipt_for_another_patch_is_no_receipt(running, name):
    send, sent, _ = SENT[name]
    running.fault(name, "wrong_value", field="business_key")
    with pytest.raises(PartnerAnswerInvalid, match="business_key"):
        send(running.partners, sent)
