"""Exports 导出 of an inspection: the report and the result, each or both, as one zip that holds what was chosen and nothing else."""

import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import shapely
from sqlmodel import Session

from domain import job as jobs
from domain import portal_clock
from domain.command import Work, command
from domain.document.rendering import Imprint, render_pdf
from domain.errors import InvalidData, NotFound, Refused
from domain.format import date_formal
from domain.inspection.task import access, admission, engine, findings, report
from domain.inspection.task.access import SEE
from domain.inspection.task.findings import FindingQuery
from domain.inspection.task.report import HEADS, Told
from domain.inspection.task.tables import INSPECTED, InspectionRun
from domain.job import Job, JobResult, Progress, job_handler
from domain.workbook import Workbook

KIND, PACK_KIND = "inspection_export", "inspection_pack"
CHOICES = {
    "report.pdf": "质检报告.pdf", "report.xlsx": "质检报告.xlsx",
    "result.gpkg": "错误图层.gpkg", "result.shp": "错误图层_shp.zip", "result.xlsx": "错误清单.xlsx",
}  # fmt: skip
"""What can be chosen, and what it is called in the zip."""
_DIMENSIONS = ((0, "点"), (1, "线"), (2, "面"))
_COLUMNS = ("number", "code", "check", "message", "layer", "feature", "key", "field", "value", "severity", "state", "fix")
_SHORT = dict(zip(_COLUMNS, ("XH", "WTBM", "WTMC", "SM", "TC", "YSXH", "BH", "ZD", "ZHI", "JB", "ZT", "GF"), strict=True))


@command("inspection.export", allow=access.holders(SEE))
def request(work: Work, run_id: int, chosen: Sequence[str]) -> Job:
    """Queue an export. Raises InvalidData if nothing that there is was chosen, Refused before there is a result."""
    task, run = access.run_of(work.session, work.actor, run_id)
    wanted = [key for key in CHOICES if key in chosen]
    if not wanted:
        raise InvalidData("没有勾选要导出的内容。请勾选质检报告、质检结果或两项。", {"what": "请至少勾选一项"})
    if run.state not in INSPECTED:
        raise Refused("质检还没有完成，没有结果可以导出。请等它完成后再导出。")
    work.record(f"inspection:{task.id}", act="export", content=wanted)
    return jobs.enqueue(work, KIND, f"导出「{task.title}」的质检结果", {"run": run.id, "what": wanted})


@command("inspection.pack", allow=access.holders(SEE))
def request_pack(work: Work, run_id: int) -> Job:
    """Queue the packing of a package that passed: its files, certificate and report. Raises Refused for any other."""
    task, run = access.run_of(work.session, work.actor, run_id)
    reason = admission.refusal(task, run, engine.lowest_score(task))
    if reason and run.state != "admitted":
        raise Refused(f"没有打包：{reason}")
    work.record(f"inspection:{task.id}", act="pack")
    return jobs.enqueue(work, PACK_KIND, f"「{run.file_name}」成果打包", {"run": run.id})


@job_handler(KIND, resumable=True)
def run_export(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Write what was chosen, one file after another, and zip it."""
    with tempfile.TemporaryDirectory() as folder:
        one, made = _written(progress, arguments["run"], arguments["what"], Path(folder))
        name = f"{one.task.number}_第{one.run.package_no}包_质检结果.zip"
        return _zipped(progress, Path(folder), made, name, one)


@job_handler(PACK_KIND, resumable=True)
def run_pack(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """The package as it was inspected, with certificate, the rules that it rests on, and report beside it."""
    with tempfile.TemporaryDirectory() as folder:
        one, made = _written(progress, arguments["run"], ["report.pdf"], Path(folder))
        package, certificate = Path(folder) / one.run.file_name, Path(folder) / "质检证书.json"
        with package.open("wb") as file:
            for chunk in progress.office.files.read(one.run.digest):
                file.write(chunk)
        with progress.reading() as session:
            certificate.write_text(engine.certificate_text(session, one.run), encoding="utf-8")
            rules = _rules(session, one, Path(folder))
        return _zipped(progress, Path(folder), [package, certificate, rules, *made], f"{one.task.number}_成果包.zip", one)


def _rules(session: Session, one: Told, folder: Path) -> Path:
    """The rules that the certificate rests on; a text that says why, where they are no longer there."""
    path, told = folder / "质检规则.zip", folder / "没有规则包.txt"
    try:
        engine.write_rules(session, one.run, one.task, path)
    except NotFound as gone:
        told.write_text(gone.message + "\n", encoding="utf-8")
        return told
    return path


def _written(progress: Progress, run_id: int, chosen: Sequence[str], folder: Path) -> tuple[Told, list[Path]]:
    with progress.reading() as session:
        task, run = access.run_of(session, progress.owner(session), run_id)
        one, made = report.told(session, task, run), []
        for place, key in enumerate(chosen):
            progress.tell(place, len(chosen), f"正在写 {CHOICES[key]}")
            path = folder / CHOICES[key]
            _WRITERS[key](session, one, path)
            made.append(path)
    return one, made


def _zipped(progress: Progress, folder: Path, made: Sequence[Path], name: str, one: Told) -> JobResult:
    path = folder / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in made:
            archive.write(each, each.name)
    received = progress.office.files.put_path(path, name, allowed=("zip",))
    return JobResult({"files": [each.name for each in made], "findings": one.run.finding_count}, received, name)


def _report_pdf(session: Session, one: Told, path: Path) -> None:
    at = one.run.ended_at or portal_clock.now(session)
    imprint = Imprint("", date_formal(portal_clock.local_date(at)), "本报告由系统按质检方案自动生成，数字以质检证书为准。", at=at)
    path.write_bytes(render_pdf(report.content(session, one), imprint))


def _report_xlsx(session: Session, one: Told, path: Path) -> None:
    with Workbook(path) as book:
        sheet = book.sheet("质检报告", ("项目", "内容", "级别", "数量", "其中例外"))
        sheet.add(report.facts(one))
        sheet.add((f"{code} {label}", "问题类别", *rest) for code, label, *rest in report.class_rows(one.run))
        sheet.add((f"例外：{row[0]}", row[2], "", row[1]) for row in one.exceptions)
        sheet.add((f"参数 {name}", str(value)) for name, value in sorted(one.run.parameters.items()))


def _result_xlsx(session: Session, one: Told, path: Path) -> None:
    with Workbook(path) as book:
        sheet = book.sheet("错误清单", HEADS)
        for rows in findings.every(session, _id(one.run), FindingQuery()):
            sheet.add(report.finding_cells(row) for row in rows)


def _id(run: InspectionRun) -> int:
    return run.id or 0


def _result_gpkg(session: Session, one: Told, path: Path) -> None:
    geometries, columns = _table(session, one)
    _write(path, "质检错误", geometries, columns, {name: name for name in _COLUMNS}, "Unknown", driver="GPKG")


def _result_shp(session: Session, one: Told, path: Path) -> None:
    """Shapefiles hold one kind of place each: points, lines and polygons apart, and a table of what has no place."""
    geometries, columns = _table(session, one)
    dimensions = shapely.get_dimensions(geometries)
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for dimension, word in (*_DIMENSIONS, (-1, "无位置")):
            chosen = dimensions == dimension
            if not chosen.any():
                continue
            kind = {0: "MultiPoint", 1: "MultiLineString", 2: "MultiPolygon", -1: None}[dimension]
            shp = Path(folder) / (f"error_{dimension}.shp" if kind else "error_none.dbf")
            places = numpy.array([_multi(each) for each in geometries[chosen]], dtype=object) if kind else None
            _write(shp, None, places, [column[chosen] for column in columns], _SHORT, kind, driver="ESRI Shapefile", encoding="UTF-8")
            for part in sorted(Path(folder).glob(f"{shp.stem}.*")):
                archive.write(part, f"错误图层_{word}{part.suffix}")


def _multi(geometry: Any) -> Any:
    """The same place as one of many, so that a layer is of one kind."""
    kinds = {"Point": shapely.multipoints, "LineString": shapely.multilinestrings, "LinearRing": shapely.multilinestrings, "Polygon": shapely.multipolygons}
    return kinds[geometry.geom_type]([geometry]) if geometry.geom_type in kinds else geometry


def _table(session: Session, one: Told) -> tuple[numpy.ndarray, list[numpy.ndarray]]:
    places, rows = [], []
    for batch in findings.every(session, _id(one.run), FindingQuery(), with_geometry=True):
        for row in batch:
            places.append(row.geometry)
            rows.append([_cell(row, name) for name in _COLUMNS])
    columns = [numpy.array([row[place] for row in rows], dtype=object) for place in range(len(_COLUMNS))]
    return numpy.array([*places, None], dtype=object)[:-1], columns


def _cell(row: Any, name: str) -> str:
    words = {"severity": report.SEVERITIES, "state": report.FINDING_STATES}.get(name, {})
    value = getattr(row, name)
    return str(words.get(value, value))[:250]


def _write(
    path: Path, layer: str | None, places: numpy.ndarray | None, columns: Sequence[numpy.ndarray], names: Mapping[str, str], kind: str | None, **how: Any
) -> None:  # fmt: skip
    import pyogrio

    extra = {"layer": layer} if layer else {}
    if places is not None:
        extra |= {"geometry_type": kind, "crs": "EPSG:4490"}
    pyogrio.raw.write(path, None if places is None else shapely.to_wkb(places), columns, [names[each] for each in _COLUMNS], **extra, **how)


_WRITERS = {
    "report.pdf": _report_pdf, "report.xlsx": _report_xlsx, "result.gpkg": _result_gpkg, "result.shp": _result_shp, "result.xlsx": _result_xlsx,
}  # fmt: skip
