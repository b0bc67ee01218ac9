"""The kept database: after any test the next one finds what it would find in a new copy."""

import os
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.kept_database import LARGE_BYTES, KeptDatabase, connected
from tests.postgres import PostgresCluster

TABLES = """
    CREATE TABLE city (id bigserial PRIMARY KEY, name text NOT NULL);
    CREATE TABLE plot (id bigserial PRIMARY KEY, city_id bigint NOT NULL REFERENCES city, words text);
    CREATE TABLE mark (id int PRIMARY KEY, place int);
    INSERT INTO city (name) VALUES ('上海');
    INSERT INTO mark VALUES (1, 0);
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'kept for ever'; END $$;
    CREATE TRIGGER nothing_goes BEFORE DELETE ON plot FOR EACH ROW EXECUTE FUNCTION refuse();
"""


@pytest.fixture(scope="module")
def template(postgres_cluster: PostgresCluster) -> str:
    def fill(url: str) -> None:
        with connected(url) as connection:
            connection.execute(TABLES)

    return postgres_cluster.prepare_template(f"kept_of_{os.getpid()}", fill)


@pytest.fixture
def kept(postgres_cluster: PostgresCluster, template: str) -> Iterator[KeptDatabase]:
    made = KeptDatabase(postgres_cluster, template)
    yield made
    made.drop()


def content(url: str) -> dict[str, list[tuple]]:
    """Every row of every table, and where every sequence stands."""
    with connected(url) as connection:
        names = [name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        found = {name: connection.execute(sql.SQL("SELECT * FROM {} ORDER BY 1").format(sql.Identifier(name))).fetchall() for name in names}
        return found | {"sequences": connection.execute("SELECT sequencename, last_value FROM pg_sequences ORDER BY 1").fetchall()}


def test_rows_keys_and_sequences_are_put_back_as_the_template_has_them(kept: KeptDatabase) -> None:
    first = kept.lend()
    before = content(first)
    with connected(first) as connection:
        connection.execute("INSERT INTO city (name) VALUES ('青浦'), ('嘉定')")
        connection.execute("INSERT INTO plot (city_id, words) SELECT 2, repeat('地', 100) FROM generate_series(1, 500)")
        connection.execute("UPDATE mark SET place = 9")
        connection.execute("DELETE FROM city WHERE id = 1")
        assert connection.execute("SELECT pg_relation_size('plot')").fetchone()[0] > LARGE_BYTES
    kept.take_back()
    second = kept.lend()
    assert content(second) == before and before["city"] == [(1, "上海")]
    with connected(second) as connection:
        assert connection.execute("SELECT pg_relation_size('plot')").fetchone() == (0,)
        assert connection.execute("INSERT INTO plot (city_id) VALUES (1) RETURNING id").fetchone() == (1,)
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute("INSERT INTO plot (city_id) VALUES (2)")
        with pytest.raises(psycopg.errors.RaiseException, match="kept for ever"):
            connection.execute("DELETE FROM plot")


def test_what_a_test_left_running_finds_its_database_gone(kept: KeptDatabase) -> None:
    first = kept.lend()
    with connected(first) as left_open:
        left_open.execute("BEGIN")
        left_open.execute("INSERT INTO city (name) VALUES ('未提交')")
        kept.take_back()
        with pytest.raises(psycopg.OperationalError):
            left_open.execute("COMMIT")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connected(first)
    assert [name for _, name in content(kept.lend())["city"]] == ["上海"]


@pytest.mark.parametrize("change", [
    "CREATE TABLE more (id int)",
    "ALTER TABLE mark ADD COLUMN more int",
    "ALTER TABLE mark ALTER COLUMN place SET DEFAULT 3",
    "ALTER TABLE plot DROP CONSTRAINT plot_city_id_fkey",
    "ALTER TABLE plot DISABLE TRIGGER nothing_goes",
    "DROP TRIGGER nothing_goes ON plot",
    "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$",
    "CREATE INDEX plot_words ON plot (words)",
    "CREATE SCHEMA more",
])  # fmt: skip
def test_another_structure_costs_the_next_test_a_new_copy(kept: KeptDatabase, change: str) -> None:
    with connected(kept.lend()) as connection:
        made = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
        connection.execute(change)
    kept.take_back()
    with connected(kept.lend()) as connection:
        assert connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone() != made


def test_the_same_structure_is_the_same_database(kept: KeptDatabase) -> None:
    found = set()
    for _ in range(3):
        with connected(kept.lend()) as connection:
            connection.execute("INSERT INTO city (name) VALUES ('青浦')")
            found |= set(connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchall())
        kept.take_back()
    assert len(found) == 1
