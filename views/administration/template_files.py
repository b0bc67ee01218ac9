"""Template files: the list, one with its versions, uploading, going back, and downloading."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from domain import template_file
from domain.errors import InvalidData, NotFound
from domain.template_file import TemplateFile, TemplateSlot
from views.administration import frame
from views.page import actor, office, reading, redirect, writing
from views.posted import FieldFault, by_field, faults_of, given_texts, number, text, upload, version
from views.shell import Crumb

SECTION = "template_files"
DONE = {"put": "新版已启用。", "roll_back": "旧版内容已重新启用。"}
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class TemplatesPage:
    """The context of administration/template_files.html."""

    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class TemplatePage:
    """The context of administration/template_file.html."""

    slot: TemplateSlot
    versions: list[TemplateFile]
    given: dict[str, str]
    wrong: dict[str, str]
    errors: tuple[FieldFault, ...]
    largest_mb: int = template_file.LARGEST_MB


def list_templates(request: Request) -> Response:
    """Every template file that a case type asks for, with the version in force."""
    with reading(request) as session:
        states = template_file.states(session, office(request))
    url = request.app.state.templates.url
    rows = [
        {"cells": {
            "label": {"text": state.slot.label, "href": url("template_file_versions", key=state.slot.key)},
            "used_by": "、".join(state.slot.used_by),
            "version": state.current.version if state.current else {"tag": {"label": "缺", "tone": "warn"}},
            "name": state.current.name if state.current else None,
        }}
        for state in states
    ]
    return frame.render(request, "administration/template_files.html", TemplatesPage(rows), section=SECTION, title="模板文件")


def show(request: Request) -> Response:
    """One template file with its versions."""
    return _show(request)


def _show(request: Request, errors: tuple[FieldFault, ...] = (), status: int = 200) -> Response:
    slot = _slot(request)
    with reading(request) as session:
        versions = template_file.versions(session, slot.key)
    page = TemplatePage(slot, versions, given_texts(request), by_field(errors), errors)
    return frame.render(
        request, "administration/template_file.html", page, section=SECTION, title=slot.label, trail=(Crumb(slot.label),),
        notices=frame.done(request, DONE), status=status,
    )


def _slot(request: Request) -> TemplateSlot:
    slot = template_file.slots(office(request)).get(request.path_params["key"])
    if slot is None:
        raise NotFound("没有这个模板。请从模板文件列表进入。")
    return slot


def put(request: Request) -> Response:
    """Put an uploaded file in force as the next version."""
    slot = _slot(request)
    try:
        posted = upload(request, "file")
        content = template_file.receive(office(request).files, posted.filename, iter(lambda: posted.file.read(CHUNK_BYTES), b""))
        with writing(request) as session:
            template_file.put_version(session, actor(request), slot, content, posted.filename, text(request, "note", 200), version(request))
    except InvalidData as error:
        faults = (FieldFault(fault.field or "file", fault.text) for fault in faults_of(error))
        return _show(request, tuple(faults), 422)
    return redirect(request, "template_file_versions", key=slot.key, query={"done": "put"})


def roll_back(request: Request) -> Response:
    """Put an older version in force again."""
    slot, older = _slot(request), number(request, "older")
    try:
        with writing(request) as session:
            template_file.roll_back(session, actor(request), slot, older or 0, text(request, "note", 200), version(request))
    except InvalidData as error:
        return _show(request, faults_of(error), 422)
    return redirect(request, "template_file_versions", key=slot.key, query={"done": "roll_back"})


def download(request: Request) -> Response:
    """One version, also one that is no more in force."""
    with reading(request) as session:
        row = template_file.version_of(session, request.path_params["key"], request.path_params["version"])
    disposition = f"attachment; filename*=UTF-8''{quote(row.name, safe='')}"
    headers = {"Content-Disposition": disposition, "Content-Length": str(row.size_bytes)}
    return StreamingResponse(office(request).files.read(row.digest), media_type=row.media_type, headers=headers)
