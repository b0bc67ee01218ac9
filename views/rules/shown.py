"""One rule set in one edition, found for a page: the rules, their record, and the head above its tabs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session
from starlette.requests import Request

from domain.case.words import words
from domain.decision import kind_of
from domain.errors import NotFound
from domain.office import office_of
from domain.rule_edition import draft, store
from domain.rule_edition.tables import IN_FORCE, RuleDraft, RuleEdition
from domain.rule_workbench.usage import edition_on
from rules.engine import RuleBook, RuleSet, Unread, read_content, read_text
from rules.engine.note import Known
from views import page
from views.case_list import portal_today
from views.rules import frame
from views.rules.wording import wording


@dataclass(frozen=True)
class Shown:
    """The rules in an edition, its record (None: read from a file and not recorded yet), all records, the open draft."""

    rules: RuleSet
    record: RuleEdition | None
    records: Sequence[RuleEdition]
    draft: RuleDraft | None
    today: Any


@dataclass(frozen=True)
class RuleHead:
    """What templates/rules/_head.html reads."""

    title: str
    key: str
    kind_label: str
    asked_on: tuple[str, ...]
    edition: str
    state: str
    state_tone: str
    tabs: tuple[frame.Row, ...]
    draft: RuleDraft | None
    draft_words: str
    may_edit: bool
    is_demo: bool


def find(request: Request, session: Session) -> Shown:
    """The rule set of the path, in the edition of the query or the one in force. Raises NotFound."""
    book, key, today = office_of(session).book, request.path_params["key"], portal_today(request)
    if key not in {each for _kind, each in book.keys()}:  # noqa: SIM118
        raise NotFound("没有这套规则。请从规则列表中选择。")
    kind = kind_of(book, key)
    records = store.editions_of(session, kind, key)
    rules = _wanted(book, kind, key, request.query_params.get("edition", ""), today, records)
    return Shown(rules, _record(records, rules), records, draft.unfinished_draft(session, kind, key, rules.edition.demo), today)


def _wanted(book: RuleBook, kind: str, key: str, digest: str, today: Any, records: Sequence[RuleEdition]) -> RuleSet:
    if not digest:
        return edition_on(book, kind, key, today)
    for rules in book.editions(kind, key):
        if rules.digest == digest:
            return rules
    for row in records:
        if row.digest == digest:
            return read_record(row, book.known)
    raise NotFound("没有这个版本的规则。请从版本列表中选择。")


def read_record(row: RuleEdition, known: Known) -> RuleSet:
    """The rules of a record with their golden cases; of a text that cannot be read any more, what decided, without them."""
    try:
        return read_text(row.text, row.key, known)
    except Unread:
        return read_content(row.content, known)


def _record(records: Sequence[RuleEdition], rules: RuleSet) -> RuleEdition | None:
    """The record in force of these rules, else the newest one of them."""
    same = [row for row in records if row.digest == rules.digest]
    return next((row for row in same if row.state == IN_FORCE), same[0] if same else None)


def head(request: Request, shown: Shown, tab: str) -> RuleHead:
    """Title, tabs and draft of the rule set."""
    rules, record = shown.rules, shown.record
    state = record.state if record else IN_FORCE
    return RuleHead(
        title=rules.title, key=rules.key, kind_label=rules.kind.label,
        asked_on=tuple(words("asked_on").get(each, each) for each in rules.asked_on),
        edition=frame.edition_words(rules), state=wording("edition_states")[state], state_tone=wording("edition_tones")[state],
        tabs=tuple(_tabs(request, rules, tab)), draft=shown.draft,
        draft_words=wording("draft_states")[shown.draft.state] if shown.draft else "",
        may_edit=frame.keeps_rules(page.actor(request)), is_demo=rules.edition.demo,
    )  # fmt: skip


def _tabs(request: Request, rules: RuleSet, current: str) -> list[frame.Row]:
    counts = {"parameters": len(rules.parameters), "cases": len(rules.cases)}
    query = {"edition": request.query_params.get("edition") or None}
    return [
        {"label": label, "href": frame.address(request, "rule_tab", query, key=rules.key, tab=tab) if tab else frame.address(request, "rule", query, key=rules.key),
         "is_current": tab == current, "count": counts.get(tab)}
        for tab, label in wording("tabs").items()
    ]  # fmt: skip
