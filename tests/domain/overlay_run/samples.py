"""Layers for saved overlays: land use in three classes, quality grades, and supplement patches that go in and out."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from domain.actor import SYSTEM
from domain.area import area_m2
from domain.layer import FeatureData, definition, load_layer
from domain.overlay_run import scheme
from portal.database import Database
from portal.runner import Runner
from tests.domain.space_fixtures import PUDONG, QINGPU, plot

ANALYSIS = "land_use_analysis"
DAY = date(2026, 1, 1)
EXTRA = {
    "protected_space_supplement": {
        "title": "永久基本农田补划退出", "table": "YJJBNTBHTC", "class_field": "protection_type",
        "columns": [
            {"name": "protection_type", "column": "LX", "label": "类型", "length": 20},
            {"name": "direction", "column": "DRDC", "label": "调入调出", "length": 10},
            {"name": "area_m2", "column": "MJ", "label": "面积", "type": "decimal", "length": 15, "decimals": 2},
        ],
    },
    "farmland_quality": {
        "title": "耕地质量等别", "table": "GDZLDB", "class_field": "quality_class",
        "columns": [
            {"name": "quality_class", "column": "GDDB", "label": "耕地等别", "type": "integer", "length": 2},
            {"name": "area_m2", "column": "MJ", "label": "面积", "type": "decimal", "length": 15, "decimals": 2},
        ],
    },
}  # fmt: skip
"""The two layers of the analysis as far as it needs them, where the shipped definitions have them not."""


@pytest.fixture
def with_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The shipped layer definitions and those of the analysis."""
    shipped = yaml.safe_load(definition.FILE.read_text(encoding="utf-8"))
    file = tmp_path / "layer_columns.yaml"
    file.write_text(yaml.safe_dump({**EXTRA, **shipped}, allow_unicode=True), encoding="utf-8")
    monkeypatch.setattr(definition, "FILE", file)
    definition.layer_definitions.cache_clear()
    yield
    monkeypatch.undo()
    definition.layer_definitions.cache_clear()


def feature(key: str, shape, class_code: str, district: str = QINGPU, stated: Decimal | None = None, **attributes) -> FeatureData:
    return FeatureData(key, district, class_code, stated or area_m2(shape), shape, attributes)


LAND = [
    feature("L1", plot(0, 0, 2, 2), "0101", class_name="水田"), feature("L2", plot(2, 0, 2, 2), "0103", class_name="旱地"),
    feature("L3", plot(4, 0, 2, 2), "0702", class_name="农村宅基地"), feature("L4", plot(6, 0, 2, 2), "0101", PUDONG, class_name="水田"),
]  # fmt: skip
GRADES = [feature("Q7", plot(0, 0, 1, 2), "7"), feature("Q8", plot(1, 0, 2, 2), "8"), feature("Q9", plot(6, 0, 2, 2), "9", PUDONG)]


def patches() -> list[FeatureData]:
    """In: one square of paddy (half of grade 7, half of 8). Out: half paddy, half dry; another half dry, half built."""
    kind, way = scheme(ANALYSIS).groups
    rows = (("B1", plot(0.5, 0, 1, 1), "永久基本农田", "调入", QINGPU), ("B2", plot(1.5, 0, 1, 1), "永久基本农田", "调出", QINGPU),
            ("B3", plot(3.5, 0, 1, 1), "储备永久基本农田", "调出", QINGPU), ("B4", plot(6, 0, 1, 1), "永久基本农田", "调入", PUDONG))  # fmt: skip
    return [feature(key, shape, name, district, **{kind: name, way: direction}) for key, shape, name, direction, district in rows]


def load(database: Database, **layers: list[FeatureData]) -> None:
    """Replace these layers on the day of the sample."""
    with database.writing() as session:
        for key, features in layers.items():
            load_layer(session, SYSTEM, key, features, DAY)


def load_all(database: Database) -> None:
    load(database, land_use=LAND, farmland_quality=GRADES, protected_space_supplement=patches())


def work_off(database: Database, office) -> None:
    """Run every job that waits."""
    runner = Runner(database, office)
    while runner._work_at_job():
        pass
