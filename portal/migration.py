"""`portal migrate`, and the check at the start that the database is as this version needs it."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError

from domain import schema
from portal.database import Database
from portal.settings import PROJECT_DIR, Settings, current_settings

FOLDER = PROJECT_DIR / "migrations"
NOT_OURS = ("case_search", "feature_bbox", "spatial_ref_sys")
"""Tables made by statements of their own (full text, R*Tree) or by PostGIS; compared by a test of their own."""
SPATIAL_INDEXES = ("ix_feature_geometry",)
"""GiST on PostgreSQL; on SQLite the R*Tree takes their place."""
SPATIALITE_REGISTER = "CREATE TEMP TABLE IF NOT EXISTS geometry_columns (f_table_name TEXT, f_geometry_column TEXT)"
MIGRATION_LOCK = 0x6D696772
"""Advisory lock of PostgreSQL, so that two processes do not migrate side by side."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `migrate`."""
    parser = subparsers.add_parser("migrate", help="升级数据库", description="把数据库升级到本版本的结构；已是最新时不做改动。")
    parser.set_defaults(run=run)


def run(_arguments: argparse.Namespace) -> int:
    """Migrate the database of the settings and say from where to where."""
    settings = current_settings()
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    try:
        before, after = migrate(settings.database_url)
    except OperationalError as error:
        raise _refusal(error) from error
    print(f"数据库结构已是 {after}。" if before == after else f"数据库结构已由 {before or '空库'} 升级到 {after}。")
    return 0


def _refusal(error: OperationalError) -> Exception:
    from portal.command_line import CommandRefused

    return CommandRefused(f"数据库不能连接或升级（{_reason(error)}）。请检查 DATABASE_URL 和数据库服务；没有完成的升级已撤回。")


def migrate(url: str) -> tuple[str | None, str]:
    """Bring a database to the newest revision; the revision before and after. Closes its connections."""
    database = Database(url, pooled=False)
    try:
        with _alone(database) as connection:
            before = revision_of(connection)
            command.upgrade(_config(connection), "head")
            connection.commit()
            return before, newest_revision()
    finally:
        database.dispose()


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """A connection under which nobody else migrates; on SQLite the transaction itself takes the lock."""
    engine = database.engine.execution_options(write=True)
    with engine.connect() as connection:
        if database.is_sqlite:
            yield connection
            return
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()
        yield connection
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


def newest_revision() -> str:
    """The revision that this version of the portal needs."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return ScriptDirectory.from_config(config).get_current_head() or ""


def known_revisions() -> set[str]:
    """Every revision that this version of the portal knows."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}


def revision_of(connection: Connection) -> str | None:
    """The revision of a database; None for one that was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def database_faults(settings: Settings) -> list[str]:
    """The database can be reached and has the structure that this version needs."""
    database = Database(settings.database_url, pooled=False)
    try:
        with database.engine.connect() as connection:
            return _structure_faults(connection)
    except OperationalError as error:
        return [f"数据库不能连接（{_reason(error)}）。请检查 DATABASE_URL 和数据库服务，然后重新启动。"]
    finally:
        database.dispose()


def _structure_faults(connection: Connection) -> list[str]:
    present, needed = revision_of(connection), newest_revision()
    if present == needed:
        return []
    if present is None:
        return ["数据库还是空的，没有建表。请先运行 portal migrate（make run 会代做）。"]
    if present in known_revisions():
        return [f"数据库结构是 {present}，本版本需要 {needed}。请先备份，再运行 portal migrate。"]
    return [f"数据库结构 {present} 比本版本（{needed}）新。请使用较新的版本，或从备份恢复数据库。"]


def _reason(error: OperationalError) -> str:
    return str(error.orig).strip().splitlines()[0]


def is_compared(_thing: Any, name: str | None, kind: str, is_reflected: bool, _compared_to: Any) -> bool:
    """False for tables that the metadata does not hold, and for what only one of the databases has."""
    if kind == "table":
        return not (name or "").startswith(NOT_OURS)
    return kind != "index" or name not in SPATIAL_INDEXES


def differences(connection: Connection) -> list[Any]:
    """How a database differs from the tables of the code; empty when it does not."""
    from alembic.autogenerate import compare_metadata

    if connection.dialect.name == "sqlite":
        # GeoAlchemy2 asks SpatiaLite's register of columns, which a database without SpatiaLite does not have.
        connection.exec_driver_sql(SPATIALITE_REGISTER)
    options = {"include_object": is_compared, "compare_type": False}
    return compare_metadata(MigrationContext.configure(connection, opts=options), schema.METADATA)


def is_empty(connection: Connection) -> bool:
    """True for a database without a single table of ours."""
    return not (set(inspect(connection).get_table_names()) & set(schema.METADATA.tables))
