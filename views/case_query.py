"""The URL of a case list and what it asks for: every filter, column, order and place has its own parameter."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.datastructures import QueryParams

from domain.case.columns import FIELD_PREFIX, searchable, usual_columns
from domain.case.inbox import BOXES, SORT_COLUMNS, CaseQuery
from domain.case.tables import Case
from domain.errors import InvalidData
from rules.case_type import CaseType, CaseTypeMissing, Catalogue
from rules.case_type.form import NUMBER_TYPES, FieldDefinition

PLAIN = {"q": "words", "type": "case_type", "status": "status", "light": "light", "district": "district_code",
         "town": "town_code", "step": "step"}
DATES = {"from": "submitted_from", "until": "submitted_until"}
PLACES = ("after", "before")
NOT_KEPT = (*PLACES, "saved", "box", "csrf_token", "case")
"""What a saved filter and a link to another order leave out."""
RANGE_TYPES = (*NUMBER_TYPES, "date")


@dataclass(frozen=True)
class ListRequest:
    """A list as asked for: the query, the case type it is narrowed to, the columns, and the parameters as given."""

    query: CaseQuery
    case_type: CaseType | None
    columns: tuple[str, ...]
    params: Mapping[str, Any]

    def with_params(self, **changed: Any) -> dict[str, Any]:
        """The parameters of the same list with some changed; the place in the pages is lost unless it is given."""
        kept = {key: value for key, value in self.params.items() if key not in PLACES}
        return {key: value for key, value in {**kept, **changed}.items() if value not in (None, "", [])}

    def conditions(self) -> dict[str, Any]:
        """The parameters that a saved filter keeps."""
        return {key: value for key, value in self.params.items() if key not in NOT_KEPT}

    @property
    def is_narrowed(self) -> bool:
        """True if any condition beside box and order is set."""
        return any(key not in ("sort", "col") for key in self.conditions())


def read(params: QueryParams, catalogue: Catalogue, today: date, box: str | None = None) -> ListRequest:
    """Read a list's parameters. Raises InvalidData for a value that does not fit its parameter."""
    given = {key: params.get(key, "").strip() for key in params}
    case_type = _case_type(given.get("type", ""), catalogue, today)
    sort = given.get("sort") or _default_sort(case_type, box)
    if sort.removeprefix("-") not in SORT_COLUMNS:
        raise InvalidData("不能按所选的列排序。请点列标题排序。")
    query = CaseQuery(
        box=box if box in BOXES else "all",
        **{name: given.get(key) or None for key, name in PLAIN.items() if key != "q"},
        words=given.get("q", ""),
        **{name: _day(given.get(key, ""), key) for key, name in DATES.items()},
        fields=tuple(_fields(given, case_type)),
        sort=sort,
    )
    chosen = tuple(params.getlist("col")) or usual_columns(case_type)
    return ListRequest(replace(query, **_place(given, sort)), case_type, chosen, _kept(params))


def _kept(params: QueryParams) -> dict[str, Any]:
    """The parameters that hold something, lists only where a name repeats."""
    found = {key: [value for value in params.getlist(key) if value.strip()] for key in params}
    return {key: values if key == "col" else values[-1] for key, values in found.items() if values}


def _case_type(key: str, catalogue: Catalogue, today: date) -> CaseType | None:
    if not key:
        return None
    try:
        return catalogue.current(key, today)
    except CaseTypeMissing as missing:
        raise InvalidData("没有所选的事项，或它现在没有生效的版本。请从列表中选择事项。", {"type": "请重新选择"}) from missing


def _default_sort(case_type: CaseType | None, box: str | None) -> str:
    if box == "todo":
        return "due_on"
    wanted = case_type.list.default_sort if case_type else "-id"
    return wanted if wanted.removeprefix("-") in SORT_COLUMNS else "-id"


def _day(text: str, key: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as fault:
        raise InvalidData(f"日期「{text}」不能识别。请按 2026-11-24 的写法填写。", {key: "请按 2026-11-24 的写法填写"}) from fault


def _fields(given: Mapping[str, str], case_type: CaseType | None) -> Iterator[tuple[str, str, Any]]:
    """The conditions over the searchable fields of the chosen case type."""
    for one in searchable(case_type):
        name = FIELD_PREFIX + one.key
        if one.type in RANGE_TYPES:
            for end in ("from", "until"):
                if text := given.get(f"{name}_{end}", ""):
                    yield one.key, end, _day(text, name) if one.type == "date" else _number(text, one)
        elif text := given.get(name, ""):
            is_coded = one.type in ("choice", "boolean", "district", "town")
            yield one.key, "is" if is_coded else "contains", text


def _number(text: str, one: FieldDefinition) -> Decimal:
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation as fault:
        raise InvalidData(f"{one.label}「{text}」不是数字。请只填数字。", {one.key: "请只填数字"}) from fault
    if not number.is_finite() or number.adjusted() > 14 or number != round(number, 4):
        raise InvalidData(f"{one.label}「{text}」超出可以查询的范围。小数最多 4 位。", {one.key: "小数最多 4 位"})
    return number


def _place(given: Mapping[str, str], sort: str) -> dict[str, tuple[Any, int]]:
    """The place in the pages: `after` or `before`, written by `place_text`."""
    for key in PLACES:
        if text := given.get(key, ""):
            number, _, value = text.partition(".")
            return {key: (_sort_value(value, sort.removeprefix("-")), _whole(number))}
    return {}


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise InvalidData("翻页的位置不能识别。请从列表重新进入。")
    return int(text)


def _sort_value(text: str, column: str) -> Any:
    readers = {"id": _whole, "due_on": date.fromisoformat, "number": str, "title": str}
    try:
        return readers.get(column, datetime.fromisoformat)(text) if text else None
    except ValueError as fault:
        raise InvalidData("翻页的位置不能识别。请从列表重新进入。") from fault


def place_text(place: tuple[Any, int] | None) -> str | None:
    """A place in the order of a list as it stands in the URL."""
    if place is None:
        return None
    value, case_id = place
    shown = value.isoformat() if isinstance(value, date | datetime) else value
    return f"{case_id}.{'' if shown is None else shown}"


def default_direction(key: str) -> str:
    """The order a click on a head gives first: the newest of moments, the earliest due date, texts from the beginning."""
    return f"-{key}" if key.endswith("_at") and hasattr(Case, key) else key
