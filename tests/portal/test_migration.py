"""Migrations: from an empty database to exactly the tables of the code, on both databases."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import shapely
from sqlalchemy import text

from domain import schema
from domain.geometry import ewkb
from portal import migration
from portal.database import Database
from portal.migration import database_faults, differences, migrate, newest_revision, revision_of
from portal.migration_statements import DIALECTS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=sorted(DIALECTS))
def database(request):
    return request.param


@pytest.fixture
def postgres_template():
    """Here an empty database is wanted, with PostGIS and without our tables."""
    from tests.postgres import SPATIAL_TEMPLATE

    return SPATIAL_TEMPLATE


@pytest.fixture
def url(database, request, tmp_path):
    """An empty database."""
    return f"sqlite:///{tmp_path / 'empty.sqlite3'}" if database == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def connection(url):
    opened = Database(url, pooled=False)
    with opened.engine.connect() as connection:
        yield connection
    opened.dispose()


def structure(connection):
    """Every table, index and trigger of ours as the database itself tells it."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {(kind, name): re.sub(r"\s+", " ", sql) for kind, name, sql in rows if name != "alembic_version"}
    columns = connection.exec_driver_sql(
        "SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default, character_maximum_length, "
        "numeric_precision, numeric_scale FROM information_schema.columns WHERE table_schema = 'public'"
    )
    indexes = connection.exec_driver_sql("SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'")
    rules = connection.exec_driver_sql(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace"
    )
    rows = [*map(tuple, columns), *map(tuple, indexes), *map(tuple, rules)]
    return {row[:2]: row[2:] for row in rows if row[0] != "alembic_version"}


def test_an_empty_database_becomes_what_the_code_needs(url, connection):
    assert migrate(url) == (None, newest_revision())
    assert revision_of(connection) == newest_revision()
    assert differences(connection) == []


def test_the_migrations_make_what_create_all_makes(url, connection, request, tmp_path, database, postgres_cluster):
    migrate(url)
    other = f"sqlite:///{tmp_path / 'other.sqlite3'}" if database == "sqlite" else postgres_cluster.create_database()
    made = Database(other, pooled=False)
    schema.METADATA.create_all(made.engine)
    with made.engine.connect() as beside:
        expected = structure(beside)
    made.dispose()
    if database != "sqlite":
        postgres_cluster.drop(other)
    assert structure(connection) == expected


def test_migrating_again_changes_nothing(url):
    migrate(url)
    assert migrate(url) == (newest_revision(), newest_revision())


def test_a_difference_is_found(url, connection):
    migrate(url)
    connection.execute(text("ALTER TABLE notice ADD COLUMN colour VARCHAR"))
    connection.execute(text("DROP INDEX ix_job_queue"))
    found = [each[0] for each in differences(connection)]
    assert sorted(found) == ["add_index", "remove_column"]


def test_every_module_with_a_table_is_known():
    files = [path for path in (ROOT / "domain").rglob("*.py") if re.search(r"^class .*table=True", path.read_text("utf-8"), re.MULTILINE)]
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files}
    listed = set(re.findall(r"^import (\S+)", (ROOT / "domain" / "schema.py").read_text("utf-8"), re.MULTILINE))
    assert modules - listed == set()


def test_the_start_says_what_the_database_lacks(url, settings):
    here = replace(settings, database_url=url)
    assert "portal migrate" in database_faults(here)[0]
    migrate(url)
    assert database_faults(here) == []


@pytest.mark.parametrize(("revision", "words"), [("0000_before", "先备份"), ("9999_later", "比本版本")])
def test_an_older_or_newer_database_is_refused(url, settings, connection, monkeypatch, revision, words):
    migrate(url)
    monkeypatch.setattr(migration, "known_revisions", lambda: {"0000_before", "0001_spine"})
    connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    connection.commit()
    [fault] = database_faults(replace(settings, database_url=url))
    assert words in fault


def test_a_database_that_cannot_be_reached_is_said_in_words(settings):
    here = replace(settings, database_url="postgresql+psycopg://nobody@127.0.0.1:9/none?connect_timeout=2")
    [fault] = database_faults(here)
    assert "不能连接" in fault and "DATABASE_URL" in fault


def test_the_head_of_a_trail_that_was_there_before_is_taken_over(url, connection):
    from alembic import command

    command.upgrade(migration._config(connection), "0001_spine")
    for number in (1, 2):
        connection.execute(text(
            "INSERT INTO audit_entry (id, at, person_name, command, subject, detail, previous, digest) "
            "VALUES (:id, '2026-01-01', '', 'x', 'x', '{}', '', :digest)"
        ), {"id": number, "digest": str(number) * 64})
    connection.commit()
    migrate(url)
    assert connection.execute(text("SELECT entry_count, entry_id, digest FROM audit_head")).one() == (2, 2, "2" * 64)


KEPT_WORDS = {
    "sqlite": ("INSERT INTO case_search (rowid, words) VALUES (:id, :kept)",
               "SELECT rowid FROM case_search WHERE case_search MATCH :asked ORDER BY rowid",
               {'"给水"': [3, 7], '"给水 水管"': [7], '"gx 1 给"': [7]}),
    "postgresql": ("INSERT INTO case_search (case_id, words) VALUES (:id, to_tsvector('simple', :kept))",
                   "SELECT case_id FROM case_search WHERE words @@ to_tsquery('simple', :asked) ORDER BY case_id",
                   {"给 <-> 水": [3, 7], "给 <-> 水 <-> 管": [7], "gx <-> 1 <-> 给": [7]}),
}  # fmt: skip
"""How words are kept and asked for before pairs (SQLite) and still (PostgreSQL, which keeps the places of words)."""


def test_words_that_were_kept_before_are_found_after(url, connection, database):
    from alembic import command

    put, asked, expected = KEPT_WORDS[database]
    command.upgrade(migration._config(connection), "0005_rule_editions")
    for case_id, kept in [(7, "gx 1 给 水 管"), (3, "给 水 3 水 管"), (12, "")]:
        connection.execute(text(put), {"id": case_id, "kept": kept})
    connection.commit()
    migrate(url)
    assert {each: connection.execute(text(asked), {"asked": each}).scalars().all() for each in expected} == expected
    assert connection.execute(text("SELECT count(*) FROM case_search")).scalar() == 3


def test_features_that_were_there_before_are_found_by_their_words_after(url, connection):
    from alembic import command

    command.upgrade(migration._config(connection), "0016_sketches")
    layer = "INSERT INTO layer (id, key, title, is_generated, created_at) VALUES (1, 'land_use', '土地利用现状', false, '2026-01-01 00:00:00')"
    feature = (
        "INSERT INTO feature (id, layer_id, key, district_code, class_code, status, area_m2, attributes, geometry, west, south, east, north, from_number)"
        " VALUES (:id, 1, :key, '310118', '0101', '', 1, :attributes, :geometry, 0, 0, 1, 1, 1)"
    )
    shape = ewkb(shapely.MultiPolygon([shapely.box(0, 0, 1, 1)]))
    geometry = shape if connection.dialect.name == "sqlite" else shape.hex()
    connection.execute(text(layer))
    for number, kept in ((1, {"class_name": "水田", "class_area_m2": "12.50", "data_year": 2025, "description": None}), (2, {"class_name": "Dry", "patch_number": "DL-2"})):
        connection.execute(text(feature), {"id": number, "key": f"DL-{number}", "attributes": json.dumps(kept, ensure_ascii=False), "geometry": geometry})
    connection.commit()
    migrate(url)
    assert connection.execute(text("SELECT words FROM feature ORDER BY id")).scalars().all() == ["dl-1\n水田", "dl-2\ndry"]
