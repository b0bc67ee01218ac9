"""What an overlay is asked with: ranges, layers with the field that classes them, parameters; and the preset ones."""

import functools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from domain.errors import InvalidData, NotFound
from domain.layer import LayerDefinition, catalogue, layer_definition
from domain.overlay import SliverRule

FILE = Path(__file__).parent.parent / "reference" / "overlay_schemes.yaml"
MOST_LAYERS = 4
LAYER, CASE, UPLOADED = "layer", "case", "file"


@dataclass(frozen=True, slots=True)
class LayerChoice:
    """One layer of the overlay and the field of it by which areas are told apart."""

    layer: str
    by: str


@dataclass(frozen=True, slots=True)
class FileRanges:
    """An uploaded file of ranges: its digest in the file store, its name, and the declared coordinate system and encoding."""

    digest: str
    name: str
    crs: str = ""
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Everything that determines a result, but for the editions, which are those of the moment it is computed.

    `source` is layer, case or file; `district` and `value` narrow a layer of ranges to a district and to a class;
    `groups` are fields of the ranges kept with every row. `adjusts`: parts add up to the stated area of each feature
    (平差) instead of its computed one. `repairs`: invalid ranges are mended, with a log, instead of refused.
    """

    title: str
    layers: tuple[LayerChoice, ...]
    source: str = LAYER
    layer: str = ""
    district: str = ""
    value: str = ""
    case_id: int | None = None
    file: FileRanges | None = None
    groups: tuple[str, ...] = ()
    adjusts: bool = False
    repairs: bool = False
    sliver_treatment: str = ""
    sliver_area_m2: str = ""
    sliver_width_m: str = ""
    note: str = ""
    scheme: str = ""

    @property
    def layer_keys(self) -> tuple[str, ...]:
        """Every layer that it reads, that of the ranges first."""
        return tuple(dict.fromkeys([self.layer] * (self.source == LAYER) + [each.layer for each in self.layers]))

    def sliver_rule(self) -> SliverRule | None:
        """The rule for slivers, None if they are left alone. Raises InvalidData."""
        if not self.sliver_treatment:
            return None
        area, width = (Decimal(each) if each else None for each in (self.sliver_area_m2, self.sliver_width_m))
        return SliverRule(area, width, self.sliver_treatment)

    def as_document(self) -> dict[str, Any]:
        """The request as JSON values."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "RunRequest":
        """What `as_document` wrote."""
        given = dict(document)
        file = given.pop("file")
        layers = tuple(LayerChoice(**each) for each in given.pop("layers"))
        return cls(**{**given, "groups": tuple(given["groups"])}, layers=layers, file=FileRanges(**file) if file else None)

    def checked(self) -> "RunRequest":
        """Itself. Raises InvalidData by field for what cannot be asked."""
        faults: dict[str, str] = {}
        if not self.title.strip():
            faults["title"] = "请填写名称"
        if not self.layers:
            faults["layers"] = "请至少选一个要叠加的图层"
        if len(self.layers) > MOST_LAYERS or len({each.layer for each in self.layers}) < len(self.layers):
            faults["layers"] = f"一次最多叠加 {MOST_LAYERS} 个不同的图层"
        faults |= self._source_faults()
        for key in self.layer_keys:
            if not has_areas(key):
                faults["layer" if key == self.layer else "layers"] = f"图层“{layer_definition(key).title}”没有面，不能叠加面积"
        for choice in self.layers:
            if choice.by not in {column.name for column in fields_of(layer_definition(choice.layer))}:
                faults[f"by_{choice.layer}"] = "请选这个图层的一个字段"
        if faults:
            raise InvalidData("叠加分析没有提交：" + "；".join(faults.values()) + "。", faults)
        self.sliver_rule()
        return self

    def _source_faults(self) -> dict[str, str]:
        if self.source == LAYER:
            return {} if self.layer else {"layer": "请选作为范围的图层"}
        if self.source == CASE:
            return {} if self.case_id else {"case": "请填写办件编号"}
        return {} if self.file else {"file": "请上传范围文件"}


def has_areas(layer_key: str) -> bool:
    """True for a layer of polygons; lines and points have no area to overlay."""
    listed = catalogue.listings().get(layer_key)
    return listed is None or listed.geometry == "polygon"


def fields_of(definition: LayerDefinition) -> list[Any]:
    """The columns of a layer by which areas can be told apart: not numbers with decimals."""
    return [column for column in definition.columns if column.type in ("text", "integer")]


@dataclass(frozen=True, slots=True)
class Measure:
    """A number worked out from the rows: the area in classes of a layer, or the mean of another layer's class there."""

    key: str
    label: str
    layer: str
    classes: tuple[str, ...]
    mean_of: str = ""


@dataclass(frozen=True, slots=True)
class Scheme:
    """A preset overlay."""

    key: str
    title: str
    basis: str
    intro: str
    layer: str
    groups: tuple[str, ...]
    layers: tuple[LayerChoice, ...]
    measures: tuple[Measure, ...] = field(default=())

    def request(self, title: str, district: str = "", note: str = "") -> RunRequest:
        """The overlay as it is asked for, for one district or all."""
        return RunRequest(
            title=title, layers=self.layers, layer=self.layer, district=district, groups=self.groups, note=note, scheme=self.key
        )


@functools.cache
def schemes() -> Mapping[str, Scheme]:
    """Every preset by its key."""
    entries = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return MappingProxyType({key: _scheme(key, entry) for key, entry in entries.items()})


def scheme(key: str) -> Scheme:
    """The preset of a key. Raises NotFound."""
    found = schemes().get(key)
    if found is None:
        raise NotFound(f"没有预设的叠加分析“{key}”。请从叠加分析页面选择。")
    return found


def _scheme(key: str, entry: Mapping[str, Any]) -> Scheme:
    measures = tuple(Measure(**{**each, "classes": tuple(each["classes"])}) for each in entry.get("measures", ()))
    return Scheme(
        key, entry["title"], entry["basis"], entry["intro"], entry["ranges"]["layer"], tuple(entry["ranges"]["groups"]),
        tuple(LayerChoice(**each) for each in entry["layers"]), measures,
    )  # fmt: skip
