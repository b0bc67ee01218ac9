"""The public hall 办事大厅: what can be done, found by group, audience and words; and the guide to each of it."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import material, portal_clock
from domain.case import course, draft, operations, scope
from domain.case.tables import Case
from domain.errors import NotFound
from domain.file_store import StoredFile
from domain.template_file import TemplateFile, current, slots, states
from rules.case_type import CaseType, CaseTypeMissing, ClockDefinition, Group, MaterialSlot, StepDefinition
from views import page
from views.files import file_response
from views.shell import Crumb, Link

AUDIENCES = ("enterprise", "citizen", "staff")
"""What the filter offers; case types for anyone are in the first two, those of the offices only in the last."""
MOST_WAITING = 5


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something of one's own that waits: a correction to answer or a draft to finish."""

    title: str
    kind: str
    code: str
    case_type: str
    changed_at: datetime
    is_own: bool
    """False for what a colleague of the same enterprise fills in: only they go on with it."""


@dataclass(frozen=True)
class HallPage:
    """The context of hall/index.html."""

    words: str
    audience: str
    group: str
    groups: tuple[Group, ...]
    all_groups: tuple[str, ...]
    found: int
    waiting: tuple[Waiting, ...]
    own: Waiting | None
    is_narrowed: bool


def show(request: Request) -> Response:
    """The hall; signed in, with what waits for this person first."""
    words = request.query_params.get("q", "").strip()[:100]
    audience = request.query_params.get("audience", "")
    group = request.query_params.get("group", "")[:100]
    with page.reading(request) as session:
        offered = _for_audience(page.office(request).catalogue.groups(portal_clock.today(session)), audience)
        groups = _matching(request, [each for each in offered if not group or each.title == group], words)
        context = HallPage(
            words=words, audience=audience if audience in AUDIENCES else "", group=group, groups=groups,
            all_groups=tuple(each.title for each in offered), found=sum(len(each.case_types) for each in groups),
            waiting=_waiting(request, session), own=_own_case(request, session, words),
            is_narrowed=bool(words or audience or group),
        )
        return page.render(request, "hall/index.html", context, title="办事大厅", current="hall", audience="public")


def _for_audience(groups: tuple[Group, ...], audience: str) -> list[Group]:
    """The case types a person of that audience may want; those that offices start themselves only when asked for."""
    def fits(each: CaseType) -> bool:
        if audience in ("enterprise", "citizen"):
            return each.audience in (audience, "anyone")
        return (each.audience == "staff") == (audience == "staff")

    kept = [Group(group.title, tuple(each for each in group.case_types if fits(each))) for group in groups]
    return [group for group in kept if group.case_types]


def _matching(request: Request, groups: list[Group], words: str) -> tuple[Group, ...]:
    """The groups with the case types in which every word occurs, somewhere."""
    asked = [folded(word) for word in words.split()]
    kept = [
        Group(group.title, tuple(each for each in group.case_types if all(word in _text(request, each) for word in asked)))
        for group in groups
    ]
    return tuple(group for group in kept if group.case_types)


def folded(words: str) -> str:
    """A text for comparison: width and case do not matter."""
    return unicodedata.normalize("NFKC", words).casefold()


def _text(request: Request, definition: CaseType) -> str:
    """Everything a case type can be found by; made once."""
    texts: dict[tuple[str, str], str] = page.office(request).caches.setdefault("hall_texts", {})
    key = (definition.key, definition.edition.key)
    if key not in texts:
        guide = definition.guide
        parts = [
            definition.title, definition.short, definition.group, definition.owner, *definition.basis, *definition.functions,
            guide.who, guide.result, *guide.conditions, *(each.label for each in definition.form.fields()),
            *(each.label for each in definition.form.sections), *(each.label for each in definition.materials),
            *(each.label for each in definition.documents), *(each.label for each in definition.workflow.steps),
        ]
        texts[key] = folded("\n".join(parts))
    return texts[key]


def _waiting(request: Request, session: Session) -> tuple[Waiting, ...]:
    """Corrections first, then drafts, the latest first; one query."""
    actor = page.actor(request)
    if actor.person_id is None or not actor.is_applicant:
        return ()
    return tuple(_waiting_for(request, each, each.status) for each in draft.unfinished(session, actor, MOST_WAITING))


def _waiting_for(request: Request, case: Case, kind: str) -> Waiting:
    short = page.office(request).catalogue.edition(case.case_type, case.edition).short
    is_own = case.created_by == page.actor(request).person_id
    return Waiting(case.title, kind, case.draft_number, short, case.changed_at, is_own)


def _own_case(request: Request, session: Session, words: str) -> Waiting | None:
    """One's own case whose number was typed into the search."""
    actor = page.actor(request)
    if not words or actor.person_id is None:
        return None
    try:
        case = scope.find_by_code(session, actor, unicodedata.normalize("NFKC", words).upper())
    except NotFound:
        return None
    return _waiting_for(request, case, "track") if operations.is_own(actor, case) else None


@dataclass(frozen=True, slots=True)
class GuideMaterial:
    """A material with what it may be, when it is asked for, and its template."""

    slot: MaterialSlot
    limits: str
    template: TemplateFile | None


@dataclass(frozen=True)
class GuidePage:
    """The context of hall/guide.html; `can` says what the button offers: start, sign_in, wrong_account, or none."""

    definition: CaseType
    clock: ClockDefinition | None
    materials: tuple[GuideMaterial, ...]
    steps: tuple[StepDefinition, ...]
    documents: tuple[str, ...]
    drafts: tuple[Case, ...]
    can: str


def guide(request: Request) -> Response:
    """The guide to one case type, made of its definition."""
    actor = page.actor(request)
    with page.reading(request) as session:
        definition = case_type_named(request, session)
        drafts = tuple(draft.drafts_of(session, actor, definition.key)) if actor.person_id is not None else ()
        context = GuidePage(
            definition=definition,
            clock=next((each for each in definition.clocks if each.days), None),
            materials=_materials(request, session, definition),
            steps=course.whole(definition.workflow),
            documents=tuple(each.label for each in definition.documents if each.public),
            drafts=drafts,
            can=_can(request, definition),
        )
        crumbs = (Crumb("办事大厅", Link("hall", "")), Crumb(definition.group, Link("hall", "", query={"group": definition.group})),
                  Crumb(definition.short))
        return page.render(request, "hall/guide.html", context, title=definition.title, crumbs=crumbs, current="hall", audience="public")


def case_type_named(request: Request, session: Session) -> CaseType:
    """The case type of the address, in the edition in force today. Raises NotFound."""
    try:
        return page.office(request).catalogue.current(request.path_params["key"], portal_clock.today(session))
    except CaseTypeMissing as error:
        raise NotFound("没有这个事项，或者它现在没有生效的版本。请从办事大厅重新查找。") from error


def _materials(request: Request, session: Session, definition: CaseType) -> tuple[GuideMaterial, ...]:
    """What the applicant hands in at the start; the templates take one query."""
    files: Mapping[str, TemplateFile | None] = {each.slot.key: each.current for each in states(session, page.office(request))}
    start = definition.workflow.start
    asked = [each for each in definition.materials if start in (each.collected_in or (start,))]
    return tuple(GuideMaterial(each, material.limits_in_words(each), files.get(each.template)) for each in asked)


def _can(request: Request, definition: CaseType) -> str:
    if "applicant" not in definition.started_by:
        return "none"
    actor = page.actor(request)
    if actor.person_id is None:
        return "sign_in"
    return "start" if draft.may_start(actor, definition) else "wrong_account"


def template_file(request: Request) -> Response:
    """A template that a material asks people to fill in; open to everybody."""
    key = request.path_params["key"]
    if key not in slots(page.office(request)):
        raise NotFound("没有这个模板。请从办事指南的材料清单下载。")
    with page.reading(request) as session:
        row = current(session, key)
        return file_response(session, session.get(StoredFile, row.digest), row.name)


