"""Schemes 质检方案 as data: rules/schemes/<key>.yaml, read with every fault named by file, line and key."""

import csv
import functools
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rules.case_type.entry import DefinitionFaults, Entry, Notes, distinct
from rules.engine import RuleSet, Unread, read_rule_set
from rules.engine.document import UnreadableDocument, read_document
from rules.engine.fault import Fault

FOLDER = Path(__file__).parents[2] / "rules" / "schemes"
LISTS = "lists"
"""The folder beside the schemes with the lists of codes that they name."""
CHECKS = Path(__file__).parents[1] / "reference" / "inspection_checks.yaml"
GEOMETRIES = ("polygon", "line", "point", "table")
TYPES = ("text", "integer", "decimal", "date", "moment", "boolean", "binary")
UNITS = {"m2": Decimal(1), "ha": Decimal(10_000), "mu": Decimal(10_000) / 15}
"""Square metres in the unit of an area field."""
EXTENTS = ("none", "city", "district")


@dataclass(frozen=True, slots=True)
class CheckKind:
    """A check that there is: its words, its family, and the parameters that a rule set must have for it."""

    key: str
    label: str
    family: str
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field as the scheme wants it; `codes` are the values allowed with their names, None for any."""

    name: str
    alias: str = ""
    type: str = ""
    length: int | None = None
    decimals: int | None = None
    is_required: bool = True
    is_filled: bool = False
    is_unique: bool = False
    codes: Mapping[str, str] | None = None
    pattern: str = ""
    lowest: Decimal | None = None
    highest: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """A layer as the scheme wants it.

    `key` is the field that names a feature; `fills` says that the layer covers its extent without a hole. `names` are
    (code field, name field), `prefixes` (field, field whose value must begin it), `relations` (field, layer, its field),
    `apart`, `inside` and `closes` other layers: not to overlap, to lie in, to leave no gap against.
    """

    name: str
    alias: str = ""
    is_required: bool = True
    geometry: str = "polygon"
    key: str = ""
    fields: tuple[FieldSpec, ...] = ()
    fills: bool = False
    area_field: str = ""
    area_unit: str = "m2"
    district_field: str = ""
    x_field: str = ""
    y_field: str = ""
    names: tuple[tuple[str, str], ...] = ()
    prefixes: tuple[tuple[str, str], ...] = ()
    relations: tuple[tuple[str, str, str], ...] = ()
    apart: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    closes: tuple[str, ...] = ()

    def field(self, name: str) -> FieldSpec | None:
        """The field of a name, whatever its letters' case."""
        return next((each for each in self.fields if each.name.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """A check of a scheme: marks off for each finding (notices cost none), at most `most` for all of them."""

    key: str
    label: str
    marks: Decimal
    most: Decimal


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme: what a package must hold, which checks are made, and the rule set that judges what they find."""

    key: str
    title: str
    basis: str
    note: str
    rules: str
    crs: tuple[int, ...]
    extent: str
    lowest: Decimal
    members: tuple[str, ...]
    layers: tuple[LayerSpec, ...]
    checks: tuple[CheckSpec, ...]
    digest: str
    file: str = ""
    lists: tuple[str, ...] = ()
    """Names of the lists of codes that it reads; `digest` covers their content."""

    def layer(self, name: str) -> LayerSpec | None:
        """The layer of a name, whatever its letters' case."""
        return next((each for each in self.layers if each.name.lower() == name.lower()), None)

    def check(self, key: str) -> CheckSpec | None:
        """The check of a key."""
        return next((each for each in self.checks if each.key == key), None)


@dataclass(frozen=True, slots=True)
class Variant:
    """What is laid over a scheme: checks that are off, other values of parameters, a title of its own."""

    off: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    title: str = ""


@functools.cache
def check_kinds() -> Mapping[str, CheckKind]:
    """Every check that there is, in the order in which they are made."""
    rows = read_document(CHECKS)["checks"]
    return MappingProxyType(
        {key: CheckKind(key, row["label"], row["family"], tuple(row.get("reads") or ())) for key, row in rows.items()}
    )


@functools.cache
def schemes(folder: Path = FOLDER) -> Mapping[str, Scheme]:
    """Every scheme by key. Raises DefinitionFaults, each fault as file:line: key: message."""
    found, faults = read_schemes(folder)
    if faults:
        raise DefinitionFaults(faults)
    return MappingProxyType(found)


def read_schemes(folder: Path = FOLDER) -> tuple[dict[str, Scheme], list[Fault]]:
    """The schemes of a folder that can be read, and everything wrong in any of them."""
    faults: list[Fault] = []
    found = [read_scheme(path, faults) for path in sorted(folder.glob("*.yaml"))]
    return {scheme.key: scheme for scheme in found if scheme is not None}, faults


def read_scheme(path: Path, faults: list[Fault]) -> Scheme | None:
    """One scheme; None, with its faults in the list, if anything in it is wrong."""
    note = Notes(path.as_posix(), faults)
    try:
        document = read_document(path)
    except UnreadableDocument as unread:
        note(unread.line, "", unread.message)
        return None
    scheme = _Reader(Entry(document, "", note), path).scheme()
    return None if note.has_faults else scheme


def rule_faults(scheme: Scheme, folder: Path = FOLDER.parent / "sets") -> list[Fault]:
    """What the scheme's rule set lacks: the set itself, the kind, or a parameter or check that the scheme counts on."""
    read = [_rule_set(path) for path in sorted(folder.glob("*.yaml"))]
    found = [each for each in read if each is not None and each.key == scheme.rules]
    if not found or any(each.kind.key != "quality" for each in found):
        return [Fault(scheme.file, 1, "rules", f"没有类别为 quality 的规则集 {scheme.rules}。请核对 rules")]
    return [
        Fault(scheme.file, 1, f"checks[{check.key}]", f"规则集 {scheme.rules} 没有参数 {name}，质检项 {check.key} 要用。请在规则集里补写")
        for rules in found
        for check in scheme.checks
        for name in check_kinds()[check.key].reads
        if name not in rules.parameters
    ] + [
        Fault(scheme.file, 1, f"checks[{check.key}]", f"规则集 {scheme.rules} 的事实 check 里没有代码 {check.key}。请在规则集里补写")
        for rules in found
        for check in scheme.checks
        if check.key not in (rules.facts["check"].domain or () if "check" in rules.facts else ())
    ]


def _rule_set(path: Path) -> RuleSet | None:
    """A rule set that can be read; what is wrong with the others the check of rule files says."""
    try:
        return read_rule_set(path)
    except Unread:
        return None


class _Reader:
    """Reads one scheme; every fault is noted where it stands."""

    def __init__(self, entry: Entry, path: Path) -> None:
        self.entry, self.path = entry, path
        self.lists: dict[str, str] = {}

    def scheme(self) -> Scheme:
        head = self.entry
        key = head.key()
        if key and key != self.path.stem:
            head.fault("key", f"键 {key} 与文件名 {self.path.stem} 不同。请改成一样")
        layers = self._layers(head)
        scheme = Scheme(
            key, head.text("title", required=True), head.text("basis", required=True), head.text("note"),
            head.text("rules", required=True), self._crs(head), head.one_of("extent", EXTENTS, default="none"),
            head.number("lowest_score") or Decimal(0), head.words("members"), layers, self._checks(head),
            _digest(head.block, self.lists), self.path.as_posix(), tuple(sorted(self.lists)),
        )  # fmt: skip
        head.close()
        return scheme

    def _crs(self, head: Entry) -> tuple[int, ...]:
        found = head.raw("crs", required=True) or ()
        if isinstance(found, list) and found and all(isinstance(each, int) for each in found):
            return tuple(found)
        head.fault("crs", "crs 应是 EPSG 编号的列表，如 [4490, 4528]")
        return ()

    def _checks(self, head: Entry) -> tuple[CheckSpec, ...]:
        entries = head.children("checks", required=True)
        found = []
        for entry in entries:
            key = entry.key()
            kind = check_kinds().get(key)
            if kind is None:
                entry.is_among("key", key, check_kinds(), "质检项")
            marks, most = entry.number("marks"), entry.number("most")
            label = entry.text("label", default=kind.label if kind else key)
            found.append(CheckSpec(key, label, Decimal(0) if marks is None else marks, Decimal(100) if most is None else most))
            entry.close()
        distinct([(entry, entry.text("key")) for entry in entries], "质检项")
        order = list(check_kinds())
        return tuple(sorted((each for each in found if each.key in order), key=lambda each: order.index(each.key)))

    def _layers(self, head: Entry) -> tuple[LayerSpec, ...]:
        pairs = [(entry, self._layer(entry)) for entry in head.children("layers", required=True)]
        names = [layer.name for _, layer in pairs]
        for entry, layer in pairs:
            others = (*layer.apart, *layer.inside, *layer.closes, *(each[1] for each in layer.relations))
            for other in others:
                if other not in names:
                    entry.fault("name", f"图层 {layer.name} 引用的图层 {other} 不在本方案里。可用 {'、'.join(names)}")
            for wanted in self._fields_named(layer):
                if wanted and layer.field(wanted) is None:
                    entry.fault("name", f"图层 {layer.name} 引用的字段 {wanted} 没有列在 fields 里。请补写或改名")
            if names.count(layer.name) > 1:
                entry.fault("name", f"图层 {layer.name} 写了两次，只能写一次")
        return tuple(layer for _, layer in pairs)

    @staticmethod
    def _fields_named(layer: LayerSpec) -> Sequence[str]:
        pairs = [name for pair in (*layer.names, *layer.prefixes) for name in pair]
        single = [layer.key, layer.area_field, layer.district_field, layer.x_field, layer.y_field]
        return [*pairs, *single, *(each[0] for each in layer.relations)]

    def _layer(self, entry: Entry) -> LayerSpec:
        layer = LayerSpec(
            entry.text("name", required=True), entry.text("alias"), entry.flag("required", True),
            entry.one_of("geometry", GEOMETRIES, default="polygon"), entry.text("key"),
            tuple(self._field(each) for each in entry.children("fields")), entry.flag("fills"),
            entry.text("area_field"), entry.one_of("area_unit", UNITS, default="m2"), entry.text("district_field"),
            entry.text("x_field"), entry.text("y_field"), self._tuples(entry, "names", ("code", "name")),
            self._tuples(entry, "prefixes", ("field", "of")), self._tuples(entry, "relations", ("field", "layer", "to")),
            entry.words("apart"), entry.words("inside"), entry.words("closes"),
        )  # fmt: skip
        entry.close()
        return layer

    @staticmethod
    def _tuples(entry: Entry, key: str, keys: tuple[str, ...]) -> tuple:
        found = []
        for each in entry.children(key):
            found.append(tuple(each.text(name, required=True) for name in keys))
            each.close()
        return tuple(found)

    def _field(self, entry: Entry) -> FieldSpec:
        length, decimals = entry.whole("length"), entry.whole("decimals")
        lowest, highest = entry.number("lowest"), entry.number("highest")
        spec = FieldSpec(
            entry.text("name", required=True), entry.text("alias"), entry.one_of("type", TYPES), length, decimals,
            entry.flag("required", True), entry.flag("filled"), entry.flag("unique"), self._codes(entry),
            self._pattern(entry), lowest, highest,
        )  # fmt: skip
        entry.close()
        return spec

    @staticmethod
    def _pattern(entry: Entry) -> str:
        text = entry.text("pattern")
        try:
            re.compile(text)
        except re.error as error:
            entry.fault("pattern", f"格式“{text}”不能识别（{error}）。请改成正确的正则式")
            return ""
        return text

    def _codes(self, entry: Entry) -> Mapping[str, str] | None:
        """Codes written out, or those of a dictionary of the portal, or of a list beside the schemes."""
        written, dictionary, listed = entry.mapping("codes"), entry.text("dictionary"), entry.text("list")
        if written:
            return dict(written)
        if dictionary:
            from domain.dictionary import defaults

            return defaults()[dictionary] if entry.is_among("dictionary", dictionary, defaults(), "字典") else None
        return self._list(entry, listed) if listed else None

    def _list(self, entry: Entry, name: str) -> Mapping[str, str] | None:
        path = self.path.parent / LISTS / f"{name}.csv"
        if not path.is_file():
            entry.fault("list", f"没有代码表 {LISTS}/{name}.csv。请核对名称")
            return None
        self.lists[name] = path.read_text(encoding="utf-8")
        return {row["code"]: row["name"] for row in csv.DictReader(io.StringIO(self.lists[name]))}


def _digest(block: Mapping[str, Any], lists: Mapping[str, str]) -> str:
    """SM3 of a scheme's content with its lists, whatever the layout of its file."""
    content = {"scheme": block, "lists": lists} if lists else block
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.new("sm3", text.encode()).hexdigest()
