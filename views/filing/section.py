"""One section of the form: shown, saved as it is typed, saved on purpose, and the meeting of two windows on one draft."""

import hashlib
import json
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.case import draft, prefill
from domain.case.tables import Case
from domain.decision import Gathered
from domain.errors import Conflict, InvalidData
from domain.form import Difference, FormError, SectionView
from views import page, posted
from views.filing import filing as filings
from views.filing.filing import Filing
from views.filing.overview import Part, correction_items, parts_of
from views.form_page import FormButton, FormPage

CONTROLS = ("_add", "_remove", "_up", "_down")
MOST_PAGES = 5000
"""Pages whose last autosave is remembered in this process."""


@dataclass(frozen=True)
class SectionPage:
    """The context of filing/section.html."""

    filing: Filing
    section: SectionView
    parts: tuple[Part, ...]
    form_page: FormPage
    place_no: int
    items: tuple[Mapping[str, Any], ...] = ()
    has_more: bool = False
    conflict: tuple[Difference, ...] | None = None


@dataclass(frozen=True)
class AutosaveFragment:
    """The context of filing/_autosave.html; `version` goes into the form out of band."""

    state: str
    at: datetime | None
    why: str
    faults: tuple[FormError, ...]
    version: int


def show(request: Request) -> Response:
    """The section; with `check` in the address, with everything that stands against handing it in."""
    with page.reading(request) as session:
        filing = filings.load(request, session)
        if filing.task is None:
            return page.redirect(request, "track", code=filing.code)
        errors = _own(filing, filing.faults()) if "check" in request.query_params else {}
        return _page(filing, errors, has_more="more" in request.query_params)


def save(request: Request) -> Response:
    """Save the section, then go where the pressed button leads; refused values and missing ones are shown at once."""
    try:
        faults = _saved(request, _known_now(request))
    except (Conflict, InvalidData) as refused:
        if page.is_htmx(request):
            return _autosave_refused(request, refused)
        return _conflict(request, refused) if isinstance(refused, Conflict) else _refused(request, refused)
    with page.reading(request) as session:
        filing = filings.load(request, session)
        return _after_saving(filing, faults)


def _known_now(request: Request) -> Gathered:
    """What partners say of what was typed; they are asked again only when that has changed since they were asked last."""
    asked: dict[int, str] = page.office(request).caches.setdefault("sources_asked", {})
    with page.reading(request) as session:
        filing = filings.load(request, session)
        form = filing.definition.form
        if filing.task is None or filing.is_correction or not prefill.outside_providers_of(form):
            return {}
        values, _faults = filing.form.accept(_without_controls(page.form(request)))
        typed = json.dumps(prefill.typed_by_people(form, values), sort_keys=True)
        mark = hashlib.sha256(typed.encode()).hexdigest()
        if asked.get(filing.case.id) == mark:
            return {}
        session.expunge(filing.case)  # asked about with what was typed; saving is the command's business
        filing.case.values = values
        found, _down = prefill.gather(session, page.actor(request), filing.case)
        asked[filing.case.id] = mark
        while len(asked) > MOST_PAGES:
            del asked[next(iter(asked))]
    return found


def _saved(request: Request, gathered: Gathered | None = None) -> dict[str, str]:
    """Save what was posted, and say what could not be taken; the version counts that this page's own autosaves made are not strange to it."""
    with page.writing(request) as session:
        filing = filings.load(request, session)
        task = filing.must_be_in_hand()
        given, version = page.form(request), _version(request, filing.case)
        case, faults = draft.save(session, page.actor(request), task.id, given, case_version=version, gathered=gathered)
        _remember(request, case)
    return faults


def _after_saving(filing: Filing, faults: dict[str, str]) -> Response:
    request, key = filing.request, filing.request.path_params["section"]
    given = page.form(request)
    if any(name in given for name in CONTROLS):
        return _after_control(filing, faults)
    if given.get("_then") == "later" and not faults:
        return page.redirect(request, "filing", query={"said": "saved"}, code=filing.code)
    if key not in {each.key for each in filing.sections()}:  # what was chosen hides the section itself
        return page.redirect(request, "filing", code=filing.code)
    if not faults and given.get("_shown") != shown_mark(filing.section(key)):
        return page.redirect(request, "filing_section", query={"more": 1}, code=filing.code, section=key)
    errors = {**_own(filing, filing.faults()), **faults}
    if errors:
        return _page(filing, errors, given, status=422)
    return _to_next(filing, key)


def _after_control(filing: Filing, faults: dict[str, str]) -> Response:
    """An entry was added, removed or moved: the same section again, at the entry that was added."""
    request, key = filing.request, filing.request.path_params["section"]
    if faults or page.is_htmx(request):
        block = "form" if page.is_htmx(request) else None
        return _page(filing, faults, page.form(request), status=422 if faults else 200, block=block)
    entries = len(filing.section(key).entries)
    anchor = f"{key}-{entries - 1}" if "_add" in page.form(request) and entries else f"section-{key}"
    return page.redirect(request, "filing_section", anchor=anchor, code=filing.code, section=key)


def _to_next(filing: Filing, key: str) -> Response:
    """The part behind this one; behind the last, the check."""
    keys = [each.key for each in parts_of(filing)]
    following = keys[keys.index(key) + 1] if key in keys[:-1] else ""
    if following == "materials":
        return page.redirect(filing.request, "filing_materials", code=filing.code)
    if following:
        return page.redirect(filing.request, "filing_section", code=filing.code, section=following)
    return page.redirect(filing.request, "filing_check", code=filing.code)


def autosave(request: Request) -> Response:
    """Save while typing: a line beside the buttons, or the whole form when other fields have come to be asked."""
    try:
        _saved(request)
    except (Conflict, InvalidData) as refused:
        return _autosave_refused(request, refused)
    with page.reading(request) as session:
        filing = filings.load(request, session)
        given, key = page.form(request), request.path_params["section"]
        _values, faults = filing.form.accept(_without_controls(given))
        is_here = key in {each.key for each in filing.sections()}
        if is_here and given.get("_shown") != shown_mark(filing.section(key)):
            return _retargeted(_page(filing, faults, given, block="form", is_quiet=True), "#case-form")
        lines = tuple(filing.form.error_summary(faults))
        fragment = AutosaveFragment("saved", filing.case.changed_at, "", lines, filing.case.version)
        return page.render(request, "filing/_autosave.html", fragment, title=filing.case.title, audience="public")


def _autosave_refused(request: Request, refused: Conflict | InvalidData) -> Response:
    """Say beside the buttons why nothing was saved; what was typed stays on the page."""
    version = posted.whole_number(str(page.form(request).get("_version", "")), "_version") or 0
    fragment = AutosaveFragment("refused", None, refused.message, (), version)
    answer = page.render(request, "filing/_autosave.html", fragment, title="没有保存", audience="public", status=refused.status)
    return _retargeted(answer, "#autosave")


def _retargeted(response: Response, target: str) -> Response:
    response.headers["HX-Retarget"] = target
    response.headers["HX-Reswap"] = "outerHTML"
    return response


def _without_controls(given: Any) -> dict[str, list[str]]:
    return {name: given.getlist(name) for name in given if name not in CONTROLS}


def _conflict(request: Request, conflict: Conflict) -> Response:
    """Somebody saved in between: what was typed here stands beside what is kept now, and nothing is lost."""
    with page.reading(request) as session:
        filing = filings.load(request, session)
        if filing.task is None or _version(request, filing.case) == filing.case.version:
            raise conflict
        given = page.form(request)
        values, faults = filing.form.accept(_without_controls(given))
        differences = filing.form.with_values(values).differences(filing.case.values)
        filing.form = filing.form.with_values(values)
        return _page(filing, faults, given, status=409, conflict=differences)


def _refused(request: Request, refused: InvalidData) -> Response:
    """The form again with what was posted, when it could not be taken as a whole."""
    with page.reading(request) as session:
        filing = filings.load(request, session)
        names = _own(filing, refused.fields) or {"": refused.message}
        return _page(filing, names, page.form(request), status=422)


def _own(filing: Filing, faults: Mapping[str, str]) -> dict[str, str]:
    """The faults of the section that is on the page."""
    names = filing.names_of(filing.section_definition(_section_key(filing)))
    return {name: words for name, words in faults.items() if name in names}


def _section_key(filing: Filing) -> str:
    """The section of the address. Raises NotFound for one that the form has not."""
    key = filing.request.path_params["section"]
    if key not in {each.key for each in filing.definition.form.sections}:
        filing.section(key)
    return key


def _page(
    filing: Filing,
    errors: Mapping[str, str],
    given: Any = None,
    *,
    status: int = 200,
    block: str | None = None,
    has_more: bool = False,
    conflict: tuple[Difference, ...] | None = None,
    is_quiet: bool = False,
) -> Response:
    """The section; `is_quiet` leaves out the summary, which would take the focus from somebody who is typing."""
    key = filing.request.path_params["section"]
    section = filing.section(key, errors, given)
    parts = parts_of(filing)
    context = SectionPage(
        filing, section, parts, _form_page(filing, section, {} if is_quiet else errors),
        place_no=next((no for no, each in enumerate(parts, 1) if each.key == key), 1), has_more=has_more, conflict=conflict,
        items=tuple(each for each in correction_items(filing) if each["part"] == section.key),
    )
    return page.render(filing.request, "filing/section.html", context, title=f"{section.label}，{filing.case.title}",
                       crumbs=filing.crumbs(section.label), current="my_cases", audience="public", block=block, status=status)


def _form_page(filing: Filing, section: SectionView, errors: Mapping[str, str]) -> FormPage:
    given = getattr(filing.request.state, "form", None)
    mark = (given.get("_page") if given is not None else None) or secrets.token_urlsafe(9)
    return FormPage(
        sections=(section,),
        action=filing.url("filing_section", section=section.key),
        errors=tuple(filing.form.error_summary(errors)),
        buttons=(
            FormButton("保存并继续", "_then", "next", "main"),
            FormButton("存为草稿，稍后再填", "_then", "later", is_unchecked=True),
        ),
        csrf_token=filing.request.state.csrf_token,
        version=filing.case.version,
        autosave_url=filing.url("filing_autosave", section=section.key),
        place_urls=_place_urls(filing, section),
        saved_at=filing.case.changed_at,
        marks={"_page": str(mark)[:40], "_shown": shown_mark(section)},
    )


def _place_urls(filing: Filing, section: SectionView) -> dict[str, str]:
    """Where ranges and plots are given: the panels of the step, on the contents page."""
    places = (each for each in section.all_fields() if each.type in ("range", "plots"))
    return {each.path: f"{filing.url('filing')}#panels" for each in places}


def shown_mark(section: SectionView) -> str:
    """A mark of which fields a section shows, so that a change of that is noticed."""
    names = "\n".join(each.name for each in section.all_fields())
    return hashlib.sha256(names.encode()).hexdigest()[:16]


def _version(request: Request, case: Case) -> int | None:
    """The version that the page knows: the one it was made with, or the one that its own last autosave made.

    A browser may give up waiting for an autosave that the server has done; without this, a person would be told
    of a strange window that does not exist.
    """
    given = posted.whole_number(str(page.form(request).get("_version", "")), "_version")
    mark, known = _last_saves(request).get(case.id, ("", 0))
    is_own = mark == str(page.form(request).get("_page", "")) != ""
    return max(given, known) if given is not None and is_own else given


def _remember(request: Request, case: Case) -> None:
    saves = _last_saves(request)
    saves[case.id] = (str(page.form(request).get("_page", "")), case.version)
    while len(saves) > MOST_PAGES:
        saves.popitem(last=False)


def _last_saves(request: Request) -> OrderedDict[int, tuple[str, int]]:
    return page.office(request).caches.setdefault("form_saves", OrderedDict())
