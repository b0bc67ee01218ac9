"""What a map is asked to be: read from texts, refused by field, written back the same."""

from datetime import date
from decimal import Decimal

import pytest

from domain.errors import InvalidData
from domain.thematic_map.spec import Flow, MapSpec, read_spec


def test_texts_come_back_as_they_went():
    spec = MapSpec(
        kind="ranges", area="district:310118", on=date(2026, 1, 1), unit="town", field="share", classes=("01", "02"), method="own",
        breaks=(Decimal("10.5"), Decimal(20)), title="图", paper="a3", orientation="portrait",
    )
    assert read_spec(spec.to_texts()) == spec
    flow = MapSpec(kind="flow", unit="district", flows=(Flow("青浦区", "松江区", Decimal("1.5")),), flow_unit="公顷")
    assert read_spec(flow.to_texts()) == flow


def test_a_kind_without_a_unit_takes_its_first():
    assert read_spec({"kind": "ranges"}).unit == "district" and read_spec({}).unit == "feature"


@pytest.mark.parametrize(("field", "text", "says"), [
    ("kind", "pie", "没有“pie”"), ("count", "2", "3 至 9"), ("count", "10", "3 至 9"), ("count", "٣", "3 至 9"), ("on", "2026-13-01", "不是日期"),
    ("breaks", "5,3", "从小到大"), ("breaks", "x", "不是数"), ("breaks", "1,2,3,4,5,6,7,8,9", "最多 8"), ("dot", "0", "大于 0"),
    ("dot", "NaN", "不是可用的数"), ("bandwidth", "49", "50 至 50000"), ("bandwidth", "50001", "50 至 50000"), ("flows", "青浦区,松江区", "起点,终点,数值"),
    ("flows", "青浦区,松江区,-1", "大于 0"), ("title", "图" * 61, "最多 60 字"),
])  # fmt: skip
def test_what_cannot_be_read_is_named(field, text, says):
    with pytest.raises(InvalidData) as refused:
        read_spec({field: text})
    assert says in refused.value.fields[field]


@pytest.mark.parametrize(("field", "text"), [("count", "3"), ("count", "9"), ("bandwidth", "50"), ("bandwidth", "50000"), ("title", "图" * 60)])
def test_the_limits_themselves_are_taken(field, text):
    read_spec({field: text})


@pytest.mark.parametrize(("texts", "field"), [
    ({"kind": "dots", "unit": "district"}, "unit"), ({"kind": "ranges", "method": "own"}, "breaks"), ({"kind": "flow"}, "flows"),
])
def test_what_does_not_go_together_is_refused(texts, field):
    with pytest.raises(InvalidData) as refused:
        read_spec(texts)
    assert field in refused.value.fields
