"""Column types that mean the same on SQLite and on PostgreSQL.

SQLite keeps NUMERIC as a float and drops the offset of a timestamp without a word; these types keep
both exact. Every table of the portal uses them instead of the bare SQLAlchemy ones.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, DateTime, Integer, Numeric, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from domain.errors import InvalidData

BIG_ID = BigInteger().with_variant(Integer(), "sqlite")
"""Primary and foreign keys: 64 bits; INTEGER on SQLite, which alone is an alias of the rowid."""

JSON_DOCUMENT = JSON().with_variant(JSONB(), "postgresql")
"""A JSON document; Decimal, date and datetime are written as text by the engine's serialiser."""


class FixedDecimal(TypeDecorator[Decimal]):
    """Exact fixed-point number: a scaled integer on SQLite, NUMERIC on PostgreSQL.

    A value with more decimals than the column keeps is refused, never rounded: rounding is a legal act
    and happens once, where a regulation says so.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, precision: int = 20, scale: int = 4) -> None:
        self.precision, self.scale = precision, scale
        super().__init__(precision, scale)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(Numeric(self.precision, self.scale))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        exact = Decimal(value)
        kept = exact.quantize(Decimal(1).scaleb(-self.scale))
        if kept != exact:
            raise InvalidData(f"数值 {value} 的小数超过 {self.scale} 位，无法原样保存。请按规定位数填写。")
        return int(kept.scaleb(self.scale)) if dialect.name == "sqlite" else kept

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        return Decimal(value).scaleb(-self.scale) if dialect.name == "sqlite" else value


class Moment(TypeDecorator[datetime]):
    """A moment in UTC with its zone: stored naive in UTC on SQLite, timestamptz on PostgreSQL."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(DateTime(timezone=dialect.name != "sqlite"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def id_column() -> Any:
    """Integer primary key that both databases count up by themselves."""
    return Column(BIG_ID, primary_key=True, autoincrement=True)


def json_column(nullable: bool = False) -> Any:
    """A JSON document column."""
    return Column(JSON_DOCUMENT, nullable=nullable)


def moment_column(nullable: bool = False, index: bool = False) -> Any:
    """A UTC moment column."""
    return Column(Moment(), nullable=nullable, index=index)


def decimal_column(scale: int = 4, nullable: bool = False) -> Any:
    """An exact decimal column with `scale` decimals."""
    return Column(FixedDecimal(20, scale), nullable=nullable)


def code_column(length: int = 64, nullable: bool = False, index: bool = False, unique: bool = False) -> Any:
    """A short text key column."""
    return Column(String(length), nullable=nullable, index=index, unique=unique)
