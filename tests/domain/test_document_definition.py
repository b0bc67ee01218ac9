"""Documents as a case type defines them: checked when read, composed only from complete data."""

import pytest

from domain.document.content import DocumentContent
from domain.document.definition import DocumentDefinition
from domain.document.placeholder import MissingData
from domain.errors import InvalidData
from tests.domain.document_samples import REMINDER, reminder, values


def test_document_says_what_texts_and_values_say():
    content = reminder().compose(values(plots=[{"code": "310118-001", "area_m2": "100"}]))
    assert content.title == "提醒缴款通知书"
    assert content.heading == "letter"
    assert content.paragraphs[0].startswith("你单位与我局于2026年10月16日签订的出让合同约定，宗地面积28,340.00平方米")
    assert content.paragraphs[1].endswith("备注：无。")
    assert content.tables[0].rows == (("310118-001", "100.00平方米"),)
    assert content.facts == {"用地面积": "28,340.00平方米"}


def test_all_missing_fields_are_named_at_once_by_their_labels():
    incomplete = values(owner="", price=None, plots=[{"code": "310118-001", "area_m2": None}])
    with pytest.raises(MissingData) as caught:
        reminder().compose(incomplete, {"owner": "受让人", "price": "出让价款", "plots.area_m2": "宗地面积"})
    assert "还不能生成《提醒缴款通知书》，缺少：受让人、出让价款、宗地面积" in caught.value.message
    assert set(caught.value.fields) == {"owner", "price", "plots.area_m2"}


def test_table_over_no_entries_is_missing_data():
    with pytest.raises(MissingData) as caught:
        reminder().compose(values(plots=[]))
    assert caught.value.paths == ("plots",)


def test_fields_read_are_known_without_values():
    assert reminder().paths() == {
        "owner", "agreed_on", "area_m2", "due_on", "price", "person", "remark", "plots", "plots.code", "plots.area_m2",
    }


def test_digest_tells_changed_data_and_nothing_else():
    content = reminder().compose(values())
    assert content.digest() == reminder().compose(values(unused="别的")).digest()
    assert content.digest() != reminder().compose(values(due_on="2026-12-01")).digest()


def test_content_survives_its_record():
    content = reminder().compose(values())
    assert DocumentContent.from_json(content.to_json()) == content
    assert DocumentContent.from_json(content.to_json()).digest() == content.digest()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"template": "../secret"}, "template 写的是"),
        ({"heading": "gold"}, "heading 写的是 gold"),
        ({"paragraph": []}, "没有 paragraph 这个键"),
        ({"label": ""}, "缺少 label"),
        ({"paragraphs": ["{owner"]}, "不成对"),
        ({"paragraphs": [{"owner": None}]}, "要加引号"),
        ({"closing": "{owner:acres}"}, "没有的格式"),
        ({"rows": [{"label": "面积"}]}, "rows 的每一项要写 label、value"),
        ({"tables": [{"of": "plots", "columns": [{"label": "面积", "value": "{a:b:c}"}]}]}, "不是字段"),
        ({"verification": [{"label": "面积", "value": "{a!}"}]}, "不是字段"),
        ({"number": {"series": "x", "pattern": "沪规〔{year}〕号"}}, "有且只有一个流水号"),
        ({"number": "沪规〔{year}〕{seq}号"}, "number 的每一项要写 pattern、series"),
        ({"public": "yes"}, "只能是 true 或 false"),
    ],
)
def test_broken_definition_is_refused_with_document_and_key(change, message):
    with pytest.raises(InvalidData, match=message) as caught:
        DocumentDefinition.parse(REMINDER | change)
    assert caught.value.message.startswith("文书 payment_reminder：")
