"""What may be asked of a layer: the ways of updating it, and one request as it is kept."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from domain.errors import InvalidData
from domain.layer import CHANGES, CUT, REFUSE, LayerDefinition

WHOLE, REGION, AREA, FEATURE, DELETE, STATUS, ANNUAL = "whole", "region", "area", "feature", "delete", "status", "annual"
OF_THE_WHOLE = (WHOLE, ANNUAL)
"""Ways that renew the whole layer; they are for the city alone."""
TAKES_FILE = (WHOLE, REGION, AREA, FEATURE, ANNUAL)
EXTENTS = {WHOLE: "whole", ANNUAL: "whole", REGION: "region", AREA: "area"}
"""The extent of the edition that a way makes; feature for the others."""
MOST_KEYS = 5_000
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """A file in the file store under the name that people know it by."""

    digest: str
    name: str


@dataclass(frozen=True, slots=True)
class UpdateRequest:
    """One update as it was asked for; what a way does not need is left empty.

    `area` is the file that outlines the area to renew; without one the area is what the new features cover together.
    `border` says what becomes of old features that cross the area's border: refuse or cut.
    """

    way: str
    district: str = ""
    file: StoredUpload | None = None
    area: StoredUpload | None = None
    border: str = REFUSE
    keys: tuple[str, ...] = ()
    status: str = ""
    crs: str = ""
    encoding: str = ""
    is_generated: bool | None = None
    """Whether the data are generated ones, where the whole layer is renewed; None leaves what the layer says."""

    def as_document(self) -> dict[str, Any]:
        """As plain values, for the database."""
        return asdict(self) | {"keys": list(self.keys)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "UpdateRequest":
        """The request of a document."""
        files = {name: StoredUpload(**document[name]) if document[name] else None for name in ("file", "area")}
        return cls(**{**document, **files, "keys": tuple(document["keys"])})

    def checked(self, definition: LayerDefinition) -> "UpdateRequest":
        """The request with every key once. Raises InvalidData by field for what the way needs and has not."""
        if self.way not in ways_of(definition):
            raise InvalidData("请选择更新方式。", {"way": "请选择更新方式"})
        request = replace(self, keys=tuple(dict.fromkeys(key for key in self.keys if key)))
        if missing := dict(request._missing(definition)):
            raise InvalidData("；".join(missing.values()) + "。", missing)
        return request

    def _missing(self, definition: LayerDefinition):
        if self.way in TAKES_FILE and self.file is None:
            yield "file", "请选择数据文件"
        if self.way == REGION and not self.district:
            yield "district", "请选择行政区"
        if self.way == AREA and self.border not in (REFUSE, CUT):
            yield "border", "请选择跨边界图形怎么处理"
        if self.way == DELETE and not self.keys and self.area is None:
            yield "keys", "请填写要删除的图形编号，或上传范围文件"
        if self.way == STATUS and not self.keys:
            yield "keys", "请填写要变更状态的图形编号"
        if self.way == STATUS and self.status not in definition.statuses:
            yield "status", "请选择新的状态"
        if len(self.keys) > MOST_KEYS:
            yield "keys", f"一次最多填 {MOST_KEYS:,} 个编号，更多的请用数据文件或范围文件"


def ways_of(definition: LayerDefinition) -> Mapping[str, str]:
    """The ways in which a layer may be updated, with what they are called."""
    has_status = bool(definition.statuses) and not definition.held_by
    offered = {
        ANNUAL: bool(definition.survey), AREA: True, REGION: True, FEATURE: True, STATUS: has_status, DELETE: True, WHOLE: True,
    }  # fmt: skip
    return {way: CHANGES[way] for way, is_offered in offered.items() if is_offered}
