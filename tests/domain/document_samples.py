"""One demand letter of a land grant contract, with values as a case keeps them (样例)."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from domain.document.definition import DocumentDefinition

RARE_NAME = "朱镕喆堃㛃"
AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)

REMINDER: dict[str, Any] = {
    "key": "payment_reminder",
    "label": "提醒缴款通知书",
    "template": "demand",
    "number": {"series": "payment_reminder", "pattern": "沪规划资源管〔{year}〕{seq:04}号"},
    "public": True,
    "issuer": "上海市青浦区规划和自然资源局（样例）",
    "addressee": "{owner}",
    "paragraphs": [
        (
            "你单位与我局于{agreed_on:date}签订的出让合同约定，宗地面积{area_m2:area}，应于{due_on:date}前缴付"
            "出让价款人民币{price:capital}（{price:money}）。"
        ),
        "经办人：{person}。备注：{remark|无}。",
    ],
    "tables": [
        {
            "title": "宗地",
            "of": "plots",
            "columns": [
                {"label": "宗地编号", "value": "{code}"},
                {"label": "面积", "value": "{area_m2:area}", "numeric": True},
            ],
        }
    ],
    "closing": "特此通知。",
    "verification": [{"label": "用地面积", "value": "{area_m2:area}"}],
}


def reminder(**changes: Any) -> DocumentDefinition:
    return DocumentDefinition.parse(REMINDER | changes)


def values(**changes: Any) -> dict[str, Any]:
    return {
        "owner": "上海禾清设施农业有限公司（样例）",
        "agreed_on": "2026-10-16",
        "due_on": date(2026, 11, 30),
        "area_m2": "28340.00",
        "price": Decimal(86420000),
        "person": RARE_NAME,
        "plots": [{"code": f"310118-{count:03d}", "area_m2": str(100 + count)} for count in range(60)],
    } | changes
