"""Asking the rules about a case: gather the facts, ask the book, store the decision with its reasons."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from domain import portal_clock
from domain.actor import Actor
from domain.case import filled_form
from domain.case.definition import case_type_of
from domain.case.tables import Case, StoredDecision, Task
from domain.command import Work
from domain.decision_subject import START
from domain.errors import Refused
from domain.facts import PROVIDERS, Ask, FactProvider
from domain.office import office_of
from rules.engine import Decision, RuleBook, RuleError, RuleSetMissing

log = logging.getLogger(__name__)
ENGINE_FAULTS = (ArithmeticError, LookupError, TypeError, ValueError, RecursionError, SystemError)
"""What a fault of the engine itself shows as; a RuleError is an answer of the engine, with its reason."""

REFUSING = frozenset({"deny", "stop", "refuse", "error", "undetermined"})
"""Outcomes of gates that stop a case."""


class DecisionFailed(RuleError):
    """The engine itself failed: the case stops, and the reason is said."""


Gathered = Mapping[str, Mapping[str, Any]]
"""What outside providers answered before the transaction, by provider name."""


def rules_moment(session: Session, case: Case) -> datetime:
    """The moment whose rule editions hold for a case: when it was filed; now for a draft.

    Not the day: two publications within one must not move the cases filed between them.
    """
    return case.submitted_at or portal_clock.now(session)


def gather_outside(session: Session, actor: Actor, case: Case, rule_sets: Iterable[str], names: Iterable[str] = ()) -> Gathered:
    """Ask the outside providers that these rule sets (and named providers) need; call it without a transaction.

    Raises OutsideSystemDown when a partner does not answer: a gate never opens on a fact that is not there.
    """
    wanted = {provider.name: provider for provider in _providers_for(session, case, rule_sets) if provider.is_outside}
    wanted |= {name: PROVIDERS[name] for name in names if PROVIDERS[name].is_outside}
    ask = ask_about(session, actor, case)
    return {name: dict(provider.get(ask)) for name, provider in wanted.items()}


def asks_outside(session: Session, case: Case, rule_sets: Iterable[str]) -> bool:
    """True if a partner must be asked before these rule sets can be answered in full."""
    return any(provider.is_outside for provider in _providers_for(session, case, rule_sets))


def ask_about(session: Session, actor: Actor, case: Case, task: Task | None = None) -> Ask:
    """What a provider may look at for this case."""
    return Ask(session, case, case.values, portal_clock.today(session), office_of(session), actor, task)


def decide(
    session: Session,
    actor: Actor,
    case: Case,
    rule_set: str,
    *,
    task: Task | None = None,
    gathered: Gathered | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Decision:
    """Ask one rule set about a case, in the edition the case goes by, as of today; stores nothing."""
    try:
        return _decided(session, actor, case, rule_set, task, gathered, extra)
    except RuleError as error:
        error.rule_set = rule_set
        raise


def _decided(
    session: Session,
    actor: Actor,
    case: Case,
    rule_set: str,
    task: Task | None,
    gathered: Gathered | None,
    extra: Mapping[str, Any] | None,
) -> Decision:
    book, filed_at = office_of(session).book, rules_moment(session, case)
    kind = kind_of(book, rule_set)
    edition = book.rule_set(kind, rule_set, filed_at)
    known = {**facts_for(session, actor, case, [rule_set], task=task, gathered=gathered), **(extra or {})}
    read = {name: known.get(name) for name in edition.facts}
    today = portal_clock.today(session)
    try:
        return book.decide_edition(edition.digest, read, on=today, subject=f"case:{case.id}")
    except ENGINE_FAULTS as error:
        log.exception("the engine failed on %s", rule_set)
        raise DecisionFailed(f"「{edition.title}」判断时引擎出错（{type(error).__name__}），没有结论，不放行") from error


def kind_of(book: RuleBook, rule_set: str) -> str:
    """The kind of a rule set; keys are unique over all kinds."""
    known = book.keys()
    found = next((kind for kind, key in known if key == rule_set), None)
    if found is None:
        raise RuleSetMissing(f"没有键为 {rule_set} 的规则集，不能判断。请规则维护人员检查规则文件的错误清单")
    return found


def refuses(decision: Decision) -> bool:
    """True if a gate's answer does not let a case pass; what cannot be told never passes."""
    return decision.outcome in REFUSING


def facts_for(
    session: Session,
    actor: Actor,
    case: Case,
    rule_sets: Iterable[str],
    *,
    task: Task | None = None,
    gathered: Gathered | None = None,
) -> dict[str, Any]:
    """Every fact the rule sets read that the case, its form or a provider can give."""
    facts = filled_form.facts(session, case)
    stated = {name: facts.get(name) for name in _stated(session, case)}
    ask = ask_about(session, actor, case, task)
    for provider in _providers_for(session, case, rule_sets):
        if provider.is_outside:
            facts |= (gathered or {}).get(provider.name, {})
        else:
            facts |= provider.get(ask)
    return facts | stated


def _providers_for(session: Session, case: Case, rule_sets: Iterable[str]) -> list[FactProvider]:
    book, on = office_of(session).book, rules_moment(session, case)
    read = {name for key in rule_sets for name in book.facts_of(kind_of(book, key), key, on)}
    wanted = read - _stated(session, case)
    return [provider for provider in PROVIDERS.values() if wanted & set(provider.gives)]


def _stated(session: Session, case: Case) -> set[str]:
    """What people state on the form is taken from the form; only a computed field is asked for anew."""
    fields = case_type_of(session, case).form.fields()
    return {field.key for field in fields if field.computed is None and not field.is_repeated}


def store(work: Work, case: Case | None, decision: Decision, moment: str, task: Task | None = None) -> StoredDecision:
    """Keep a decision with the case, in the transaction of the step that asked."""
    document = decision.to_json()
    stored = StoredDecision(
        case_id=case.id if case else None,
        task_id=task.id if task else None,
        subject=decision.subject or (f"case:{case.id}" if case else ""),
        moment=moment,
        kind=decision.kind,
        rule_set=decision.key,
        edition=decision.edition["from"] or "",
        digest=decision.digest,
        outcome=decision.outcome,
        message=decision.message,
        decided_on=decision.on,
        at=work.at,
        person_id=work.actor.person_id,
        document=document,
    )
    work.session.add(stored)
    return stored


def pass_gates(
    work: Work,
    case: Case,
    rule_sets: Iterable[str],
    moment: str,
    *,
    task: Task | None = None,
    gathered: Gathered | None = None,
) -> list[Decision]:
    """Ask the gates and keep their answers; raise Refused with every reason if one does not let the case pass.

    Then the answers are kept all the same, after the roll-back: a refusal is what people ask about later.
    """
    decisions = [
        decide(work.session, work.actor, case, rule_set, task=task, gathered=gathered) for rule_set in rule_sets
    ]
    if refusals := tuple(decision for decision in decisions if refuses(decision)):
        asked = _Asked(case.id, task.id if task else None, case.district_code or "", moment)
        work.when_refused(lambda beside: _keep_refused(beside, asked, decisions))
        raise Refused("；".join(decision.message for decision in refusals), refusals)
    for decision in decisions:
        store(work, case, decision, moment, task)
    return decisions


class _Asked(NamedTuple):
    """What gates were asked about, in plain values: rows do not outlive a roll-back."""

    case_id: int
    task_id: int | None
    district_code: str
    moment: str


def _keep_refused(work: Work, asked: _Asked, decisions: Iterable[Decision]) -> None:
    """Keep the answers of gates that refused; of a case that was not opened only where it would have lain.

    The number of a case that was not opened goes to the next one, so nothing may be kept under it.
    """
    case = work.session.get(Case, asked.case_id)
    task = work.session.get(Task, asked.task_id) if case is not None and asked.task_id is not None else None
    for decision in decisions:
        stored = store(work, case, decision, asked.moment, task)
        if case is None:
            stored.subject = f"{START}:{asked.district_code}"
            stored.document = {**stored.document, "subject": stored.subject}
        subject = f"case:{case.id}" if case is not None else stored.subject
        work.record(subject, rule_set=decision.key, outcome=decision.outcome, digest=decision.digest)


def again(session: Session, stored: StoredDecision) -> Decision:
    """A stored decision made once more: on the facts it took, as of its day, in the edition that gave it.

    Raises EditionUnknown where that edition is not on record.
    """
    facts = stored.document["facts"]
    book, subject = office_of(session).book, stored.document["subject"]
    return book.decide_edition(stored.digest, facts, on=stored.decided_on, subject=subject)


def decisions_of(session: Session, case_id: int) -> list[StoredDecision]:
    """All decisions kept with a case, newest first."""
    statement = select(StoredDecision).where(StoredDecision.case_id == case_id).order_by(col(StoredDecision.id).desc())
    return list(session.exec(statement).all())
