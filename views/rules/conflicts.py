"""Rule files beside the published editions: files with faults, editions not written yet, conflicts with a choice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain.errors import Conflict, InvalidData, Refused
from domain.office import office_of
from domain.rule_edition import conflict, file_writing, files, store
from domain.rule_edition.files import FileFault
from domain.rule_edition.tables import OPEN, RuleConflict, RuleEdition
from rules.engine import difference
from views import page, posted
from views.posted import FieldFault, faults_of
from views.rules import editions, frame, shown
from views.rules.wording import wording
from views.shell import Crumb, Link

MOST_SETTLED = 50


@dataclass(frozen=True)
class FilesPage:
    """What templates/rules/files.html reads."""

    conflicts: tuple[RuleConflict, ...]
    faults: tuple[FileFault, ...]
    pending: tuple[RuleEdition, ...]
    settled: tuple[RuleConflict, ...]
    states: Any


@dataclass(frozen=True)
class ConflictPage:
    """What templates/rules/conflict.html reads; `sentences` is None while the file cannot be read."""

    row: RuleConflict
    published: RuleEdition
    sentences: tuple[Any, ...] | None
    reasons: tuple[str, ...]
    file_lines: tuple[str, ...]
    published_lines: tuple[str, ...]
    is_open: bool
    state: str
    why: str
    errors: tuple[FieldFault, ...]


def list_files(request: Request) -> Response:
    """What does not stand as it should between files and records."""
    with page.reading(request) as session:
        context = FilesPage(
            tuple(conflict.conflicts(session)), tuple(files.faults(session)), tuple(file_writing.pending(session)),
            tuple(conflict.conflicts(session, is_open=False)[:MOST_SETTLED]), wording("conflict_states"),
        )  # fmt: skip
    return frame.render(request, "rules/files.html", context, title="规则文件", trail=(Crumb("规则文件"),))


def show(request: Request) -> Response:
    """Both sides of a conflict."""
    return _page(request)


def _page(request: Request, error: Conflict | InvalidData | Refused | None = None) -> Response:
    with page.reading(request) as session:
        row = conflict.conflict(session, request.path_params["conflict_id"])
        published = store.edition(session, row.edition_id)
        found = conflict.examine(session, row)
        known = office_of(session).book.known
    sentences = None
    if found.rules is not None:
        sentences = editions.sentences_of(difference(shown.read_record(published, known), found.rules))
    errors = () if error is None else faults_of(error) if isinstance(error, InvalidData) else (FieldFault("", error.message),)
    context = ConflictPage(
        row, published, sentences, tuple(found.reasons) if row.file_digest else (), tuple(row.file_text.splitlines()),
        tuple(published.text.splitlines()), row.state == OPEN, wording("conflict_states")[row.state],
        posted.given_texts(request)["why"], errors,
    )  # fmt: skip
    trail = (Crumb("规则文件", Link("rule_files", "规则文件")), Crumb(published.title))
    return frame.render(request, "rules/conflict.html", context, title=f"文件冲突：{published.title}", trail=trail, status=error.status if error else 200)


def take_file(request: Request) -> Response:
    """Put the file's text in force."""
    with page.reading(request) as session:
        found = conflict.examine(session, conflict.conflict(session, request.path_params["conflict_id"]))
    return _settled(request, lambda session, number: conflict.take_file(session, page.actor(request), number, found, posted.text(request, "why")))


def keep_published(request: Request) -> Response:
    """Keep what is published; the file's text stays in the history."""
    return _settled(request, lambda session, number: conflict.keep_published(session, page.actor(request), number, posted.text(request, "why")))


def _settled(request: Request, act: Callable[[Session, int], Any]) -> Response:
    try:
        with page.writing(request) as session:
            act(session, request.path_params["conflict_id"])
    except (InvalidData, Refused, Conflict) as error:
        return _page(request, error)
    return page.redirect(request, "rule_files", query={"done": "settled"})
