"""Updates as the portal makes them: files in the store, commands by people, jobs by the runner."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
import shapely
from sqlmodel import Session

from domain import layer_update
from domain.actor import Actor
from domain.area import area_m2
from domain.layer import FeatureData, Terms, all_features, edition_on, layer_definition, replace_whole
from domain.layer_update import Grounds, StoredUpload, UpdateRequest
from domain.portal_clock import today
from portal.database import Database
from portal.runner import Runner
from tests.domain.ledger_books import working

QINGPU, PUDONG = "310118", "310115"
SPOTS = {QINGPU: (121.0, 31.1), PUDONG: (121.6, 31.1)}


def square(n: int, district: str = QINGPU, width: float = 0.001) -> shapely.Polygon:
    """A square of a row in a district, a thousandth of a degree wide unless said."""
    west, south = SPOTS[district]
    return shapely.box(west + n / 1000, south, west + n / 1000 + width, south + 0.001)


def farmland(n: int, district: str = QINGPU, *, class_code: str = "0101", year: int = 2024, shape: Any = None, status: str = "可用") -> FeatureData:
    """A plot of the annual farmland layer."""
    shape = shape or square(n, district)
    key = f"GD{district}-{n:06d}"
    values = {
        "plot_number": key, "plot_name": f"样例{n}号地块", "district_code": district, "class_code": class_code, "class_name": "水田",
        "data_year": year, "status": status,
    }  # fmt: skip
    return FeatureData(key, district, class_code, area_m2(shape), shape, values, status)


def plots(rows: Sequence[tuple[str, shapely.Polygon, str]], **columns: Any) -> bytes:
    """A file of the annual farmland layer: number, shape, class."""
    return geojson([({"DKWYBH": key, "DLBM": code, **columns}, shape) for key, shape, code in rows])


def geojson(features: Sequence[tuple[dict[str, Any], shapely.Geometry]]) -> bytes:
    """A GeoJSON file of values by column and shapes."""
    rows = [{"type": "Feature", "properties": values, "geometry": json.loads(shapely.to_geojson(shape))} for values, shape in features]
    return json.dumps({"type": "FeatureCollection", "features": rows}, ensure_ascii=False).encode()


@dataclass
class Updates:
    """Updates of one layer by people."""

    database: Database
    manager: Actor
    key: str = "annual_farmland"

    def load(self, features: Sequence[FeatureData], data_year: int | None = None, on: date = date(2026, 1, 1)) -> None:
        with working(self.database) as work:
            replace_whole(work, self.key, features, on, is_generated=True, terms=Terms(data_year=data_year))

    def now(self) -> dict[str, FeatureData]:
        return self.on(None)

    def on(self, day: date | None) -> dict[str, FeatureData]:
        with self.database.reading() as session:
            return {each.key: each for each in all_features(session, self.key, day)}

    def number(self) -> int:
        with self.database.reading() as session:
            return edition_on(session, self.key).number

    def stored(self, content: bytes, name: str = "") -> tuple[StoredUpload, Any]:
        name = name or f"{layer_definition(self.key).table}.geojson"
        received = self.database.office.files.put([content], name, allowed=("geojson",), largest_bytes=10**8)
        return StoredUpload(received.digest, name), received

    def ask(self, way: str, content: bytes | None = None, area: bytes | None = None, *, by: Actor | None = None, expected: int | None = None, reason: str = "年度更新", year: int | None = None, name: str = "", **more: Any):
        files = [self.stored(each, name) if each is not None else (None, None) for each in (content, area)]
        asked = UpdateRequest(way, file=files[0][0], area=files[1][0], **{"crs": "EPSG:4490", **more})
        with self.database.writing() as session:
            grounds = Grounds(reason, today(session), self.number() if expected is None else expected, None, year)
            row = layer_update.request(session, by or self.manager, self.key, asked, grounds, [each for _, each in files if each])
            made = row.id
        self.work()
        return self.row(made)

    def act(self, act: Any, row: Any, *args: Any, by: Actor | None = None):
        with self.database.writing() as session:
            act(session, by or self.manager, self.key, row.id, row.version, *args)
        return self.row(row.id)

    def confirm(self, row: Any, by: Actor | None = None):
        self.act(layer_update.confirm, row, by=by)
        self.work()
        return self.row(row.id)

    def work(self) -> None:
        runner = Runner(self.database, self.database.office)
        while runner._work_at_job():
            pass

    def row(self, update_id: int):
        with self.database.reading() as session:
            return _loose(session, layer_update.update_of(session, self.manager, self.key, update_id))


def _loose(session: Session, row: Any) -> Any:
    session.expunge(row)
    return row


@pytest.fixture
def updates(database, person) -> Updates:
    return Updates(database, person("graphic_manager", name="韩图形"))
