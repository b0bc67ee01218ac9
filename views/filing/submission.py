"""Handing in: everything is checked and shown once more, the action is taken once, and there is always a receipt."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import segno
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from domain.case import actions, correction, versions
from domain.case.course import CourseStep, course
from domain.case.papers import applicant_name
from domain.case.tables import Task
from domain.case.words import code_of
from domain.errors import Conflict, InvalidData, NotFound, Refused
from domain.form import PrintSection
from domain.material import MaterialBranch
from rules.case_type import ActionDefinition
from views import page, posted
from views.decision_card import fresh_card
from views.filing import filing as filings
from views.filing.filing import Filing
from views.filing.materials import tree_of
from views.filing.opening import RefusedPage
from views.filing.overview import Part, correction_items, parts_of

ANSWER = "answer_correction"
"""Value of the button that hands in a correction; the other buttons are actions of the step."""


@dataclass(frozen=True, slots=True)
class ShownSection:
    """A section in words with the page where it is changed; None where it may not be."""

    printed: PrintSection
    href: str | None


@dataclass(frozen=True, slots=True)
class CheckFault:
    """One thing that stands against handing in, and where it is put right."""

    href: str
    text: str


@dataclass(frozen=True)
class CheckPage:
    """The context of filing/check.html."""

    filing: Filing
    faults: tuple[CheckFault, ...]
    sections: tuple[ShownSection, ...]
    materials: tuple[MaterialBranch, ...]
    materials_href: str | None
    actions: tuple[ActionDefinition, ...]
    parts: tuple[Part, ...]
    unchanged: tuple[Mapping[str, Any], ...] = ()
    """What was asked to be corrected and stands as it was."""
    opinion: str = ""
    opinion_error: str | None = None


@dataclass(frozen=True)
class ReceiptPage:
    """The context of filing/receipt.html."""

    filing: Filing
    code: str
    handed_in_at: datetime
    is_first: bool
    applicant: str
    steps: tuple[CourseStep, ...]
    track_href: str
    track_url: str
    qr: Markup


def check(request: Request) -> Response:
    """Everything that was filled in, with all that is still missing or wrong, linked to its place."""
    with page.reading(request) as session:
        filing = filings.load(request, session)
        if filing.task is None:
            return page.redirect(request, "track", code=filing.code)
        return _check_page(filing, filing.faults())


def submit(request: Request) -> Response:
    """Take the pressed action; a second press of the same button leads to the same receipt."""
    code = request.path_params["code"]
    if _was_taken(request):
        return page.redirect(request, "receipt", code=code)
    try:
        _take(request)
    except Conflict:
        if _was_taken(request):
            return page.redirect(request, "receipt", code=code)
        raise
    except InvalidData as refused:
        return _not_complete(request, refused)
    except Refused as refusal:
        return _refused(request, refusal)
    return page.redirect(request, "receipt", code=code)


def _was_taken(request: Request) -> bool:
    """Whether the task that the page stands for was handed in by this applicant or a colleague already."""
    with page.reading(request) as session:
        filing = filings.load(request, session)
        task = session.get(Task, posted.number(request, "task") or 0)
        return task is not None and task.case_id == filing.case.id and task.status == "done"


def _take(request: Request) -> None:
    actor, key = page.actor(request), posted.text(request, "action")
    task_id, version = posted.number(request, "task"), posted.number(request, "version")
    with page.reading(request) as session:
        filing = filings.load(request, session)
        if filing.must_be_in_hand().id != task_id:
            raise Conflict("这一页不是最新的，申请没有提交。请重新打开「核对并提交」，看过内容后再提交。")
        if faults := filing.faults():
            raise InvalidData(f"还有 {len(faults)} 处要改，改好后才能提交。", faults)
        is_answer = filing.is_correction and key == ANSWER
        gathered = {} if is_answer else actions.outside_facts(session, actor, task_id, key)
        prepared = {} if is_answer else actions.papers_beforehand(session, actor, task_id, key)
    with page.writing(request) as session:
        if is_answer:
            correction.answer_correction(session, actor, task_id, version)
        else:
            actions.take_action(session, actor, task_id, key, opinion=posted.text(request, "opinion", 4000),
                                task_version=version, gathered=gathered, prepared=prepared)


def _not_complete(request: Request, refused: InvalidData) -> Response:
    with page.reading(request) as session:
        filing = filings.load(request, session)
        faults = refused.fields or {"": refused.message}
        return _check_page(filing, faults, posted.text(request, "opinion", 4000), status=422)


def _check_page(filing: Filing, faults: Mapping[str, str], opinion: str = "", status: int = 200) -> Response:
    places = {name: each.key for each in filing.definition.form.sections for name in filing.names_of(each)}
    open_sections = {each.key for each in filing.sections()}
    slots = bool(filing.slots())
    context = CheckPage(
        filing=filing,
        faults=tuple(CheckFault(_place(filing, name, places), words) for name, words in faults.items()),
        sections=tuple(_shown(filing, open_sections)),
        materials=tuple(each for each in tree_of(filing) if each.files or each.is_missing),
        materials_href=filing.url("filing_materials") if slots else None,
        actions=() if filing.is_correction else tuple(actions.offered(filing.session, filing.case, filing.task)),
        parts=parts_of(filing),
        unchanged=tuple(each for each in correction_items(filing) if not each["is_changed"]),
        opinion=opinion,
        opinion_error=faults.get("opinion"),
    )
    return page.render(filing.request, "filing/check.html", context, title=f"核对并提交，{filing.case.title}",
                       crumbs=filing.crumbs("核对并提交"), current="my_cases", audience="public", status=status)


def _place(filing: Filing, name: str, places: Mapping[str, str]) -> str:
    """Where a fault is put right: the field in its section, the slot among the materials, or this page."""
    if name.startswith("material-"):
        return f"{filing.url('filing_materials')}#{name}"
    if name in places:
        return f"{filing.url('filing_section', {'check': 1}, section=places[name])}#{name}"
    return f"#{name or 'main'}"


def _shown(filing: Filing, open_sections: set[str]) -> list[ShownSection]:
    """Every visible section in words; those the applicant may change with the way to it."""
    definitions = [
        each for each in filing.definition.form.sections
        if each.is_shown_in(filing.form.step) and filing.form.content.is_section_visible(each)
    ]
    return [
        ShownSection(printed, filing.url("filing_section", section=each.key) if each.key in open_sections else None)
        for each, printed in zip(definitions, filing.form.print_rows(), strict=True)
        if each.key in open_sections or any(value not in ("", "—") for _label, value in _rows(printed))
    ]


def _rows(printed: PrintSection) -> list[tuple[str, str]]:
    return [*printed.rows, *(row for entry in printed.entries for row in entry)]


def _refused(request: Request, refusal: Refused) -> Response:
    """Why the rules do not let the application pass; nothing was changed."""
    with page.reading(request) as session:
        filing = filings.load(request, session)
        context = RefusedPage(
            "现在不能提交", refusal.message, tuple(fresh_card(each) for each in refusal.decisions),
            filing.url("filing"), "回到填报目录",
        )
        return page.render(request, "filing/refused.html", context, title=context.heading,
                           crumbs=filing.crumbs("不能提交"), current="my_cases", audience="public", status=422)


def receipt(request: Request) -> Response:
    """The receipt of what was handed in last: number, moment, what follows, and a code that leads to the progress."""
    with page.reading(request) as session:
        filing = filings.load(request, session)
        kept = [each for each in versions.kept(session, filing.case.id) if each.reason in ("submitted", "corrected")]
        if filing.case.submitted_at is None or not kept:
            raise NotFound("这件还没有提交，没有回执。请先提交申请。")
        return page.render(request, "filing/receipt.html", _receipt(filing, kept[0].at, len(kept) == 1),
                           title="回执", crumbs=filing.crumbs("回执"), current="my_cases", audience="public")


def _receipt(filing: Filing, at: datetime, is_first: bool) -> ReceiptPage:
    href = filing.url("track")
    address = page.office(filing.request).public_url.rstrip("/") + href
    return ReceiptPage(
        filing=filing, code=code_of(filing.case), handed_in_at=at, is_first=is_first, applicant=applicant_name(filing.session, filing.case),
        steps=course(filing.session, filing.case), track_href=href, track_url=address, qr=qr_code(address),
    )


def qr_code(address: str) -> Markup:
    """A QR code as SVG, drawn here, without style attributes."""
    drawn: Any = segno.make(address, error="m", micro=False)
    return Markup(drawn.svg_inline(scale=4, border=2, svgclass="qr", lineclass=None))
