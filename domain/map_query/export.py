"""What a query found as a file: a workbook with its statistics, GeoJSON or GeoPackage; a job with its owner's rights."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlmodel import Session

from domain import role
from domain.actor import Actor
from domain.command import Work, command
from domain.district import district_name
from domain.errors import InvalidData, NotAllowed
from domain.job import Job, JobResult, Progress, enqueue, job_handler
from domain.layer import LayerDefinition, layer_definition
from domain.map_query.answer import QueryAnswer, QueryRow, Sum, ask, every_feature
from domain.map_query.definition import LayerQuery
from domain.map_query.reading import read_query
from domain.overlay_run.words import class_words
from domain.projection import STORAGE
from domain.spatial_file.columns import as_column
from domain.spatial_file.model import FileField, FileLayer
from domain.spatial_file.writing import write_spatial_file
from domain.workbook import Workbook

KIND = "map_query_export"
FORMATS = {"xlsx": ".xlsx", "GeoJSON": ".geojson", "GeoPackage": ".gpkg"}
MOST_DRAWN = 200_000
"""A file of geometries is put together in memory; a workbook is written row by row."""
DISTRICT, INSIDE = "district", "inside_m2"


def queriers(work: Work) -> None:
    """Whoever may open the one map."""
    if not role.handles_cases(work.actor):
        raise NotAllowed("查询与统计由工作人员使用。需要使用的，请联系本单位的系统管理员。")


@command("map_query.export", allow=queriers)
def request_export(work: Work, given: Mapping[str, str], file_format: str) -> Job:
    """Queue the export of what the address asks for. Raises InvalidData for a format that there is not, or a wrong query."""
    if file_format not in FORMATS:
        raise InvalidData("没有这种导出格式。请选 Excel、GeoJSON 或 GeoPackage。", {"format": "请从列表里选"})
    query = read_query(work.session, work.actor, given)
    work.record(f"layer:{query.layer}", format=file_format)
    title = f"导出查询结果：{layer_definition(query.layer).title}"
    return enqueue(work, KIND, title, {"given": dict(given), "format": file_format})


@dataclass(frozen=True)
class _Found:
    """What is written: the query, its answer with the sums, and the fields of the layer."""

    session: Session
    owner: Actor
    query: LayerQuery
    answer: QueryAnswer
    definition: LayerDefinition

    @property
    def has_inside(self) -> bool:
        return self.query.place is not None and self.query.place.is_area

    def batches(self, progress: Progress) -> Iterator[list[QueryRow]]:
        done, total = 0, self.answer.total.count
        for rows in every_feature(self.session, self.owner, self.query):
            yield rows
            done += len(rows)
            progress.tell(done, max(total, done), "写入文件")


@job_handler(KIND, resumable=True)
def run_export(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Write what the owner may see now."""
    file_format = arguments["format"]
    with progress.reading() as session, tempfile.TemporaryDirectory() as folder:
        owner = progress.owner(session)
        query = read_query(session, owner, arguments["given"])
        found = _Found(session, owner, query, ask(session, owner, query, size=0), layer_definition(query.layer))
        path = Path(folder) / f"query{FORMATS[file_format]}"
        count = _workbook(progress, found, path) if file_format == "xlsx" else _drawn(progress, found, path, file_format)
        name = f"{found.definition.title}查询结果{FORMATS[file_format]}"
        received = progress.office.files.put_path(path, name)
    return JobResult({"rows": count, "edition": found.answer.edition.number}, received, name)


def _workbook(progress: Progress, found: _Found, path: Path) -> int:
    """The list, then one sheet each of the sums by class and by district."""
    with Workbook(path) as book:
        sheet = book.sheet("清单", list(_heads(found).values()))
        for rows in found.batches(progress):
            sheet.add(_cells(found, row) for row in rows)
        _add_sums(book, found)
    return sheet.row_count


def _add_sums(book: Workbook, found: _Found) -> None:
    heads = ["个数", "面积（平方米）", *(["范围内面积（平方米）"] if found.has_inside else [])]
    by_class, by_district = found.definition.class_field, found.answer.by_district
    classes = book.sheet("按类别统计", ["类别", *heads])
    classes.add(_sum_cells(class_words(found.query.layer, by_class, each.code), each) for each in found.answer.by_class)
    districts = book.sheet("按区统计", ["区", *heads])
    districts.add(_sum_cells(district_name(each.code), each) for each in by_district)


def _heads(found: _Found) -> dict[str, str]:
    heads = {column.name: column.label for column in found.definition.columns} | {DISTRICT: "所在区或管理区"}
    return heads | ({INSIDE: "范围内面积（平方米）"} if found.has_inside else {})


def _values(found: _Found, row: QueryRow) -> dict[str, Any]:
    values = found.definition.values(row.feature) | {DISTRICT: district_name(row.feature.district_code), INSIDE: row.inside_m2}
    values[found.definition.key_field] = row.feature.key
    values[found.definition.class_field] = row.feature.class_code
    return values


def _cells(found: _Found, row: QueryRow) -> list[Any]:
    values = _values(found, row)
    return [value if isinstance(value := values.get(key), Decimal) or value is None else str(value) for key in _heads(found)]


def _sum_cells(words: str, each: Sum) -> list[Any]:
    return [words, Decimal(each.count), each.area_m2, *([each.inside_m2] if each.inside_m2 is not None else [])]


def _drawn(progress: Progress, found: _Found, path: Path, kind: str) -> int:
    if found.answer.total.count > MOST_DRAWN:
        raise InvalidData(f"查到 {found.answer.total.count} 个要素，超过 {MOST_DRAWN} 个，没有导出图形。请缩小查询，或导出 Excel。")
    rows = [row for batch in found.batches(progress) for row in batch]
    fields = tuple(_fields(found))
    geometries = as_column(row.feature.geometry for row in rows)
    values = [_values(found, row) for row in rows]
    names = {field.name: name for field, name in zip(fields, _heads(found), strict=True)}
    columns = {field: as_column(each.get(name) for each in values) for field, name in names.items()}
    layer = FileLayer(found.definition.table, "MultiPolygon", fields, geometries, columns, STORAGE, alias=found.definition.title)
    write_spatial_file(path, kind, [layer], STORAGE)
    return len(rows)


def _fields(found: _Found) -> Iterator[FileField]:
    """The fields under their column codes, as other files of the layer have them."""
    for column in found.definition.columns:
        yield FileField(column.column, column.label, column.type, column.length, column.decimals)
    yield FileField("SZQ", "所在区或管理区")
    if found.has_inside:
        yield FileField("FWNMJ", "范围内面积", "decimal", 15, 2)
