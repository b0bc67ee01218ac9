"""Tables of the layers: a layer, its editions in time, its features with the editions they are part of."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import DDL, Column, Index, LargeBinary, Text, UniqueConstraint, event, text
from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, decimal_column, id_column, json_column, moment_column
from domain.geometry_column import geometry_column

CHANGES = {
    "whole": "全图层更新", "region": "按行政区更新", "area": "按范围更新", "feature": "按图形更新", "change": "变更属性",
    "status": "变更状态", "delete": "删除图形", "annual": "年度底板更新", "restore": "回退到上一版",
}  # fmt: skip
"""What a change of a layer is called."""


class Layer(SQLModel, table=True):
    """A layer of features; its columns and classes are described by domain.layer.definition under the same
    key.
    """

    id: int | None = Field(default=None, sa_column=id_column())
    key: str = Field(sa_column=code_column(unique=True))
    title: str
    is_generated: bool = False
    """True for demo data, which every screen must say."""
    created_at: datetime = Field(sa_column=moment_column())


class LayerCard(SQLModel, table=True):
    """What a data manager wrote about a layer, in place of what the file of the catalogue says."""

    __tablename__ = "layer_card"

    id: int | None = Field(default=None, sa_column=id_column())
    layer_key: str = Field(sa_column=code_column(unique=True))
    summary: str
    source: str
    owner: str
    update_cycle: str
    security_level: str = Field(sa_column=code_column(length=16))
    basis: str
    version: int = 1
    changed_at: datetime = Field(sa_column=moment_column())
    changed_by: int | None = Field(default=None, sa_type=BIG_ID, foreign_key="person.id")
    changed_by_name: str


class LayerEdition(SQLModel, table=True):
    """One change of a layer: what was replaced, from which day it holds, and the case that caused it.

    Editions are numbered from 1; a feature belongs to every edition from its first to the one before its last
    number.
    """

    __tablename__ = "layer_edition"
    __table_args__ = (UniqueConstraint("layer_id", "number"),)

    id: int | None = Field(default=None, sa_column=id_column())
    layer_id: int = Field(sa_type=BIG_ID, foreign_key="layer.id", index=True)
    number: int
    token: str = Field(sa_column=code_column(unique=True))
    """Never used again, also not after a roll-back: the key under which the edition may be kept in memory."""
    effective_on: date
    recorded_at: datetime = Field(sa_column=moment_column())
    extent: str = Field(sa_column=code_column(length=16))
    """whole | region | area | feature"""
    change: str = Field(default="", sa_column=code_column(length=16))
    """A key of CHANGES."""
    region_code: str | None = Field(default=None, sa_column=code_column(length=16, nullable=True))
    case_id: int | None = Field(default=None, sa_type=BIG_ID, index=True)
    note: str = ""
    """Where the data is from, as those who keep it say it."""
    reason: str = ""
    """Why the layer was changed, as the person who changed it wrote."""
    person_id: int | None = Field(default=None, sa_type=BIG_ID)
    person_name: str = ""
    data_year: int | None = None
    """The year of the data, for layers that are renewed by year; kept by the editions in between."""
    is_generated: bool = False
    """What the layer said of itself with this edition, so that a return to it says it again."""
    restored_number: int | None = None
    """The edition that a return brought back."""
    added_count: int = 0
    ended_count: int = 0
    feature_count: int = 0


class Feature(SQLModel, table=True):
    """A feature of a layer for a span of editions; a change ends the row and adds a new one."""

    __table_args__ = (
        Index("ix_feature_district", "layer_id", "district_code", "until_number"),
        Index("ix_feature_key", "layer_id", "key"),
        Index(
            "ux_feature_current", "layer_id", "key", unique=True,
            sqlite_where=text("until_number IS NULL"), postgresql_where=text("until_number IS NULL"),
        ),
        Index("ix_feature_geometry", "geometry", postgresql_using="gist").ddl_if(dialect="postgresql"),
    )  # fmt: skip

    id: int | None = Field(default=None, sa_column=id_column())
    layer_id: int = Field(sa_type=BIG_ID, foreign_key="layer.id")
    key: str = Field(sa_column=code_column())
    district_code: str = Field(sa_column=code_column(length=16))
    class_code: str = Field(sa_column=code_column(length=32))
    status: str = Field(default="", sa_column=code_column(length=32))
    area_m2: Decimal = Field(sa_column=decimal_column(scale=2))
    attributes: dict[str, Any] = Field(sa_column=json_column())
    geometry: Any = Field(sa_column=geometry_column())
    west: float
    south: float
    east: float
    north: float
    from_number: int
    until_number: int | None = None
    words: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    """What words are looked for in: `LayerDefinition.words_of`. Attributes are slow to search one by one."""


class LayerDrawing(SQLModel, table=True):
    """The tiles of one edition of a layer for the small scales, drawn beforehand; a layer keeps its latest drawing."""

    __tablename__ = "layer_drawing"
    __table_args__ = (UniqueConstraint("layer_id", "edition_number"),)

    id: int | None = Field(default=None, sa_column=id_column())
    layer_id: int = Field(sa_type=BIG_ID, foreign_key="layer.id")
    edition_number: int
    drawn_at: datetime = Field(sa_column=moment_column())
    tile_count: int = 0
    size_bytes: int = 0


class LayerTile(SQLModel, table=True):
    """One tile of a drawing; squares in which the layer has nothing have no row."""

    __tablename__ = "layer_tile"
    __table_args__ = (UniqueConstraint("drawing_id", "zoom", "tile_column", "tile_row"),)

    id: int | None = Field(default=None, sa_column=id_column())
    drawing_id: int = Field(sa_type=BIG_ID, foreign_key="layer_drawing.id")
    zoom: int
    tile_column: int
    tile_row: int
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


_FOLLOWS_INSERT = """
CREATE TRIGGER feature_bbox_insert AFTER INSERT ON feature BEGIN
    INSERT INTO feature_bbox VALUES (NEW.id, NEW.west, NEW.east, NEW.south, NEW.north);
END"""
_FOLLOWS_UPDATE = """
CREATE TRIGGER feature_bbox_update AFTER UPDATE OF id, west, east, south, north ON feature BEGIN
    DELETE FROM feature_bbox WHERE id = OLD.id;
    INSERT INTO feature_bbox VALUES (NEW.id, NEW.west, NEW.east, NEW.south, NEW.north);
END"""
_FOLLOWS_DELETE = """
CREATE TRIGGER feature_bbox_delete AFTER DELETE ON feature BEGIN
    DELETE FROM feature_bbox WHERE id = OLD.id;
END"""

SQLITE_SPATIAL_INDEX = (
    "CREATE VIRTUAL TABLE feature_bbox USING rtree(id, west, east, south, north)",
    _FOLLOWS_INSERT,
    _FOLLOWS_UPDATE,
    _FOLLOWS_DELETE,
)
"""The R*Tree of the features on SQLite and the triggers that keep it; run by create_all, and by the migration
that adds the table.
"""

for statement in SQLITE_SPATIAL_INDEX:
    event.listen(Feature.__table__, "after_create", DDL(statement).execute_if(dialect="sqlite"))
event.listen(
    Feature.__table__, "before_drop", DDL("DROP TABLE IF EXISTS feature_bbox").execute_if(dialect="sqlite")
)
