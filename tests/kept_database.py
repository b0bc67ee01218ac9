"""A PostgreSQL database that a worker keeps: put back after each test, which takes a tenth of the time of a new copy.

Under a new name each time, so that what an earlier test left running finds its database gone, as if it had been dropped.
A test that changed tables, columns, functions or triggers costs the next one a new copy.
"""

from typing import Any

import psycopg
from psycopg import sql

from tests.postgres import PostgresCluster

LARGE_BYTES = 64 * 1024
"""A table that a test made larger than this is given back to the file system: scans read deleted rows too."""
_TABLES = """
    SELECT relname, pg_relation_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
"""
_SEQUENCES = "SELECT quote_ident(sequencename), last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
_CATALOGUES = ("pg_class", "pg_attribute", "pg_attrdef", "pg_constraint", "pg_trigger", "pg_proc", "pg_namespace")
_STRUCTURE = " UNION ALL ".join(f"SELECT count(*), max(xmin::text::bigint) FROM {name}" for name in _CATALOGUES)
"""How many there are and which transaction changed one last: every change of structure changes one of these."""


class KeptDatabase:
    """A copy of a template, lent to one test at a time."""

    def __init__(self, cluster: PostgresCluster, template: str) -> None:
        self._cluster, self._template = cluster, template
        self._url: str | None = None
        self._structure: list[Any] = []
        self._rows: dict[str, bytes] = {}
        self._sequences: list[Any] = []

    def lend(self) -> str:
        """The URL of a database exactly like the template."""
        if self._url is None:
            self._url = self._cluster.create_database(self._template)
            with connected(self._url) as connection:
                self._note(connection)
        return self._url

    def take_back(self) -> None:
        """End all connections and put everything back; where that cannot be, the next test gets a new copy."""
        assert self._url is not None, "nothing was lent"
        try:
            self._url = self._cluster.rename(self._url)
        except psycopg.errors.ObjectInUse:
            return self.drop()
        with connected(self._url) as connection:
            is_as_made = connection.execute(_STRUCTURE).fetchall() == self._structure
            if is_as_made:
                self._put_back(connection)
        if not is_as_made:
            self.drop()

    def drop(self) -> None:
        """Remove the database; the next loan makes a new one."""
        if self._url is not None:
            self._cluster.drop(self._url)
            self._url = None

    def _note(self, connection: psycopg.Connection) -> None:
        self._structure = connection.execute(_STRUCTURE).fetchall()
        self._sequences = connection.execute(_SEQUENCES).fetchall()
        for name, _ in connection.execute(_TABLES).fetchall():
            with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name))) as content:
                self._rows[name] = b"".join(content)

    def _put_back(self, connection: psycopg.Connection) -> None:
        """Rows and sequences as they were; keys and triggers are not asked while the tables are out of step."""
        used = connection.execute(_TABLES).fetchall()
        connection.execute("SET session_replication_role = replica")
        with connection.transaction():
            for name, _ in used:
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
            for name, content in self._rows.items():
                with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name))) as copied:
                    copied.write(content)
        connection.execute(f"SELECT setval(quoted, 1, false) FROM ({_SEQUENCES}) AS used (quoted, value)")
        for name, value in self._sequences:
            connection.execute("SELECT setval(%s, %s)", [name, value])
        for name in (name for name, size in used if size > LARGE_BYTES):
            connection.execute(sql.SQL("VACUUM {}").format(sql.Identifier(name)))


def connected(url: str) -> psycopg.Connection:
    """A connection to a database by its SQLAlchemy address, each statement on its own."""
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
