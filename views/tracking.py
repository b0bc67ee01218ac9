"""Progress of one's own case: steps, the same deadline ruler that officials see, public history, papers; urge, withdraw."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select
from starlette.requests import Request
from starlette.responses import Response

from domain import clock, clock_words
from domain.case import operations
from domain.case.course import CourseStep, course
from domain.case.papers import applicant_name
from domain.case.tables import Case, CaseEvent
from domain.case.words import code_of, status_words
from domain.document.register import documents_of_case
from domain.document.tables import Document, DocumentVersion
from domain.errors import Conflict, InvalidData
from rules.case_type import CaseType
from views import page, posted
from views.filing import filing as filings
from views.filing.filing import Filing
from views.filing.overview import correction_items
from views.posted import FieldFault, faults_of
from views.shell import Crumb, Link, Notice

TOLD_OPINIONS = frozenset({"correct", "return", "suspend", "resume", "terminate", "withdraw", "urge", "answer_reminder"})
"""Operations whose words are meant for the applicant; the opinion of a passing step is the office's own."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """One time limit of the case as drawn: runs of days, and the same in words."""

    label: str
    runs: tuple[Mapping[str, Any], ...]
    end_label: str
    story: str
    colour: str
    words: str
    due_on: date | None
    """The day the case is due by this limit; None once the clock has ended."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A document that the applicant may fetch."""

    document: Document
    version: DocumentVersion


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the public history."""

    label: str
    at: datetime
    who: str
    text: str
    state: str


@dataclass(frozen=True)
class TrackingPage:
    """The context of tracking/show.html."""

    filing: Filing
    code: str
    status_words: str
    steps: tuple[CourseStep, ...]
    rulers: tuple[Ruler, ...]
    events: tuple[Told, ...]
    papers: tuple[Paper, ...]
    items: tuple[Mapping[str, Any], ...]
    note: str
    returned_because: str
    applicant: str
    can_withdraw: bool
    can_urge: bool
    has_receipt: bool


def show(request: Request) -> Response:
    """Where a case stands; a draft leads to its contents."""
    with page.reading(request) as session:
        filing = filings.load(request, session)
        if filing.case.status == "draft":
            if filing.task is None:  # the draft's own page leads here: without this the two would send a colleague round for ever
                raise Conflict("这份草稿由本单位的另一位经办人在填，还没有提交，没有进度可看。请与这位经办人联系。")
            return page.redirect(request, "filing", code=filing.code)
        context = _context(filing)
        return page.render(request, "tracking/show.html", context, title=filing.case.title,
                           crumbs=(Crumb("我的办件", Link("my_cases", "")), Crumb("进度")), current="my_cases", audience="public",
                           notices=_notices(request))


def _notices(request: Request) -> tuple[Notice, ...]:
    said = {
        "urged": Notice("good", "已催办。", "经办人会收到提醒；同一环节一天催办一次。"),
        "withdrawn": Notice("good", "申请已撤回。", "已经占用的地块和面积一并释放，可以重新申请。"),
    }
    found = said.get(request.query_params.get("said", ""))
    return (found,) if found else ()


def _context(filing: Filing) -> TrackingPage:
    case, session = filing.case, filing.session
    is_over = case.status == "closed"
    events = _events(filing)
    return TrackingPage(
        filing=filing,
        code=code_of(case),
        status_words=status_words(case),
        steps=course(session, case),
        rulers=tuple(_rulers(session, case)),
        events=tuple(events),
        papers=tuple(Paper(*each) for each in documents_of_case(session, case.id, public_only=True)),
        items=tuple(correction_items(filing)),
        note=filing.correction.note if filing.correction else "",
        returned_because=next((each.text for each in events if each.state == "return"), "") if case.status == "correction" else "",
        applicant=applicant_name(session, case),
        can_withdraw=not is_over and operations.may_withdraw(session, case),
        can_urge=case.status == "open",
        has_receipt=case.submitted_at is not None,
    )


def _rulers(session: Session, case: Case) -> list[Ruler]:
    """The limits of the whole case; the time of single steps is the office's own business."""
    clocks = [each for each in clock.clocks_of(session, case.id) if each.task_id is None]
    states = clock.states_of(session, clocks)
    return [
        Ruler(each.label, tuple(clock_words.ruler_runs(states[each.id])), clock_words.end_label(states[each.id]),
              clock_words.story(states[each.id]), each.light, each.light_words or clock_words.light_words(states[each.id]),
              None if each.status == "finished" else each.due_on)
        for each in clocks
    ]


def _events(filing: Filing) -> list[Told]:
    """The public history, newest first; officials are named by their step, never by their name."""
    statement = select(CaseEvent).where(CaseEvent.case_id == filing.case.id, CaseEvent.is_public)
    rows = list(filing.session.exec(statement.order_by(col(CaseEvent.id).desc())).all())
    return [_told(filing, row, is_newest=place == 0) for place, row in enumerate(rows)]


def _told(filing: Filing, event: CaseEvent, is_newest: bool) -> Told:
    workflow, case = filing.definition.workflow, filing.case
    is_own = event.step in (None, workflow.start) or event.operation in ("withdraw", "urge")
    step = workflow.step(event.step).label if event.step and workflow.has(event.step) else ""
    state = "past"
    if is_newest and case.status in ("correction", "suspended"):
        state = "stop"
    if event.operation == "return":
        state = "return"
    return Told(event.label, event.at, event.person_name if is_own else step, _words_of(filing.definition, event), state)


def _words_of(definition: CaseType, event: CaseEvent) -> str:
    """What the applicant is told beside the act: reasons of operations and of refusals."""
    if event.operation in TOLD_OPINIONS:
        return event.opinion
    actions = definition.workflow.step(event.step).actions if event.step and definition.workflow.has(event.step) else ()
    is_refusal = any(each.key == event.operation and each.style == "bad" for each in actions)
    return event.opinion if is_refusal else ""


def urge(request: Request) -> Response:
    """Remind those who have the case in hand."""
    with page.reading(request) as session:
        case_id = filings.load(request, session).case.id
    with page.writing(request) as session:
        operations.urge(session, page.actor(request), case_id, posted.text(request, "words", 200))
    return page.redirect(request, "track", query={"said": "urged"}, code=request.path_params["code"])


@dataclass(frozen=True)
class WithdrawPage:
    """The context of tracking/withdraw.html."""

    filing: Filing
    code: str
    reason: str = ""
    errors: tuple[FieldFault, ...] = ()


def withdraw(request: Request) -> Response:
    """Ask for the reason first, then withdraw."""
    if request.method == "GET":
        with page.reading(request) as session:
            filing = filings.load(request, session)
            if filing.case.status in ("closed", "draft") or not operations.may_withdraw(session, filing.case):
                raise Conflict("申请还没有提交、已经结束或已经审定，不能撤回。草稿可以删除；需要取消许可的，请办理注销。")
            return _withdraw_page(request, WithdrawPage(filing, code_of(filing.case)))
    reason = posted.text(request, "opinion", 1000)
    try:
        with page.reading(request) as session:
            case_id = filings.load(request, session).case.id
        with page.writing(request) as session:
            operations.withdraw(session, page.actor(request), case_id, reason)
    except InvalidData as refused:
        with page.reading(request) as session:
            filing = filings.load(request, session)
            return _withdraw_page(request, WithdrawPage(filing, code_of(filing.case), reason, faults_of(refused)), 422)
    return page.redirect(request, "track", query={"said": "withdrawn"}, code=request.path_params["code"])


def _withdraw_page(request: Request, context: WithdrawPage, status: int = 200) -> Response:
    code = context.filing.code
    crumbs = (Crumb("我的办件", Link("my_cases", "")), Crumb(context.filing.case.title, Link("track", "", {"code": code})), Crumb("撤回申请"))
    return page.render(request, "tracking/withdraw.html", context, title="撤回申请", crumbs=crumbs, current="my_cases",
                       audience="public", status=status)
