"""Comparisons as people ask for them: sides and area as texts of an address, results kept for paging, exports as jobs."""

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session

from domain.actor import Actor
from domain.command import Work, command
from domain.district import district_name
from domain.errors import InvalidData
from domain.geometry import multipolygon
from domain.job import Job, JobResult, Progress, enqueue, job_handler
from domain.layer.comparison import Comparison, Extent, Plan, Side, compare, plan
from domain.layer.definition import layer_definition
from domain.layer.export import FORMATS, staff
from domain.overlay_run.words import class_words
from domain.projection import STORAGE
from domain.spatial_file import FileField, FileLayer
from domain.spatial_file.columns import as_column
from domain.spatial_file.writing import write_spatial_file
from domain.thematic_map.selection import read_ring
from domain.workbook import Workbook

KIND = "layer_comparison"
MOST_AT_ONCE = 8_000
"""Comparisons that read more features than this are made by a job."""
_MOST_KEPT = 6
NOTHING = "（没有）"
_PATCHES = ("编号", "行政区", "前地类", "前地类名称", "后地类", "后地类名称", "面积（平方米）", "经度", "纬度")
_CLASSES = ("类", "名称", "前一期（平方米）", "不变", "减少", "增加", "后一期（平方米）", "增减")
_PAIRS = ("前", "前名称", "后", "后名称", "面积（平方米）", "是否差异")


@dataclass(frozen=True, slots=True)
class Asked:
    """A comparison in the words of its address: `layer@edition` twice, a district code, a ring “lon,lat;…”, a level."""

    before: str
    after: str
    district: str = ""
    ring: str = ""
    level: str = ""

    def sides(self) -> tuple[Side, Side]:
        """Both sides. Raises InvalidData by field."""
        return _side(self.before, "before"), _side(self.after, "after")

    def extent(self) -> Extent:
        """Where. Raises InvalidData, NotFound."""
        if self.district:
            district_name(self.district)
        return Extent(self.district, read_ring(self.ring) if self.ring.strip() else None)

    def planned(self, session: Session, actor: Actor) -> Plan:
        """What is to be computed, for an actor. Raises as `domain.layer.comparison.plan`, InvalidData for a level."""
        if self.level not in ("", "2"):
            raise InvalidData("没有这种分类级别。请选按一级类或按编码。", {"level": "请重新选择"})
        return plan(session, actor, *self.sides(), self.extent(), int(self.level or 0))

    def as_texts(self) -> dict[str, str]:
        """The query of its address."""
        texts = {"before": self.before, "after": self.after, "district": self.district, "ring": self.ring, "level": self.level}
        return {name: value for name, value in texts.items() if value}


def _side(text: str, field: str) -> Side:
    layer, _, number = text.partition("@")
    if not layer or not (number.isascii() and number.isdigit() and len(number) < 10):
        raise InvalidData("请选要对比的两期或两类数据。", {field: "请选图层和版本"})
    layer_definition(layer)
    return Side(layer, int(number))


class _Kept:
    """The latest results, so that turning a page does not compute again: editions never change, and the key has what
    the actor may see.
    """

    def __init__(self) -> None:
        self._lock, self._found = threading.Lock(), OrderedDict[tuple[Any, ...], Comparison]()

    def get(self, session: Session, planned: Plan) -> Comparison:
        """The result of a plan."""
        source = planned.sources
        polygon = source.polygon.wkb if source.polygon is not None else b""
        key = (planned.before.token, planned.after.token, source.before_districts, source.after_districts, polygon, source.level)
        with self._lock:
            found = self._found.get(key)
        if found is None:
            found = compare(session, planned)
        with self._lock:
            self._found[key] = found
            self._found.move_to_end(key)
            while len(self._found) > _MOST_KEPT:
                self._found.popitem(last=False)
        return found


_KEPT = _Kept()


def result(session: Session, planned: Plan) -> Comparison:
    """The comparison of a plan that is small enough to be made at once."""
    return _KEPT.get(session, planned)


def side_words(used: Any) -> str:
    """A side by its layer, its day and its edition."""
    return f"{used.title} {used.effective_on:%Y-%m-%d}（第 {used.edition} 版）"


def class_name(layer: str, code: str) -> str:
    """What a class of a side is called; empty for one without a name of its own."""
    if not code:
        return NOTHING
    return class_words(layer, layer_definition(layer).class_field, code).removesuffix(f"（{code}）")


@command("layer.compare_export", allow=staff)
def request_export(work: Work, asked: Asked, kind: str) -> Job:
    """Queue the export of a comparison as a workbook or a GeoPackage. Raises as the comparison does."""
    if kind not in FORMATS:
        raise InvalidData("没有这种导出格式。请从 xlsx、GeoPackage 里选。")
    planned = asked.planned(work.session, work.actor)
    work.record(f"layer:{planned.before.layer}", before=asked.before, after=asked.after, district=asked.district, format=kind)
    title = f"对比 {planned.before.title} 与 {planned.after.title}" if planned.before.layer != planned.after.layer else f"对比 {planned.before.title} 两期"
    return enqueue(work, KIND, title, {"asked": asked.as_texts(), "format": kind})


@job_handler(KIND, resumable=True)
def run_export(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Compare what the owner may see now and write the file."""
    asked, kind = Asked(**arguments["asked"]), arguments["format"]
    with progress.reading() as session, tempfile.TemporaryDirectory() as folder:
        planned = asked.planned(session, progress.owner(session))
        made = compare(session, planned, lambda done, total: progress.tell(done, total, f"对比 {done:,} 个要素"))
        path = Path(folder) / f"comparison.{kind}"
        (_workbook if kind == "xlsx" else _geopackage)(path, made)
        name = f"{made.before.title}{made.before.effective_on:%Y%m%d}与{made.after.title}{made.after.effective_on:%Y%m%d}对比.{kind}"
        document = {"patches": len(made.patches), "changed_m2": format(made.changed_m2, "f"), "total_m2": format(made.total_m2, "f")}
        return JobResult(document, progress.office.files.put_path(path, name, allowed=(kind,)), name)


def _workbook(path: Path, made: Comparison) -> None:
    """Three sheets: classes, pairs of classes, patches; the sums of all three agree."""
    first, second = made.before.layer, made.after.layer
    classes = [
        (row.class_code, class_name(first if row.before_m2 else second, row.class_code), row.before_m2, row.kept_m2, row.lost_m2, row.gained_m2,
         row.after_m2, row.change_m2) for row in made.classes
    ]  # fmt: skip
    differing = {row[:2] for row in made.changes}
    pairs = [
        (before, class_name(first, before), after, class_name(second, after), area, "是" if (before, after) in differing else "否")
        for (before, after), area in made.table.items()
    ]
    facts = [
        ("前一期", side_words(made.before)), ("后一期", side_words(made.after)), ("对比面积（平方米）", made.total_m2),
        ("差异面积（平方米）", made.changed_m2), ("碎面个数（计入不变）", made.sliver_count), ("碎面面积（平方米）", made.sliver_m2),
    ]  # fmt: skip
    with Workbook(path) as book:
        book.sheet("地类面积", _CLASSES).add(classes)
        book.sheet("地类变化", _PAIRS).add(pairs)
        book.sheet("差异图斑", _PATCHES).add(_patch_row(made, each) for each in made.patches)
        book.sheet("说明", ("项目", "内容"), {0: 28, 1: 40}).add(facts)


def _patch_row(made: Comparison, patch: Any) -> tuple[Any, ...]:
    place = patch.geometry.representative_point()
    return (
        patch.number, district_name(patch.district_code), patch.before_class, class_name(made.before.layer, patch.before_class),
        patch.after_class, class_name(made.after.layer, patch.after_class), patch.area_m2, round(place.x, 6), round(place.y, 6),
    )  # fmt: skip


_FIELDS: tuple[tuple[FileField, Callable[[Comparison, Any], Any]], ...] = (
    (FileField("BH", "编号", "integer", 10, 0), lambda made, patch: patch.number),
    (FileField("XZQDM", "行政区代码", "text", 12, 0), lambda made, patch: patch.district_code),
    (FileField("QDLBM", "前地类编码", "text", 40, 0), lambda made, patch: patch.before_class),
    (FileField("QDLMC", "前地类名称", "text", 60, 0), lambda made, patch: class_name(made.before.layer, patch.before_class)),
    (FileField("HDLBM", "后地类编码", "text", 40, 0), lambda made, patch: patch.after_class),
    (FileField("HDLMC", "后地类名称", "text", 60, 0), lambda made, patch: class_name(made.after.layer, patch.after_class)),
    (FileField("MJ", "面积", "decimal", 15, 2), lambda made, patch: patch.area_m2),
)


def _geopackage(path: Path, made: Comparison) -> None:
    """The patches in one layer CYTB, in EPSG:4490."""
    columns = {field.name: as_column([value(made, each) for each in made.patches]) for field, value in _FIELDS}
    shapes = as_column([multipolygon(each.geometry) for each in made.patches])
    write_spatial_file(path, "GeoPackage", [FileLayer("CYTB", "MultiPolygon", tuple(field for field, _ in _FIELDS), shapes, columns, STORAGE)], STORAGE)
