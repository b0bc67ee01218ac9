"""One stored decision: why it came out so, made again as of its day, what if, and as a golden case of a draft."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import decision
from domain.case.tables import StoredDecision
from domain.errors import InvalidData
from domain.office import office_of
from domain.rule_edition import draft, store
from domain.rule_edition.tables import EDITABLE, SET_ASIDE, RuleDraft
from domain.rule_workbench import golden_case, source, what_if
from domain.rule_workbench.what_if import Comparison
from rules.engine import EditionUnknown, RuleSet
from rules.engine.document import UnreadableDocument, parse_document
from rules.engine.value import Declaration, plain, present, take
from rules.engine.workbook import shown
from views import page, posted
from views.decision_card import STATES, card
from views.posted import FieldFault, faults_of
from views.rules import draft_cases, draft_head, editions, frame
from views.rules.wording import wording
from views.shell import Crumb


@dataclass(frozen=True)
class DecisionPage:
    """What templates/rules/decision.html reads; `again` is None while that edition is not loaded."""

    kept: StoredDecision
    title: str
    card: Mapping[str, Any]
    considered: tuple[Mapping[str, Any], ...]
    facts: tuple[frame.Row, ...]
    again: str
    is_same: bool
    edition_href: str
    fields: tuple[Mapping[str, Any], ...]
    against: str
    choices: tuple[Mapping[str, str], ...]
    comparison: Comparison | None
    before_card: Mapping[str, Any] | None
    after_card: Mapping[str, Any] | None
    changes: tuple[Any, ...]
    drafts: tuple[RuleDraft, ...]
    errors: tuple[FieldFault, ...]


@dataclass(frozen=True)
class GoldenPage:
    """What templates/rules/golden.html reads."""

    kept: StoredDecision
    draft: RuleDraft
    proposal: golden_case.Proposal
    given: str
    then: str
    now: str
    outcomes: tuple[Mapping[str, str], ...]
    name: str
    why: str
    outcome: str
    errors: tuple[FieldFault, ...]


def show(request: Request) -> Response:
    """Why it came out so; with altered facts in the query, what would have come of them."""
    with page.reading(request) as session:
        kept = what_if.decision_of(session, page.actor(request), request.path_params["decision_id"])
        context = _context(request, session, kept)
    trail = (*frame.set_crumbs(kept.kind, kept.rule_set, context.title), Crumb("为什么"))
    return frame.render(
        request, "rules/decision.html", context, title=f"为什么：{context.title}", trail=trail, status=422 if context.errors else 200
    )


def _context(request: Request, session: Session, kept: StoredDecision) -> DecisionPage:
    document, rules = kept.document, _rules(session, kept)
    comparison, errors = _what_if(request, session, kept, rules)
    again, is_same = _again(session, kept)
    keeps = frame.keeps_rules(page.actor(request))
    return DecisionPage(
        kept=kept, title=document["title"], card=card(document), considered=tuple(_considered(document)),
        facts=tuple(_facts(document, rules)), again=again, is_same=is_same,
        edition_href=frame.address(request, "rule", {"edition": kept.digest}, key=kept.rule_set),
        fields=tuple(_fields(request, document, rules)) if rules else (), against=request.query_params.get("against", ""),
        choices=tuple(_choices(session, kept, keeps)), comparison=comparison, before_card=card(comparison.before.to_json()) if comparison else None,
        after_card=card(comparison.after.to_json()) if comparison else None,
        changes=editions.sentences_of(comparison.changes) if comparison else (), drafts=_drafts(session, kept) if keeps else (), errors=errors,
    )  # fmt: skip


def _rules(session: Session, kept: StoredDecision) -> RuleSet | None:
    """The rules that decided, None where they are no longer loaded."""
    found = office_of(session).book.editions(kept.kind, kept.rule_set)
    return next((rules for rules in found if rules.digest == kept.digest), None)


def _considered(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every rule, those that held first, with its conditions."""
    fired = {row["rule"] for row in document["fired"]}
    rows = sorted(document["considered"], key=lambda row: row["rule"] not in fired)
    return [
        {"label": row["label"], "basis": row["basis"], "state": STATES[row["verdict"]],
         "leaves": [{"state": STATES[leaf["verdict"]], "text": leaf["words"]} for leaf in row["leaves"]]}
        for row in rows
    ]  # fmt: skip


def _facts(document: Mapping[str, Any], rules: RuleSet | None) -> list[frame.Row]:
    """What the rules read, as given, with the labels of that edition."""
    sorts = rules.facts if rules else {}
    return [
        {"label": sorts[key].label if key in sorts else key, "value": _fact_words(value, sorts.get(key))}
        for key, value in document["facts"].items()
    ]


def _fact_words(value: Any, sort: Declaration | None) -> str:
    if value is None:
        return "没有这个事实"
    if isinstance(value, list) or sort is None:
        return shown(value)
    return str(present(take(sort, value), sort))


def _again(session: Session, kept: StoredDecision) -> tuple[str, bool]:
    """Made again as of that day: what comes of it, and whether it is the same."""
    try:
        made = decision.again(session, kept)
    except EditionUnknown:
        return "", False
    found = made.to_json()
    return made.rules.kind.word(made.outcome), all(found[key] == kept.document[key] for key in ("outcome", "message", "values", "considered"))


def _choices(session: Session, kept: StoredDecision, keeps: bool) -> list[Mapping[str, str]]:
    """By what to try: the edition that decided, another one, or a draft."""
    rows = [row for row in store.editions_of(session, kept.kind, kept.rule_set) if row.state != SET_ASIDE and row.digest != kept.digest]
    found = {row.digest: {"value": row.digest, "label": f"{row.start} 起的版本，{wording('edition_states')[row.state]}"} for row in rows}
    drafts = [{"value": f"draft:{row.id}", "label": f"草稿（{row.author_name}）"} for row in _open(session, kept)] if keeps else []
    return [*found.values(), *drafts]


def _open(session: Session, kept: StoredDecision) -> list[RuleDraft]:
    found = (draft.unfinished_draft(session, kept.kind, kept.rule_set, demo) for demo in (False, True))
    return [row for row in found if row is not None]


def _drafts(session: Session, kept: StoredDecision) -> tuple[RuleDraft, ...]:
    return tuple(row for row in _open(session, kept) if row.state in EDITABLE)


def _fields(request: Request, document: Mapping[str, Any], rules: RuleSet) -> list[Mapping[str, Any]]:
    """A field for every fact, filled with what was given then, or what the query alters."""
    fields = []
    for key, sort in rules.facts.items():
        unit = sort.unit.label if sort.unit and sort.unit.label else ""
        choices = [("true", "是"), ("false", "否")] if sort.type == "boolean" else list((sort.domain or {}).items())
        was = _written(document["facts"].get(key))
        fields.append({"name": f"f-{key}", "label": f"{sort.label}（{unit}）" if unit else sort.label, "is_list": sort.type == "list", "was": was,
                       "text": request.query_params.get(f"f-{key}", was), "choices": [{"value": value, "label": label} for value, label in choices]})  # fmt: skip
    return fields


def _written(value: Any) -> str:
    return "" if value is None else shown(value)


def _what_if(
    request: Request, session: Session, kept: StoredDecision, rules: RuleSet | None
) -> tuple[Comparison | None, tuple[FieldFault, ...]]:
    """The comparison that the query asks for; faults where a fact does not fit."""
    against = request.query_params.get("against")
    if against is None or rules is None:
        return None, ()
    try:
        altered = _altered(request, kept.document["facts"], rules)
        which = {"draft_id": posted.whole_number(against.removeprefix("draft:"), "against")} if against.startswith("draft:") else {"edition": against or None}
        return what_if.of_decision(session, page.actor(request), kept.id, altered, **which), ()
    except InvalidData as error:
        return None, tuple(FieldFault(f"f-{fault.field}" if fault.field else "", fault.text) for fault in faults_of(error))
    except UnreadableDocument as error:
        return None, (FieldFault("", f"清单的写法读不出：{error.message}。"),)


def _altered(request: Request, facts: Mapping[str, Any], rules: RuleSet) -> dict[str, Any]:
    """The facts whose field says something else than was given; an emptied one is taken away."""
    altered = {}
    for key, sort in rules.facts.items():
        text = request.query_params.get(f"f-{key}", _written(facts.get(key))).strip()
        if text == _written(facts.get(key)):
            continue
        if not text:
            altered[key] = None
        elif text[:1] in ("[", "{"):
            altered[key] = plain(parse_document(f"v: {text}")["v"])
        else:
            altered[key] = {"true": True, "false": False}.get(text, text) if sort.type == "boolean" else text
    return altered


def golden(request: Request) -> Response:
    """The decision as a golden case of a draft, personal data removed; the outcome is written by the article."""
    number, draft_id = request.path_params["decision_id"], request.path_params["draft_id"]
    errors: tuple[FieldFault, ...] = ()
    with page.reading(request) as session:
        kept = what_if.decision_of(session, page.actor(request), number)
        row = draft.draft(session, draft_id)
        rules = source.of_draft(session, draft_id, kept.rule_set)
        proposal = golden_case.from_decision(session, page.actor(request), number, rules)
        known = office_of(session).book.known
    given = posted.given_texts(request)
    if request.method == "POST":
        try:
            text = golden_case.with_case(row.text, known, proposal, posted.text(request, "name"), posted.text(request, "why"), posted.text(request, "outcome"))
            draft_head.keep(request, text, posted.version(request))
            return page.redirect(request, "rule_draft_cases", query={"done": "case_added"}, draft_id=draft_id)
        except InvalidData as error:
            errors = faults_of(error)
    labels = {key: sort.label for key, sort in rules.names.items()}
    context = GoldenPage(
        kept=kept, draft=row, proposal=proposal, given="，".join(f"{labels.get(key, key)} {shown(value)}" for key, value in proposal.given.items()),
        then=rules.kind.word(proposal.given_answer), now=rules.kind.word(proposal.now.outcome) if proposal.now.outcome else proposal.now.message,
        outcomes=draft_cases.outcomes_of(rules), name=given["name"], why=given["why"], outcome=given["outcome"], errors=errors,
    )  # fmt: skip
    trail = (*frame.set_crumbs(kept.kind, kept.rule_set, row.title), Crumb("加为黄金用例"))
    return frame.render(request, "rules/golden.html", context, title="加为黄金用例", trail=trail, status=422 if errors else 200)
