"""Strict reading of answers: every way an answer can differ from the agreed form."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

import pytest

from domain.ports import PartnerAnswerInvalid, PartnerRefused, partner
from integrations.answer import Fields, read_envelope, read_json
from integrations.http import Answer

PARTNER = partner("tax")


class Colour(StrEnum):
    RED = "red"


def fields(**value):
    return Fields(PARTNER, value)


@pytest.mark.parametrize(
    ("method", "value", "expected"),
    [
        ("text", "样例", "样例"),
        ("count", 0, 0),
        ("truth", False, False),
        ("decimal", "0.10", Decimal("0.10")),
        ("decimal", "-12", Decimal(-12)),
        ("day", "2024-02-29", date(2024, 2, 29)),
        ("moment", "2026-07-01T08:00:00+08:00", datetime(2026, 7, 1, tzinfo=UTC)),
        ("texts", "one", ["one"]),
        ("texts", ["one", "two"], ["one", "two"]),
        ("text_or_none", None, None),
        ("count_or_none", None, None),
        ("truth_or_none", None, None),
        ("decimal_or_none", None, None),
        ("moment_or_none", None, None),
    ],
)
def test_good_values_are_read(method, value, expected):
    assert getattr(fields(x=value), method)("x") == expected


@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("text", None),
        ("text", ""),
        ("text", 5),
        ("text", "x" * 2001),
        ("count", True),
        ("count", -1),
        ("count", "1"),
        ("count", 1.0),
        ("truth", 1),
        ("truth", "true"),
        ("decimal", 1.1),
        ("decimal", 1),
        ("decimal", "1e5"),
        ("decimal", "01"),
        ("decimal", ".5"),
        ("decimal", "1.1234567"),
        ("decimal", "１"),
        ("day", "2026-02-29"),
        ("day", "20260201"),
        ("day", "2026-2-1"),
        ("moment", "2026-07-01T08:00:00"),
        ("moment", "yesterday"),
        ("moment", 1),
        ("texts", [1]),
        ("texts", None),
        ("object", []),
        ("objects", {}),
        ("objects", None),
    ],
)
def test_bad_values_are_refused_by_name(method, value):
    with pytest.raises(PartnerAnswerInvalid) as invalid:
        getattr(fields(x=value), method)("x")
    assert invalid.value.field == "x"
    assert "x" in invalid.value.message and PARTNER.label in invalid.value.message


@pytest.mark.parametrize("value", ["blue", None, ["red"]])
def test_a_value_outside_the_choices_is_refused(value):
    with pytest.raises(PartnerAnswerInvalid, match="red"):
        fields(x=value).choice("x", Colour)


def test_a_choice_is_read():
    assert fields(x="red").choice("x", Colour) is Colour.RED


def test_a_person_does_not_get_into_a_message():
    with pytest.raises(PartnerAnswerInvalid) as invalid:
        fields(handler_phone="张三的电话").text("handler_phone", "[0-9]+")
    assert "张三" not in invalid.value.message
    with pytest.raises(PartnerAnswerInvalid) as invalid:
        fields(note="13812345678x").text("note", "[0-9]+")
    assert "13812345678" not in invalid.value.message


@pytest.mark.parametrize("method", ["text", "text_or_none", "nothing", "object", "objects"])
def test_a_missing_field_is_not_the_same_as_null(method):
    with pytest.raises(PartnerAnswerInvalid, match="缺失"):
        getattr(fields(), method)("x")


def test_nothing_means_null():
    fields(x=None).nothing("x")
    with pytest.raises(PartnerAnswerInvalid, match="空值"):
        fields(x=0).nothing("x")


def test_nested_fields_are_named_by_their_path():
    with pytest.raises(PartnerAnswerInvalid) as invalid:
        fields(a=[{}, {"b": {"c": "x"}}]).objects("a")[1].object("b").count("c")
    assert invalid.value.field == "a[1].b.c"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"a": 1} {"a": 1}',
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b"[]",
        b"null",
    ],
)
def test_what_is_not_one_json_object_is_refused(body):
    with pytest.raises(PartnerAnswerInvalid, match="应答正文"):
        read_json(PARTNER, body)


def envelope(text, status=200):
    return read_envelope(PARTNER, Answer(status, {}, text.encode(), "id-1"))


def test_an_envelope_of_success_gives_its_data():
    data = envelope('{"code": "0000", "message": "成功", "errors": [], "data": {"x": "1"}}')
    assert data.text("x") == "1"


def test_an_envelope_of_refusal_gives_code_text_and_errors():
    errors = '[{"code": "E1", "text": "缺少文件", "file": "a.shp", "field": null}]'
    with pytest.raises(PartnerRefused) as refused:
        envelope(f'{{"code": "E-9", "message": "不收", "errors": {errors}, "data": null}}', 422)
    assert (refused.value.code, refused.value.text, refused.value.correlation_id) == ("E-9", "不收", "id-1")
    assert refused.value.rejections[0].file == "a.shp"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('{"code": "0000", "message": "成功", "errors": [], "data": {}}', 404),
        ('{"code": "0000", "message": "成功", "errors": [], "data": null}', 200),
        ('{"code": "0000", "message": "成功", "errors": [], "data": {}, "more": 1}', 200),
        ('{"code": "0000", "message": "成功", "data": {}}', 200),
        ('{"code": 0, "message": "成功", "errors": [], "data": {}}', 200),
        ('{"code": "0000", "errors": [], "data": {}}', 200),
    ],
)
def test_any_other_envelope_is_refused(text, status):
    with pytest.raises(PartnerAnswerInvalid):
        envelope(text, status)
