"""Use of the rules: where a set is asked, how often and with which answers, and which editions decided a project."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session, col, exists, func, or_, select

from domain import portal_clock
from domain.actor import Actor
from domain.case.tables import Case, CaseIndex, StoredDecision
from domain.decision import REFUSING, kind_of
from domain.district import district_name
from domain.office import Office, office_of
from domain.rule_edition.history import Page, editions_of_cases
from domain.rule_workbench.scope import seen
from domain.rule_workbench.tally import Answered, RuleTally, counted, outcomes_in, since_mark
from rules.case_type import CaseType
from rules.engine import NoEditionInForce, RuleBook, RuleSet
from rules.engine.kind import UNDETERMINED

PROJECT_FIELDS = ("project_code", "project_name")
LOOK_ROWS = 200
"""Cases of an edition looked at in one go, until the page is full."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a set answered as it did: the deciding rule, or the facts that were missing."""

    key: str
    label: str
    outcome: str
    outcome_word: str
    count: int


@dataclass(frozen=True, slots=True)
class DistrictUse:
    """The counts of one district; without code where the decisions name none."""

    code: str
    label: str
    asked: int
    refused: int
    undetermined: int


@dataclass(frozen=True, slots=True)
class MonthUse:
    """The counts of one month, YYYY-MM."""

    month: str
    asked: int
    refused: int
    undetermined: int


@dataclass(frozen=True, slots=True)
class Use:
    """How a rule set was asked in a month: `refused` counts answers that stop a case, what cannot be told apart from them."""

    month: str
    asked: int
    refused: int
    undetermined: int
    reasons: tuple[Reason, ...]
    """Most frequent first; those that stop a case before the others."""
    districts: tuple[DistrictUse, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """One place at which a case type asks a rule set; `step` is the key of a step, empty where it is not asked at one."""

    case_type: str
    title: str
    group: str
    place: str
    """start | step | action | route | document | clock | field | light"""
    step: str
    label: str


@dataclass(frozen=True, slots=True)
class SetQuery:
    """What a search of the library is narrowed to; empty means all. `words` must all be found somewhere in a set."""

    words: str = ""
    kind: str = ""
    fact: str = ""
    parameter: str = ""
    group: str = ""
    """Heading of the hall under which the case types stand."""
    case_type: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True)
class CasePage:
    """One page of (Case, its newest decision by the edition), the newest case first; `next` is what to ask before."""

    rows: tuple[tuple[Case, StoredDecision], ...]
    next: int | None


def cases_of_edition(session: Session, actor: Actor, digest: str, before: int | None = None, size: int = 50) -> CasePage:
    """The cases that an edition decided, each with its newest decision by it, by keyset. Rule maintainers see the whole city."""
    rows: list[tuple[Case, StoredDecision]] = []
    while len(rows) <= size and (newest := _newest_by(session, digest, before)):
        joined = select(Case, StoredDecision).join(StoredDecision, StoredDecision.case_id == Case.id)
        wanted = joined.where(seen(actor), col(StoredDecision.id).in_(each for each, _case_id in newest))
        rows += session.exec(wanted.order_by(col(Case.id).desc())).all()
        before = newest[-1][1]
    return CasePage(tuple(rows[:size]), rows[size - 1][0].id if len(rows) > size else None)


def _newest_by(session: Session, digest: str, before: int | None) -> list[tuple[int, int]]:
    """(newest decision, case) of the next cases that an edition decided, the newest first; read along the index."""
    case_id = col(StoredDecision.case_id)
    statement = select(func.max(StoredDecision.id), case_id).where(StoredDecision.digest == digest, case_id.is_not(None))
    if before is not None:
        statement = statement.where(case_id < before)
    return session.exec(statement.group_by(case_id).order_by(case_id.desc()).limit(LOOK_ROWS)).all()


def of_month(session: Session, key: str, month: str | None = None) -> Use:
    """How often a set was asked in a month (the present one), with which answers, for which reasons and where."""
    month = month or f"{portal_clock.today(session):%Y-%m}"
    found = _answers(session, key, RuleTally.month == month)
    found = Counter({each: count for each, count in found.items() if each.month == month})
    sums = _sums(found, lambda each: "")[""]
    rules = office_of(session).book.editions(kind_of(office_of(session).book, key), key)
    return Use(month, *sums, tuple(_reasons(found, rules)), tuple(_districts(found)))


def of_all(session: Session, today: date) -> dict[str, MonthUse]:
    """The counts of every set that was asked in the month of a day, by key, in one question."""
    month = f"{today:%Y-%m}"
    return {key: MonthUse(month, *_totals(found)) for key, found in outcomes_in(session, today).items()}


def _totals(found: Counter[str]) -> tuple[int, int, int]:
    """(asked, refused, undetermined) of counts by outcome."""
    refused = sum(count for outcome, count in found.items() if outcome in REFUSING and outcome != UNDETERMINED)
    return found.total(), refused, found[UNDETERMINED]


def by_month(session: Session, key: str, months: int = 12) -> list[MonthUse]:
    """The counts of the last months, the present one last; months without a decision too."""
    wanted = _months(portal_clock.today(session), months)
    found = _answers(session, key, col(RuleTally.month) >= wanted[0])
    sums = _sums(found, lambda each: each.month)
    return [MonthUse(month, *sums.get(month, (0, 0, 0))) for month in wanted]


def by_edition(session: Session, key: str) -> dict[str, int]:
    """How many decisions each edition of a set gave, by digest."""
    found: Counter[str] = Counter()
    for each, count in _answers(session, key).items():
        found[each.digest] += count
    return dict(found)


def _answers(session: Session, key: str, *conditions: Any) -> Counter[Answered]:
    return counted(session, RuleTally.rule_set == key, *conditions) + since_mark(session, key)


def _months(today: date, count: int) -> list[str]:
    last = today.year * 12 + today.month - 1
    return [f"{number // 12}-{number % 12 + 1:02}" for number in range(last - count + 1, last + 1)]


def _sums(found: Counter[Answered], by: Callable[[Answered], str]) -> dict[str, tuple[int, int, int]]:
    """(asked, refused, undetermined) by what `by` says."""
    sums: dict[str, Counter[str]] = {"": Counter()}
    for each, count in found.items():
        sums.setdefault(by(each), Counter())[each.outcome] += count
    return {name: _totals(counts) for name, counts in sums.items()}


def _reasons(found: Counter[Answered], editions: Iterable[RuleSet]) -> Iterator[Reason]:
    editions = list(editions)
    counts: Counter[tuple[str, str]] = Counter()
    for each, count in found.items():
        counts[each.outcome, each.reason] += count
    kind = editions[-1].kind
    for (outcome, reason), count in sorted(counts.items(), key=lambda row: (row[0][0] not in REFUSING, -row[1])):
        yield Reason(reason, _label(outcome, reason, editions), outcome, kind.word(outcome), count)


def _label(outcome: str, reason: str, editions: list[RuleSet]) -> str:
    """The rule, or the missing facts, as the last edition that has them calls them."""
    if outcome == UNDETERMINED:
        names = {name: sort.label for rules in editions for name, sort in rules.names.items()}
        return "、".join(names.get(name, name) for name in reason.split(",") if name)
    labels = {rule.key: rule.label for rules in editions for rule in rules.rules}
    return labels.get(reason, reason)


def _districts(found: Counter[Answered]) -> Iterator[DistrictUse]:
    sums = _sums(found, lambda each: each.district_code)
    for code, row in sorted(sums.items()):
        if row[0]:
            yield DistrictUse(code, district_name(code) if code else "", *row)


def asked_at(office: Office, key: str, on: date) -> list[Asking]:
    """Every place at which the case types in force on a day ask a rule set."""
    return [asking for case_type in office.catalogue.all(on) for found, asking in _askings(case_type) if found == key]


def _askings(case_type: CaseType) -> Iterator[tuple[str, Asking]]:
    def at(place: str, label: str, step: str = "") -> Asking:
        return Asking(case_type.key, case_type.title, case_type.group, place, step, label)

    for key in case_type.asks_on_start:
        yield key, at("start", "")
    for clock in case_type.clocks:
        yield clock.light, at("light", clock.label)
    for document in case_type.documents:
        yield from ((key, at("document", document.label)) for key in document.needs)
    for field in case_type.form.fields():
        if field.same_rule:
            yield field.same_rule, at("field", field.label)
    for step in case_type.workflow.steps:
        yield from ((key, at("step", step.label, step.key)) for key in step.asks)
        for action in step.actions:
            label = f"{step.label}：{action.label}"
            yield from ((key, at("action", label, step.key)) for key in action.decides)
            if action.route is not None:
                yield action.route.ask, at("route", label, step.key)


def search(office: Office, query: SetQuery, on: date) -> list[RuleSet]:
    """The sets that fit, each in the edition in force on a day (else the last one), by kind and title."""
    places: dict[str, list[Asking]] = {}
    for case_type in office.catalogue.all(on):
        for key, asking in _askings(case_type):
            places.setdefault(key, []).append(asking)
    sets = [edition_on(office.book, kind, key, on) for kind, key in office.book.keys()]  # noqa: SIM118
    found = [rules for rules in sets if _fits(rules, query, places.get(rules.key, []))]
    return sorted(found, key=lambda rules: (rules.kind.label, rules.title))


def edition_on(book: RuleBook, kind: str, key: str, on: date) -> RuleSet:
    """The edition in force on a day; where there is none, the last one."""
    try:
        return book.rule_set(kind, key, on)
    except NoEditionInForce:
        return book.editions(kind, key)[-1]


def _fits(rules: RuleSet, query: SetQuery, places: list[Asking]) -> bool:
    asks_for_place = query.group or query.case_type or query.step
    is_there = any(
        query.group in ("", at.group) and query.case_type in ("", at.case_type) and query.step in ("", at.step) for at in places
    )
    return (
        query.kind in ("", rules.kind.key)
        and (not query.fact or _named(query.fact, rules.facts.values()))
        and (not query.parameter or _named(query.parameter, (one.declaration for one in rules.parameters.values())))
        and (not asks_for_place or is_there)
        and all(any(word in text for text in _texts(rules, places)) for word in query.words.lower().split())
    )


def _named(asked: str, declarations: Iterable[Any]) -> bool:
    """Whether one of the declarations has the key, or the words in its label or those of its columns."""
    together = [each for one in declarations for each in (one, *getattr(one, "columns", {}).values())]
    return any(asked == each.name or asked.lower() in each.label.lower() for each in together)


def _texts(rules: RuleSet, places: list[Asking]) -> Iterator[str]:
    """Everything a set says of itself in words, and the names of the case types that ask it; in lower case."""
    yield from (rules.title.lower(), rules.key)
    for rule in rules.rules:
        message = rule.message.text if rule.message is not None else ""
        yield from (rule.label.lower(), rule.basis.lower(), rule.key, message.lower())
    for name, declaration in rules.names.items():
        yield from (name, declaration.label.lower())
    for one in rules.parameters.values():
        yield one.basis.lower()
    yield from (at.title.lower() for at in places)


def of_project(session: Session, actor: Actor, words: str, first: int = 0, size: int = 20) -> Page:
    """(Case, [EditionUse]) of the cases of a project: by number, draft number, project code or the start of its name.

    Rule maintainers see the whole city, others their scope; the newest first. No case for empty words.
    """
    asked = words.strip()
    if not asked:
        return Page((), 0)
    indexed = exists().where(
        CaseIndex.case_id == Case.id, col(CaseIndex.field).in_(PROJECT_FIELDS),
        or_(CaseIndex.text_value == asked, col(CaseIndex.text_value).startswith(asked, autoescape=True)),
    )  # fmt: skip
    fits = or_(Case.number == asked, Case.draft_number == asked, indexed)
    statement = select(Case).where(seen(actor), fits, exists().where(StoredDecision.case_id == Case.id))
    total = session.exec(select(func.count()).select_from(statement.subquery())).one()
    cases = session.exec(statement.order_by(col(Case.id).desc()).offset(first).limit(size)).all()
    uses = editions_of_cases(session, [case.id for case in cases])
    return Page(tuple((case, uses[case.id]) for case in cases), total)


@dataclass(frozen=True, slots=True)
class Given:
    """The newest decision of an edition about a case: its id, kind of rule set and outcome."""

    decision: int
    kind: str
    outcome: str


def newest_given(session: Session, cases: Iterable[int]) -> dict[tuple[int, str, str], Given]:
    """By (case, rule set, digest): the newest decision about each of the cases, in one question.

    The caller has shown that the actor may see the cases.
    """
    of = (col(StoredDecision.case_id), col(StoredDecision.rule_set), col(StoredDecision.digest))
    newest = select(func.max(StoredDecision.id)).where(of[0].in_(list(cases))).group_by(*of)
    found = select(*of, StoredDecision.id, StoredDecision.kind, StoredDecision.outcome).where(col(StoredDecision.id).in_(newest))
    return {(case, key, digest): Given(*given) for case, key, digest, *given in session.execute(found)}
