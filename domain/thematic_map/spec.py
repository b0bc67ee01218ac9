"""What a thematic map is asked to be: read from an address or a saved template, and written back to either.

Every value is a short text under one key, so that address, form and template are the same thing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from domain.errors import InvalidData
from domain.format import thousands
from domain.thematic_map.words import words

FEWEST_CLASSES, MOST_CLASSES = 3, 9
LONGEST_TITLE = 60
MOST_FLOWS = 100
LARGEST_NUMBER = Decimal("1e12")


@dataclass(frozen=True, slots=True)
class Flow:
    """One line of a table of flows: from where, to where, how much."""

    origin: str
    destination: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class MapSpec:
    """One thematic map. `area` is city, district:<code>, town:<code>, box:<w,s,e,n>, shape:<lon,lat;…> or case:<id>.

    `field` is what is shown: an attribute, or for ranges a measure (area, count, share). `classes` narrows to features whose
    class begins with one of these codes. `breaks` are the inner limits of one's own ranges, in the unit of the measure.
    Flows are `flows`, or read from the layer by the fields `origin` and `destination`, which name districts or towns, or
    features of `origin_layer` and `destination_layer`.
    """

    layer: str = "land_use"
    kind: str = "single"
    area: str = "city"
    on: date | None = None
    unit: str = "feature"
    field: str = ""
    classes: tuple[str, ...] = ()
    method: str = "quantile"
    count: int = 5
    breaks: tuple[Decimal, ...] = ()
    ramp: str = "water"
    weight: str = "area"
    dot: Decimal | None = None
    bandwidth: Decimal | None = None
    flows: tuple[Flow, ...] = ()
    flow_unit: str = ""
    origin: str = ""
    origin_layer: str = ""
    destination: str = ""
    destination_layer: str = ""
    title: str = ""
    subtitle: str = ""
    paper: str = "a4"
    orientation: str = "landscape"
    secrecy: str = "internal"
    note: str = ""

    @property
    def is_typed(self) -> bool:
        """True for flows that the maker wrote, which are not of the layer."""
        return self.kind == "flow" and not (self.origin or self.destination)

    def to_texts(self) -> dict[str, str]:
        """The spec by key, without what stands at its default: a query of an address and a template alike."""
        texts = {each.name: _text(getattr(self, each.name)) for each in fields(self)}
        plain = _PLAIN
        return {key: text for key, text in texts.items() if text != plain[key] or key in ALWAYS}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        if value and isinstance(value[0], Flow):
            return "\n".join(f"{each.origin},{each.destination},{each.value}" for each in value)
        return ",".join(str(each) for each in value)
    return value.isoformat() if isinstance(value, date) else str(value)


ALWAYS = ("layer", "kind", "unit")
"""Keys that are always written: what a missing unit means depends on the kind."""
_PLAIN = {each.name: _text(getattr(MapSpec(), each.name)) for each in fields(MapSpec)}
KEYS = tuple(_PLAIN)


def read_spec(given: Mapping[str, str]) -> MapSpec:
    """The spec that texts say. Raises InvalidData that names every text that cannot be read, by key."""
    faults: dict[str, str] = {}

    def take(key: str, read):
        try:
            return read((given.get(key) or "").strip())
        except _Unreadable as fault:
            faults[key] = str(fault)
            return None

    texts = {key: take(key, _READERS[key]) for key in KEYS}
    if faults:
        raise InvalidData("专题图的设置有 " + str(len(faults)) + " 处不能采用：" + "；".join(faults.values()) + "。请改正。", faults)
    said = {key: value for key, value in texts.items() if value is not None}
    kind = said.get("kind", "single")
    found = MapSpec(**{"unit": words()["kinds"][kind]["units"][0], **said})
    _must_fit(found)
    return found


class _Unreadable(Exception):
    """Why one text cannot be read."""


def _must_fit(spec: MapSpec) -> None:
    """Refuse what each is readable but does not go together."""
    allowed = words()["kinds"][spec.kind]["units"]
    if spec.unit not in allowed:
        names = "、".join(words()["units"][each] for each in allowed)
        raise InvalidData(f"{words()['kinds'][spec.kind]['label']}图的统计单元只能是：{names}。请改选。", {"unit": f"只能是：{names}"})
    if spec.kind == "ranges" and spec.method == "own" and not spec.breaks:
        raise InvalidData("选了自定断点，但没有写断点。请按从小到大写各级的界限，用逗号隔开。", {"breaks": "请写断点"})
    if spec.is_typed and not spec.flows:
        raise InvalidData("流向图没有数据。请选图层里的起点和终点字段，上传起讫表，或逐行写“起点,终点,数值”。", {"flows": "请上传或填写起讫表"})
    if spec.kind == "flow" and bool(spec.origin) != bool(spec.destination):
        lacking = "destination" if spec.origin else "origin"
        raise InvalidData("从图层取流向，起点和终点的字段都要选。请补选，或两个都不选、改用起讫表。", {lacking: "请选字段"})


def _one_of(group: str):
    def read(text: str) -> str | None:
        if text and text not in words()[group]:
            raise _Unreadable(f"没有“{text[:20]}”这个选项")
        return text or None

    return read


def _short(longest: int):
    def read(text: str) -> str | None:
        if len(text) > longest:
            raise _Unreadable(f"最多 {longest} 字，现有 {len(text)} 字")
        return text or None

    return read


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise _Unreadable(f"“{text[:20]}”不是日期，应写成 2026-01-01 的样子") from None


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise _Unreadable(f"“{text[:20]}”不是数") from None
    if not value.is_finite() or abs(value) > LARGEST_NUMBER:
        raise _Unreadable(f"“{text[:20]}”不是可用的数")
    return value


def _positive(text: str) -> Decimal | None:
    if not text:
        return None
    value = _number(text)
    if value <= 0:
        raise _Unreadable("应大于 0")
    return value


def _bandwidth(text: str) -> Decimal | None:
    value = _positive(text)
    if value is not None and not 50 <= value <= 50_000:
        raise _Unreadable("带宽应在 50 至 50000 米之间")
    return value


def _class_count(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or not FEWEST_CLASSES <= int(text[:4]) <= MOST_CLASSES:
        raise _Unreadable(f"级数应为 {FEWEST_CLASSES} 至 {MOST_CLASSES} 的整数")
    return int(text)


def _codes(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(each.strip() for each in text.replace("，", ",").replace("、", ",").split(",") if each.strip()))
    if len(found) > 100 or any(len(each) > 32 for each in found):
        raise _Unreadable("类别编码过多或过长")
    return found


def _breaks(text: str) -> tuple[Decimal, ...]:
    found = tuple(_number(each) for each in text.replace("，", ",").replace("；", ",").split(",") if each.strip())
    if len(found) > MOST_CLASSES - 1:
        raise _Unreadable(f"断点最多 {MOST_CLASSES - 1} 个")
    if any(one >= other for one, other in pairwise(found)):
        raise _Unreadable("断点应从小到大，不能重复")
    return found


def _flows(text: str) -> tuple[Flow, ...]:
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_FLOWS:
        raise _Unreadable(f"起讫表最多 {MOST_FLOWS} 行，现有 {len(lines)} 行")
    return tuple(_flow(number, line) for number, line in enumerate(lines, start=1))


def _flow(number: int, line: str) -> Flow:
    parts = [each.strip() for each in line.replace("，", ",").replace("\t", ",").split(",", 2)]
    if len(parts) != 3 or not parts[0] or not parts[1]:
        raise _Unreadable(f"第 {number} 行应为“起点,终点,数值”")
    value = _number(parts[2])
    if value <= 0:
        raise _Unreadable(f"第 {number} 行的数值应大于 0")
    return Flow(parts[0], parts[1], value)


def _layer(text: str) -> str | None:
    return text[:64] or None


_READERS = {
    "layer": _layer, "kind": _one_of("kinds"), "area": _short(12_000), "on": _day, "unit": _one_of("units"), "field": _short(64),
    "classes": _codes, "method": _one_of("methods"), "count": _class_count, "breaks": _breaks, "ramp": _one_of("ramps"),
    "weight": _one_of("weights"), "dot": _positive, "bandwidth": _bandwidth, "flows": _flows, "flow_unit": _short(10),
    "origin": _short(64), "origin_layer": _short(64), "destination": _short(64), "destination_layer": _short(64),
    "title": _short(LONGEST_TITLE), "subtitle": _short(LONGEST_TITLE), "paper": _one_of("papers"),
    "orientation": _one_of("orientations"), "secrecy": _one_of("secrecy"), "note": _short(200),
}


def number_words(value: Decimal, decimals: int) -> str:
    """A number as maps and tables write it."""
    return thousands(value, decimals)
