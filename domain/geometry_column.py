"""The column type of stored geometries: shapely in Python, EWKB in EPSG:4490 in both databases, every bit
kept.
"""

from collections.abc import Callable
from typing import Any

from geoalchemy2 import Geometry
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Column
from sqlalchemy.engine import Dialect

from domain.geometry import STORAGE_SRID, ewkb, from_ewkb


class StoredGeometry(Geometry):
    """A geometry column that takes and gives shapely geometries; text forms, which lose digits, are never
    used.
    """

    from_text = "ST_GeomFromWKB"
    cache_ok = True

    def __init__(self, **options: Any) -> None:
        super().__init__(
            "GEOMETRY", srid=STORAGE_SRID, spatial_index=False, nullable=options.get("nullable", True)
        )

    def bind_processor(self, dialect: Dialect) -> Callable[[BaseGeometry | bytes | None], bytes | None]:
        def process(value: BaseGeometry | bytes | None) -> bytes | None:
            return ewkb(value) if isinstance(value, BaseGeometry) else value

        return process

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], BaseGeometry | None]:
        return lambda value: None if value is None else from_ewkb(value)


def geometry_column(nullable: bool = False) -> Any:
    """A geometry column in EPSG:4490; its spatial index is declared by the table (see domain.layer)."""
    return Column(StoredGeometry(), nullable=nullable)
