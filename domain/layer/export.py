"""The features of a layer as a workbook or a GeoPackage: a job, with the rights that its owner has when it runs."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domain.command import Work, command
from domain.district import district_name
from domain.errors import InvalidData, NotAllowed
from domain.job import Job, JobResult, Progress, enqueue, job_handler
from domain.layer.definition import LayerDefinition, layer_definition
from domain.layer.listing import FeatureQuery, every_feature, page_of
from domain.projection import STORAGE
from domain.role import handles_cases
from domain.spatial_file import FileField, FileLayer
from domain.spatial_file.columns import as_column
from domain.spatial_file.writing import write_spatial_file
from domain.workbook import Workbook

KIND = "layer_export"
FORMATS = {"xlsx": "xlsx", "gpkg": "gpkg"}


def staff(work: Work) -> None:
    """Staff with work on cases."""
    if not work.actor.is_system and not handles_cases(work.actor):
        raise NotAllowed("图层由办理业务的工作人员导出。需要使用的，请联系本单位的系统管理员。")


@command("layer.export", allow=staff)
def request_export(work: Work, query: FeatureQuery, kind: str) -> Job:
    """Queue the export of what a table shows. Raises NotAllowed, NotFound, InvalidData as the table does."""
    if kind not in FORMATS:
        raise InvalidData("没有这种导出格式。请从 xlsx、GeoPackage 里选。")
    found = page_of(work.session, work.actor, query, size=0)
    title = layer_definition(query.layer).title
    work.record(f"layer:{query.layer}", features=found.count, format=kind, edition=found.edition.number)
    return enqueue(work, KIND, f"导出图层“{title}”", {"query": query.as_document(), "format": kind})


@job_handler(KIND, resumable=True)
def run_export(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Write the file from the features that the owner may see now."""
    query, kind = FeatureQuery.from_document(arguments["query"]), arguments["format"]
    definition = layer_definition(query.layer)
    with progress.reading() as session, tempfile.TemporaryDirectory() as folder:
        owner = progress.owner(session)
        found = page_of(session, owner, query, size=0)
        number, total = found.edition.number, found.count
        name = f"{definition.title}第{number}版.{kind}"
        path, batches = Path(folder) / f"layer.{kind}", every_feature(session, owner, query)
        write = _workbook if kind == "xlsx" else _geopackage
        count = write(path, definition, batches, progress, total)
        return JobResult({"features": count, "edition": number}, progress.office.files.put_path(path, name, allowed=(kind,)), name)


def _workbook(path: Path, definition: LayerDefinition, batches: Any, progress: Progress, total: int) -> int:
    """One row for each feature: its district and every field under its Chinese name and its code."""
    with Workbook(path) as book:
        sheet = book.sheet(definition.title, ["账户区", *(f"{each.label}（{each.column}）" for each in definition.columns)])
        for batch in batches:
            sheet.add((district_name(each.district_code), *_values(definition, each)) for each in batch)
            progress.tell(sheet.row_count, max(total, sheet.row_count), "写入工作簿")
    return sheet.row_count


def _values(definition: LayerDefinition, feature: Any) -> list[Any]:
    values = definition.values(feature)
    return [values.get(column.name) for column in definition.columns]


_TYPES = {"polygon": "MultiPolygon", "line": "MultiLineString", "point": "Point"}


def _geopackage(path: Path, definition: LayerDefinition, batches: Any, progress: Progress, total: int) -> int:
    """One layer under its standard table name, its fields under their standard codes, in EPSG:4490."""
    features = []
    for batch in batches:
        features += batch
        progress.tell(len(features), max(total, len(features)), "读取要素")
    rows = [_values(definition, each) for each in features]
    fields = tuple(FileField(each.column, each.label, each.type, each.length, each.decimals) for each in definition.columns)
    columns = {field.name: as_column([row[place] for row in rows]) for place, field in enumerate(fields)}
    layer = FileLayer(definition.table, _TYPES[definition.geometry], fields, as_column([each.geometry for each in features]), columns, STORAGE)
    write_spatial_file(path, "GeoPackage", [layer], STORAGE)
    return len(features)
