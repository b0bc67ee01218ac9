"""Materials at the step in hand: put files into a slot, replace one, take one away."""

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from domain import material
from domain.case import scope
from domain.case.definition import case_type_of
from domain.errors import InvalidData, NotFound
from domain.file_store import CHUNK_BYTES
from rules.case_type import MaterialSlot
from views import case, page
from views.case_step import Attempt
from views.posted import digits


def upload(request: Request) -> Response:
    """Put every posted file into its slot, or one in the place of another; what is wrong stands at the slot."""
    case_id, key = request.path_params["case_id"], request.path_params["slot"]
    files = [each for each in page.form(request).getlist("file") if isinstance(each, UploadFile) and each.filename]
    slot = _slot(request, case_id, key)
    try:
        if not files:
            raise InvalidData("没有选择文件。请选择文件后再上传。")
        for each in files:
            _keep(request, case_id, slot, each)
    except InvalidData as fault:
        attempt = Attempt({f"material-{key}": fault.message}, fault.message)
        return case.answer(request, case_id, "materials", attempt, 422)
    return page.redirect(request, "case_tab", case_id=case_id, tab="materials")


def _slot(request: Request, case_id: int, key: str) -> MaterialSlot:
    with page.reading(request) as session:
        found = case_type_of(session, scope.find(session, page.actor(request), case_id))
    for slot in found.materials:
        if slot.key == key:
            return slot
    raise NotFound("这类办件没有这一项材料。请从材料页进入。")


def _keep(request: Request, case_id: int, slot: MaterialSlot, file: UploadFile) -> None:
    """Receive a file outside any transaction, then put it in its place."""
    chunks = iter(lambda: file.file.read(CHUNK_BYTES), b"")
    received = material.receive(page.office(request).files, slot, file.filename or "", chunks)
    replaced = digits(page.form(request).get("replaces"))
    with page.writing(request) as session:
        if replaced is not None:
            material.replace_material(session, page.actor(request), case_id, replaced, received)
        else:
            material.add_material(session, page.actor(request), case_id, received)


def remove(request: Request) -> Response:
    """Take a file out of its slot; it stays in the record."""
    case_id = request.path_params["case_id"]
    with page.writing(request) as session:
        material.remove_material(session, page.actor(request), case_id, request.path_params["material_id"])
    return page.redirect(request, "case_tab", case_id=case_id, tab="materials")
