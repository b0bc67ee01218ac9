"""Certificates of inspections: the download, and the page on which anyone who has certificate and package verifies them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlmodel import Session
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from domain.errors import InvalidData, Refused
from domain.file_store import CHUNK_BYTES
from domain.inspection.task import access, engine
from domain.inspection.task.tables import InspectionRun, InspectionTask
from views import page
from views.files import disposition
from views.posted import FieldFault, by_field, faults_of, text, upload
from views.shell import Crumb

LARGEST_CERTIFICATE = 1024 * 1024
LARGEST_MB = 200


@dataclass(frozen=True)
class VerifyPage:
    """The context of inspections/verify.html."""

    checks: Sequence[Mapping[str, Any]]
    facts: Sequence[Mapping[str, Any]]
    state: str
    faults: tuple[FieldFault, ...]
    errors: Mapping[str, str]
    largest_mb: int = LARGEST_MB


def download(request: Request) -> Response:
    """The certificate as JSON. Raises Refused where there is none: only a package that passed has one."""
    with page.reading(request) as session:
        task, run = _certified(session, request)
        content = engine.certificate_text(session, run)
    return _attached(content, "application/json", f"{task.number}_第{run.package_no}包_质检证书.json")


def rules(request: Request) -> Response:
    """The scheme and rules that the certificate rests on, as a zip for `portal inspect --rules`. Raises Refused, NotFound."""
    with page.reading(request) as session, TemporaryDirectory() as folder:
        task, run = _certified(session, request)
        path = Path(folder) / "rules.zip"
        engine.write_rules(session, run, task, path)
        content, name = path.read_bytes(), f"{task.number}_第{run.package_no}包_质检规则.zip"
    return _attached(content, "application/zip", name)


def _certified(session: Session, request: Request) -> tuple[InspectionTask, InspectionRun]:
    task, run = access.run_of(session, page.actor(request), request.path_params["run_id"])
    if not run.certificate or not run.is_passed:
        raise Refused("这次质检没有证书：合格以后才发证书。请改正错误后重新上传。")
    return task, run


def _attached(content: str | bytes, kind: str, name: str) -> Response:
    return Response(content, media_type=kind, headers={"Content-Disposition": disposition("attachment", name), "Cache-Control": "no-store"})


def verify(request: Request) -> Response:
    """The form, and what the portal can say of a certificate and a package at once."""
    if request.method == "GET":
        return _page(request, (), (), "")
    try:
        given, digest = _certificate(upload(request, "certificate")), _package_digest(request)
        with page.reading(request) as session:
            checks, facts = engine.verified(session, given, digest)
    except InvalidData as fault:
        return _page(request, (), (), "", faults_of(fault), 422)
    return _page(request, checks, facts, "genuine" if all(each["is_passed"] for each in checks) else "changed")


def _certificate(file: UploadFile) -> str:
    data = file.file.read(LARGEST_CERTIFICATE + 1)
    if len(data) > LARGEST_CERTIFICATE:
        raise InvalidData("选的文件不是质检证书（JSON）。请选择从本系统下载的证书文件。", {"certificate": "不是质检证书"})
    return data.decode("utf-8-sig", errors="replace")


def _package_digest(request: Request) -> str:
    """SM3 of the posted package, else the digest that was typed."""
    file = page.form(request).get("package")
    if isinstance(file, UploadFile) and file.filename:
        hasher = hashlib.new("sm3")
        while chunk := file.file.read(CHUNK_BYTES):
            hasher.update(chunk)
        return hasher.hexdigest()
    typed = text(request, "digest", 80).replace(" ", "").lower()
    if not typed:
        raise InvalidData("请选择数据包，或填写自己算出的 SM3 摘要。", {"package": "请选择数据包或填写摘要"})
    return typed


def _page(
    request: Request, checks: Sequence[Mapping[str, Any]], facts: Sequence[Mapping[str, Any]], state: str, faults: tuple[FieldFault, ...] = (), status: int = 200
) -> Response:
    context = VerifyPage(checks, facts, state, faults, by_field(faults))
    return page.render(request, "inspections/verify.html", context, title="核验质检证书", crumbs=(Crumb("核验质检证书"),), current="verify", status=status)
