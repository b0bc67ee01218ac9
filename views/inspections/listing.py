"""The list of inspection tasks, and a new one from uploads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from domain.district import load_account_areas
from domain.errors import InvalidData
from domain.file_store import CHUNK_BYTES
from domain.format import moment
from domain.inspection.task import access, course, engine, listing, package, variant
from domain.inspection.task.access import CITY, INSPECT, LAY_OUT
from domain.inspection.task.listing import SORTS, TaskQuery
from domain.inspection.task.package import LARGEST_MB, ReceivedPackage
from domain.inspection.task.tables import STATES, InspectionTask
from views import page
from views.inspections.words import STATE_WORDS, area_name, crumbs, may, state_tag, url
from views.posted import FieldFault, by_field, faults_of, given_texts, number, text
from views.shell import Crumb

MOST_FILES = 20


@dataclass(frozen=True)
class ListPage:
    """The context of inspections/index.html."""

    rows: Sequence[Mapping[str, Any]]
    fields: Sequence[Mapping[str, Any]]
    query: Mapping[str, str]
    total: int
    next_href: str | None
    first_href: str | None
    sorts: Sequence[Mapping[str, Any]]
    may_start: bool
    may_lay_out: bool
    is_deleted: bool


@dataclass(frozen=True)
class NewPage:
    """The context of inspections/new.html."""

    schemes: Sequence[Mapping[str, str]]
    variants: Sequence[Mapping[str, str]]
    districts: Sequence[Mapping[str, str]]
    faults: tuple[FieldFault, ...]
    given: Mapping[str, str]
    largest_mb: int = LARGEST_MB
    most_files: int = MOST_FILES
    errors: Mapping[str, str] = field(default_factory=dict)


def show(request: Request) -> Response:
    """The tasks in one's scope: searched, filtered, sorted, paged."""
    query = _query(request)
    with page.reading(request) as session:
        titles = engine.titles()
        found = listing.page_of(session, page.actor(request), query)
        rows = [_row(request, each, titles) for each in found.rows]
    kept = _kept(query)
    context = ListPage(
        rows, _fields(request, query, titles), kept, found.total,
        url(request, "inspections", {**kept, "after": found.next}) if found.next else None,
        url(request, "inspections", kept) if query.after else None,
        [{"href": url(request, "inspections", {**kept, "sort": sort}), "label": label, "is_current": query.sort == sort}
         for sort, label in zip(SORTS, ("最新在前", "最早在前", "错误最多在前"), strict=True)],
        may(request, INSPECT), may(request, LAY_OUT), query.deleted,
    )  # fmt: skip
    title = "已删除的质检任务" if query.deleted else "质检任务"
    place = crumbs(Crumb("已删除")) if query.deleted else ()
    return page.render(request, "inspections/index.html", context, title=title, crumbs=place, current="inspections", audience="bench")


def _query(request: Request) -> TaskQuery:
    given = request.query_params
    sort = given.get("sort", "")
    return TaskQuery(
        words=given.get("words", "").strip()[:100], scheme=given.get("scheme", ""), state=given.get("state", ""),
        district=given.get("district", ""), sort=sort if sort in SORTS else SORTS[0], after=given.get("after", "")[:40],
        deleted=given.get("deleted") == "1",
    )  # fmt: skip


def _kept(query: TaskQuery) -> dict[str, str]:
    """The query as it stands in addresses, without its place in the pages."""
    found = {name: getattr(query, name) for name in ("words", "scheme", "state", "district")}
    found |= {"sort": "" if query.sort == SORTS[0] else query.sort, "deleted": "1" if query.deleted else ""}
    return {name: value for name, value in found.items() if value}


def _fields(request: Request, query: TaskQuery, titles: Mapping[str, str]) -> list[Mapping[str, Any]]:
    return [
        {"name": "words", "label": "名称、编号、提交人", "value": query.words},
        {"name": "scheme", "label": "质检方案", "kind": "select", "value": query.scheme, "choices": _choices(titles)},
        {"name": "state", "label": "状态", "kind": "select", "value": query.state, "choices": _choices({key: STATE_WORDS[key] for key in STATES})},
        {"name": "district", "label": "行政区", "kind": "select", "value": query.district, "choices": _districts(request, access.SEE)},
    ]


def _choices(words: Mapping[str, str]) -> list[Mapping[str, str]]:
    return [{"value": key, "label": label} for key, label in words.items()]


def _districts(request: Request, right: str) -> list[Mapping[str, str]]:
    """The districts in which one has the right; the whole city first for those of the city."""
    allowed = access.districts_for(page.actor(request), right)
    areas = {CITY: "全市", **{area.code: area.name for area in load_account_areas()}}
    return _choices({code: name for code, name in areas.items() if allowed is None or code in allowed})


def _row(request: Request, task: InspectionTask, titles: Mapping[str, str]) -> Mapping[str, Any]:
    packages = f"{task.passed_count} / {task.package_count} 个合格" if task.is_batch else "1 个"
    name: dict[str, Any] = {"text": task.title, "sub": task.number + ("　演示生成" if task.is_generated else "")}
    if task.deleted_at is None:
        name["href"] = url(request, "inspection", task_id=task.id)
    return {
        "id": f"task-{task.id}", "task": task,
        "cells": {
            "title": name, "scheme": titles.get(task.scheme, task.scheme), "district": area_name(task.district_code),
            "packages": packages, "state": {"tag": state_tag(task.state)}, "errors": f"{task.error_count:,}",
            "changed": {"text": moment(task.changed_at), "sub": task.changed_by_name},
        },
    }  # fmt: skip


def new(request: Request) -> Response:
    """The form of a new task, and what was posted with it."""
    if request.method == "GET":
        return _new_page(request, ())
    try:
        task = _create(request)
    except InvalidData as fault:
        return _new_page(request, faults_of(fault), 422)
    return page.redirect(request, "inspection", task_id=task.id)


def _create(request: Request) -> InspectionTask:
    district = text(request, "district", 16)
    access.require(page.actor(request), INSPECT, district or None)
    packages = tuple(_packages(request))
    with page.writing(request) as session:
        return course.create(
            session, page.actor(request), text(request, "scheme", 64), text(request, "title", 200), district, packages,
            number(request, "variant"),
        )  # fmt: skip


def _packages(request: Request) -> Iterator[ReceivedPackage]:
    """Every package of every file that was posted, streamed into the file store."""
    files = [each for each in page.form(request).getlist("files") if isinstance(each, UploadFile) and each.filename]
    if len(files) > MOST_FILES:
        raise InvalidData(f"一次最多上传 {MOST_FILES} 个文件。请分成几次上传。", {"files": f"最多 {MOST_FILES} 个文件"})
    for each in files:
        yield from received(request, each)


def received(request: Request, file: UploadFile) -> tuple[ReceivedPackage, ...]:
    """The packages of one posted file. Raises InvalidData at the field."""
    try:
        return package.receive(page.office(request).files, file.filename or "", iter(lambda: file.file.read(CHUNK_BYTES), b""))
    except InvalidData as fault:
        raise InvalidData(fault.message, {"files": fault.message}) from fault


def _new_page(request: Request, faults: tuple[FieldFault, ...], status: int = 200) -> Response:
    with page.reading(request) as session:
        given = dict(given_texts(request)) or {"scheme": request.query_params.get("scheme", "")}
        districts = _districts(request, INSPECT)
        context = NewPage(_choices(engine.titles()), _variants(session), districts, faults, _filled(given, districts), errors=by_field(faults))
    return page.render(
        request, "inspections/new.html", context, title="新建质检任务", crumbs=crumbs(Crumb("新建任务")), current="inspections",
        audience="bench", status=status,
    )  # fmt: skip


def _filled(given: Mapping[str, str], districts: Sequence[Mapping[str, str]]) -> dict[str, str]:
    only = districts[0]["value"] if len(districts) == 1 else ""
    return {"scheme": "", "title": "", "variant": "", "district": only, **given}


def _variants(session: Session) -> list[Mapping[str, str]]:
    titles = engine.titles()
    return [{"value": str(each.id), "label": f"{titles.get(each.scheme, each.scheme)}：{each.title}"} for each in variant.variants(session)]

