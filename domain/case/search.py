"""Full text of a case: one character a token for Chinese, a phrase per word asked, the same on both databases.

Trigrams find no word of two characters, so they are not used. SQLite also keeps every two neighbouring characters as a
token: most words asked have two or three, and to find a phrase costs several times as much as to find a token.
"""

import itertools
import re

from sqlalchemy import DDL, ColumnElement, event, text
from sqlmodel import Session, col

from domain.case import scope
from domain.case.tables import Case

_CHARACTER = r"[\u3400-\u9fff\U00020000-\U0003ffff]"
_TOKEN = re.compile(_CHARACTER + r"|[0-9A-Za-z]+")
_PAIR = re.compile(_CHARACTER + "{2}")
_NO_PAIR = "\ue000"
"""Holds the place of two neighbours that are no pair, so that a phrase of pairs never reaches over them; nobody types it."""
MOST_TOKENS = 2000
MOST_FOUND = 20_000
_FOUND = "cases found by words"

event.listen(
    Case.__table__,
    "after_create",
    DDL("CREATE VIRTUAL TABLE case_search USING fts5(words, tokenize='unicode61')").execute_if(dialect="sqlite"),
)
event.listen(
    Case.__table__, "before_drop", DDL("DROP TABLE IF EXISTS case_search").execute_if(dialect=("sqlite", "postgresql"))
)
event.listen(
    Case.__table__,
    "after_create",
    DDL("CREATE TABLE case_search (case_id bigint PRIMARY KEY, words tsvector NOT NULL)").execute_if(dialect="postgresql"),
)
event.listen(
    Case.__table__,
    "after_create",
    DDL("CREATE INDEX ix_case_search_words ON case_search USING gin (words)").execute_if(dialect="postgresql"),
)


def tokens(words: str) -> list[str]:
    """The tokens of a text: every Chinese character by itself, Latin words and numbers whole, in lower case."""
    return [token.lower() for token in _TOKEN.findall(words)][:MOST_TOKENS]


def write(session: Session, case_id: int, words: str) -> None:
    """Replace the searchable text of a case."""
    remove(session, case_id)
    found = tokens(words)
    if session.get_bind().dialect.name == "sqlite":
        statement = text("INSERT INTO case_search (rowid, words) VALUES (:id, :words)")
        session.execute(statement, {"id": case_id, "words": stored(found)})
    else:
        statement = text("INSERT INTO case_search (case_id, words) VALUES (:id, CAST(:words AS tsvector))")
        session.execute(statement, {"id": case_id, "words": vector(found)})


def stored(found: list[str]) -> str:
    """The tokens as SQLite keeps them: one by one, then in pairs."""
    return " ".join([*found, _NO_PAIR, *_pairs(found)])


def _pairs(found: list[str]) -> list[str]:
    both = (one + other for one, other in itertools.pairwise(found))
    return [pair if _PAIR.fullmatch(pair) else _NO_PAIR for pair in both]


def vector(found: list[str]) -> str:
    """A tsvector literal with positions, so that phrases can be asked for."""
    places: dict[str, list[int]] = {}
    for place, token in enumerate(found, 1):
        places.setdefault(token, []).append(place)
    return " ".join(f"'{token}':{','.join(map(str, at[:200]))}" for token, at in places.items())


def remove(session: Session, case_id: int) -> None:
    """Forget the searchable text of a case."""
    key = "rowid" if session.get_bind().dialect.name == "sqlite" else "case_id"
    session.execute(text(f"DELETE FROM case_search WHERE {key} = :id"), {"id": case_id})


def matches(session: Session, asked: str) -> ColumnElement[bool] | None:
    """The condition on Case that every word of the query occurs; None for a query without a token."""
    phrases = [found for word in asked.split()[:8] if (found := tokens(word))]
    if not phrases:
        return None
    if session.get_bind().dialect.name == "sqlite":
        return _found(session, " AND ".join('"' + " ".join(_shortest(phrase)) + '"' for phrase in phrases))
    query = " & ".join("(" + " <-> ".join(f"'{token}'" for token in phrase) + ")" for phrase in phrases)
    found = text("SELECT case_id FROM case_search WHERE words @@ CAST(:asked AS tsquery)").bindparams(asked=query)
    return col(Case.id).in_(found.columns(col(Case.id)))


def _shortest(phrase: list[str]) -> list[str]:
    """The phrase in pairs, where it is of Chinese characters alone."""
    pairs = _pairs(phrase)
    return pairs if pairs and _NO_PAIR not in pairs else phrase


def _found(session: Session, query: str) -> ColumnElement[bool]:
    """The condition on SQLite: by the cases found, looked up once a session, unless they are very many.

    Rows and counts of a list ask for the same words, and to find them costs more than all the rest of the list.
    """
    known = {} if scope.is_writing(session) else session.info.setdefault(_FOUND, {})
    if query not in known:
        known[query] = _looked_up(session, query)
    if known[query] is None:
        found = text("SELECT rowid FROM case_search WHERE case_search MATCH :asked").bindparams(asked=query)
    else:
        found = text("SELECT value FROM json_each(:found)").bindparams(found=known[query])
    return col(Case.id).in_(found.columns(col(Case.id)))


def _looked_up(session: Session, query: str) -> str | None:
    """The ids of the cases found, as one JSON list; None if they are very many.

    One row, because the threads of all requests stand in line for each row that is fetched.
    """
    statement = text(
        "SELECT count(*), json_group_array(id) FROM"
        " (SELECT rowid AS id FROM case_search WHERE case_search MATCH :asked LIMIT :most)"
    )
    count, ids = session.execute(statement, {"asked": query, "most": MOST_FOUND + 1}).one()
    return ids if count <= MOST_FOUND else None
