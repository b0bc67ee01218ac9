"""A small annual farmland layer, and workbooks of plot numbers as people send them."""

import io
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import shapely
from sqlmodel import select

from domain import layer, plot
from domain.actor import Actor
from domain.case.tables import Task
from domain.layer import FeatureData
from domain.ledger.opening import open_year
from domain.portal_clock import now, today
from portal.database import Database
from tests.domain.ledger_books import working

QINGPU, PUDONG = "310118", "310115"
NAMES = {QINGPU: "青浦区", PUDONG: "浦东新区"}


def number(n: int, area: str = QINGPU) -> str:
    return f"GD{area}-{n:06d}"


def farmland(n: int, area: str, area_m2: str, status: str = "可用") -> FeatureData:
    """One plot: a small square, with the area that the test needs."""
    west, south = 121.0 + n / 1000, 31.0 + sum(map(ord, area)) % 100 / 100
    return FeatureData(
        number(n, area), area, "0101", Decimal(area_m2), shapely.box(west, south, west + 0.0005, south + 0.0005),
        {"plot_number": number(n, area), "plot_name": f"样例村{n}号地块", "class_name": "水田", "status": status}, status,
    )


def load(database: Database, features: Sequence[FeatureData], *, open_books: bool = True) -> None:
    """Replace the layer and, unless they are open, open the books of this year."""
    with working(database) as work:
        layer.replace_whole(work, "annual_farmland", features, today(work.session), is_generated=True)
        if open_books:
            open_year(work, today(work.session).year)


def workbook(rows: Sequence[Sequence[Any]], head: Sequence[str] = ("地块唯一编号*", "行政区*", "指标范围"), above: Sequence[Sequence[Any]] = ()) -> bytes:
    """A workbook with a head and rows; `above` stands over the head, as titles do."""
    book = openpyxl.Workbook()
    for row in (*above, head, *rows):
        book.active.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def of_plots(*numbers: str, area: str = QINGPU) -> bytes:
    return workbook([(each, NAMES[area]) for each in numbers])


def read(content: bytes, folder: Path) -> plot.PlotSheet:
    """What is read of a workbook."""
    path = folder / "plots.xlsx"
    path.write_bytes(content)
    return plot.read_sheet(path)


def send(database: Database, actor: Actor, case_id: int, content: bytes, name: str = "地块.xlsx") -> plot.PlotUpload:
    """Upload a workbook into the task that the case has in hand."""
    received, sheet = plot.receive(database.office.files, name, [content])
    with database.writing() as session:
        return plot.upload(session, actor, task_of(session, case_id), sheet, received, name)


def task_of(session: Any, case_id: int) -> int:
    return session.exec(select(Task.id).where(Task.case_id == case_id, Task.status.in_(("held", "ready")))).one()


def status_of(database: Database, key: str) -> str:
    with database.reading() as session:
        return layer.features_by_key(session, "annual_farmland", [key])[key].status


__all__ = ["NAMES", "PUDONG", "QINGPU", "farmland", "load", "now", "number", "of_plots", "read", "send", "status_of", "task_of", "workbook"]
