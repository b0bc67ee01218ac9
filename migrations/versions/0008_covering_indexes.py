"""Indexes that answer by themselves whose hands a case went through and what lies in the pool; pairs in the full text."""

import itertools
import re
from collections.abc import Iterator

from alembic import op
from sqlalchemy import Connection, text

revision = "0008_covering_indexes"
down_revision = "0007_time"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_case_creator": ("case_file", ["created_by", "id", "status"]),
    "ix_task_queue": ("task", ["status", "role", "district_code", "reserved_for", "case_id"]),
    "ix_task_assignee": ("task", ["assignee_id", "status", "case_id"]),
    "ix_task_reserved": ("task", ["reserved_for", "status", "case_id"]),
    "ix_task_done_by": ("task", ["done_by", "case_id", "status"]),
}


PAIR = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]{2}")
NO_PAIR = "\ue000"
BATCH = 5_000


def upgrade() -> None:
    for name, (table, columns) in INDEXES.items():
        op.drop_index(name, table)
        op.create_index(name, table, columns)
    if op.get_bind().dialect.name == "sqlite":
        _keep_pairs(op.get_bind())


def _keep_pairs(connection: Connection) -> None:
    """Write the full text of every case anew, with its pairs of Chinese characters."""
    connection.exec_driver_sql("CREATE TEMP TABLE case_search_before AS SELECT rowid AS id, words FROM case_search")
    connection.exec_driver_sql("DROP TABLE case_search")
    connection.exec_driver_sql("CREATE VIRTUAL TABLE case_search USING fts5(words, tokenize='unicode61')")
    for batch in _texts(connection):
        statement = text("INSERT INTO case_search (rowid, words) VALUES (:id, :words)")
        connection.execute(statement, [{"id": case_id, "words": _with_pairs(words)} for case_id, words in batch])
    connection.exec_driver_sql("DROP TABLE case_search_before")
    connection.exec_driver_sql("INSERT INTO case_search (case_search) VALUES ('optimize')")


def _texts(connection: Connection) -> Iterator[list[tuple[int, str]]]:
    statement = text("SELECT id, words FROM case_search_before WHERE rowid > :place ORDER BY rowid LIMIT :batch")
    place = 0
    while batch := [(row[0], row[1]) for row in connection.execute(statement, {"place": place, "batch": BATCH})]:
        yield batch
        place += len(batch)


def _with_pairs(words: str) -> str:
    tokens = words.partition(NO_PAIR)[0].split()
    both = (one + other for one, other in itertools.pairwise(tokens))
    return " ".join([*tokens, NO_PAIR, *(pair if PAIR.fullmatch(pair) else NO_PAIR for pair in both)])
