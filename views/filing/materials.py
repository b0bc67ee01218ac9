"""The materials of a filing: files per slot, added, replaced, taken away; each is checked by its content."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from domain import material
from domain.case import access
from domain.errors import Conflict, InvalidData, NotFound
from domain.file_store import CHUNK_BYTES
from domain.material import MaterialBranch, Upload
from domain.template_file import states
from rules.case_type import MaterialSlot
from views import page
from views.filing import filing as filings
from views.filing.filing import Filing
from views.filing.overview import Part, parts_of
from views.posted import FieldFault

LARGEST_MB = 1024


@dataclass(frozen=True, slots=True)
class SlotView:
    """One slot with its files, the officer's words, the template to fill in, and what was wrong with an upload."""

    branch: MaterialBranch
    asked: str
    template_href: str | None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class MaterialsPage:
    """The context of filing/materials.html."""

    filing: Filing
    slots: tuple[SlotView, ...]
    others: tuple[MaterialBranch, ...]
    errors: tuple[FieldFault, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class SlotFragment:
    """The context of filing/_slot.html."""

    filing: Filing
    slot: SlotView


def show(request: Request) -> Response:
    """All slots of this step."""
    with page.reading(request) as session:
        filing = filings.load(request, session)
        if filing.task is None:
            return page.redirect(request, "track", code=filing.code)
        return _page(filing, {})


def add(request: Request) -> Response:
    """Take the chosen files into a slot, each by itself: a refused one does not stop the others."""
    case_id, slot, files = _opened(request)
    faults = []
    for file in files:
        try:
            with page.writing(request) as session:
                material.add_material(session, page.actor(request), case_id, _received(request, slot, file))
        except (InvalidData, Conflict) as refused:
            faults.append(refused.message)
    return _answer(request, slot.key, faults)


def replace(request: Request) -> Response:
    """Put a file in the place of another, which stays as an older version."""
    case_id, slot, files = _opened(request)
    faults = []
    try:
        upload = _received(request, slot, files[0])
        with page.writing(request) as session:
            material.replace_material(session, page.actor(request), case_id, request.path_params["material_id"], upload)
    except (InvalidData, Conflict) as refused:
        faults.append(refused.message)
    return _answer(request, slot.key, faults)


def remove(request: Request) -> Response:
    """Take a file out of its slot."""
    with page.reading(request) as session:
        filing = filings.load(request, session)
        filing.must_be_in_hand()
        case_id = filing.case.id
    with page.writing(request) as session:
        material.remove_material(session, page.actor(request), case_id, request.path_params["material_id"])
    return _answer(request, request.path_params["slot"], [])


def _opened(request: Request) -> tuple[int, MaterialSlot, list[UploadFile]]:
    """Case, slot and files, once it is sure that the slot may be changed: nothing is stored for strangers."""
    with page.reading(request) as session:
        filing = filings.load(request, session)
        filing.must_be_in_hand()
        slot = _slot(filing, request.path_params["slot"])
        if fault := access.material_fault(filing.definition, filing.case, filing.task, filing.locked_to, slot.key):
            raise Conflict(fault)
        files = [each for each in page.form(request).getlist("file") if isinstance(each, UploadFile) and each.filename]
        return filing.case.id, slot, files or [_nothing()]


def _slot(filing: Filing, key: str) -> MaterialSlot:
    found = next((each for each in filing.definition.materials if each.key == key), None)
    if found is None:
        raise NotFound("这类办件没有这一项材料。请刷新页面，从材料目录里选择。")
    return found


def _nothing() -> UploadFile:
    """Stands for a form that was sent without a file; receiving it says so."""
    return UploadFile(file=None, filename="")  # type: ignore[arg-type]


def _received(request: Request, slot: MaterialSlot, file: UploadFile) -> Upload:
    if not file.filename:
        raise InvalidData("没有选择文件。请先选择文件，再点上传。")
    return material.receive(page.office(request).files, slot, file.filename, _chunks(file))


def _chunks(file: UploadFile) -> Iterator[bytes]:
    while chunk := file.file.read(CHUNK_BYTES):
        yield chunk


def _answer(request: Request, slot_key: str, faults: list[str]) -> Response:
    """The slot alone for htmx, else the page: again with the faults, or by a redirect to the slot."""
    if not faults and not page.is_htmx(request):
        code = request.path_params["code"]
        return page.redirect(request, "filing_materials", anchor=f"material-{slot_key}", code=code)
    with page.reading(request) as session:
        filing = filings.load(request, session)
        if not page.is_htmx(request):
            return _page(filing, {slot_key: faults}, status=422)
        shown = next(each for each in _slots(filing, {slot_key: faults}) if each.branch.slot.key == slot_key)
        return page.render(request, "filing/_slot.html", SlotFragment(filing, shown), title="材料", audience="public",
                           status=422 if faults else 200)


def tree_of(filing: Filing) -> tuple[MaterialBranch, ...]:
    """Every slot of the filing with its files."""
    open_slots = {slot.key for slot in filing.slots()}
    return material.tree(filing.session, filing.definition, filing.case, filing.form.facts(), lambda key: key in open_slots)


def _slots(filing: Filing, faults: Mapping[str, list[str]], tree: tuple[MaterialBranch, ...] | None = None) -> list[SlotView]:
    open_slots = {slot.key for slot in filing.slots()}
    asked = {item["material"]: item["what"] for item in filing.correction.items if item.get("material")} if filing.correction else {}
    templates = template_hrefs(filing.request, filing.session)
    return [
        SlotView(each, asked.get(each.slot.key, ""), templates.get(each.slot.template), tuple(faults.get(each.slot.key, ())))
        for each in tree or tree_of(filing) if each.slot.key in open_slots
    ]


def template_hrefs(request: Request, session: Any) -> dict[str, str]:
    """Where the template files that somebody has put there can be fetched, by key; one query."""
    found = states(session, page.office(request))
    return {each.slot.key: request.app.state.templates.url("template_file", key=each.slot.key) for each in found if each.current}


def _page(filing: Filing, faults: Mapping[str, list[str]], status: int = 200) -> Response:
    tree = tree_of(filing)
    slots = _slots(filing, faults, tree)
    shown = {each.branch.slot.key for each in slots}
    errors = tuple(FieldFault(f"material-{key}", words) for key, all_words in faults.items() for words in all_words)
    context = MaterialsPage(
        filing=filing, slots=tuple(slots), errors=errors, parts=parts_of(filing),
        others=tuple(each for each in tree if each.slot.key not in shown and each.files),
    )
    return page.render(filing.request, "filing/materials.html", context, title=f"材料，{filing.case.title}",
                       crumbs=filing.crumbs("材料"), current="my_cases", audience="public", status=status)
