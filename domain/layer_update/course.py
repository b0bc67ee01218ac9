"""The course of an update: asked for, read, decided where cases hold patches, confirmed, applied or given up; and the way back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import col, select

from domain import job as jobs
from domain.command import Work, command
from domain.errors import Conflict, InvalidData, Refused
from domain.file_store import ReceivedFile
from domain.file_store import register as register_file
from domain.job import Job
from domain.layer import (
    Feature,
    LayerEdition,
    catalogue,
    edition_on,
    layer_definition,
    layer_of,
    require_change,
    restore_former,
)
from domain.layer.edition import stale_words
from domain.layer.reading import find_edition_on
from domain.layer.rights import data_managers
from domain.layer_update.access import home_of, lock
from domain.layer_update.definition import ANNUAL, LONGEST_REASON, OF_THE_WHOLE, UpdateRequest
from domain.layer_update.marks import CHOICES, bring_back
from domain.layer_update.tables import (
    APPLIED,
    APPLYING,
    DROPPED,
    READING,
    READY,
    REFUSED,
    LayerUpdate,
)
from domain.portal_clock import local_date

READ_KIND, APPLY_KIND = "layer_update_read", "layer_update_apply"


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why, by which case, from which day, of which year, and on which edition (its number; 0: no data yet)."""

    reason: str
    effective_on: date
    expected: int
    case_id: int | None = None
    data_year: int | None = None


@command("layer_update.request", allow=data_managers)
def request(work: Work, layer_key: str, asked: UpdateRequest, grounds: Grounds, files: Sequence[ReceivedFile] = ()) -> LayerUpdate:
    """Ask for an update; a job reads what was uploaded and works the difference out. Nothing in the layer changes.

    Raises InvalidData by field, NotAllowed beyond one's district, Conflict if the layer is not the expected edition any more.
    """
    definition = layer_definition(layer_key)
    catalogue.require(work.actor, layer_key)
    asked = asked.checked(definition)
    _check_grounds(work, layer_key, asked, grounds)
    if asked.district:
        require_change(work.actor, [asked.district])
    elif asked.way in OF_THE_WHOLE:
        require_change(work.actor)
    for each in files:
        register_file(work.session, each, work.at)
    row = LayerUpdate(
        layer_key=layer_key, way=asked.way, district_code=home_of(work.actor), asked=asked.as_document(), reason=grounds.reason,
        case_id=grounds.case_id, effective_on=grounds.effective_on, data_year=grounds.data_year, expected=grounds.expected,
        asked_by=work.actor.person_id, asked_by_name=work.actor.name, asked_at=work.at,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    row.job_id = jobs.enqueue(work, READ_KIND, f"读取“{definition.title}”的更新数据", {"layer": layer_key, "update": row.id}).id
    work.session.add(row)
    work.record(f"layer_update:{row.id}", layer=layer_key, way=row.way, expected=row.expected)
    return row


def _check_grounds(work: Work, layer_key: str, asked: UpdateRequest, grounds: Grounds) -> None:
    last = find_edition_on(work.session, layer_key)
    if grounds.expected != (last.number if last else 0):
        raise Conflict(f"{stale_words(layer_of(work.session, layer_key), last)}没有提交。请刷新页面，看过现在的内容后再提交。")
    wrong = {}
    if not grounds.reason and grounds.case_id is None:
        wrong["reason"] = "请填写更新理由，或填写所依据的办件编号"
    if len(grounds.reason) > LONGEST_REASON:
        wrong["reason"] = f"理由不能超过 {LONGEST_REASON} 字"
    today = local_date(work.at)
    if grounds.effective_on > today or (last is not None and grounds.effective_on < last.effective_on):
        earliest = f"不早于现行版本的 {last.effective_on:%Y-%m-%d}，" if last else ""
        wrong["effective_on"] = f"生效日期应{earliest}不晚于今天"
    if asked.way == ANNUAL and (year_fault := _year_fault(grounds, last, today)):
        wrong["data_year"] = year_fault
    if wrong:
        raise InvalidData("；".join(wrong.values()) + "。", wrong)


def _year_fault(grounds: Grounds, last: LayerEdition | None, today: date) -> str:
    if grounds.data_year is None:
        return "请填写数据年度"
    if not 2000 <= grounds.data_year <= today.year:
        return f"数据年度应在 2000 与 {today.year} 之间"
    if last is not None and last.data_year is not None and grounds.data_year < last.data_year:
        return f"图层现在已是 {last.data_year} 年度，不能用更早年度的数据更新"
    return ""


@command("layer_update.decide", allow=data_managers)
def decide(work: Work, layer_key: str, update_id: int, version: int, choices: Mapping[str, str], reason: str) -> LayerUpdate:
    """Decide conflicts with marks: by key of the patch keep or take, with the reason for all of them. Who and when is kept."""
    row = lock(work, layer_key, update_id, version)
    _must_wait(row)
    open_keys = {each["key"] for each in row.found.get("conflicts", ())}
    if not choices or not set(choices) <= open_keys or not set(choices.values()) <= set(CHOICES):
        raise InvalidData("请逐块选择怎么处理，再提交。", {"choices": "请选择怎么处理"})
    if not reason or len(reason) > LONGEST_REASON:
        raise InvalidData(f"请写明处理理由，不超过 {LONGEST_REASON} 字。", {"reason": "请写明处理理由"})
    told = {"reason": reason, "by": work.actor.name, "by_id": work.actor.person_id, "at": work.at.isoformat()}
    row.decisions = {**row.decisions, **{key: {"choice": choice, **told} for key, choice in choices.items()}}
    return changed(work, row, decided=len(choices))


@command("layer_update.confirm", allow=data_managers)
def confirm(work: Work, layer_key: str, update_id: int, version: int) -> LayerUpdate:
    """Queue the applying of an update that was looked at. Raises Refused while it cannot be done or conflicts are open."""
    row = lock(work, layer_key, update_id, version)
    _must_wait(row)
    if refusals := row.found.get("refusals"):
        raise Refused(f"没有更新：{refusals[0]}")
    if undecided := [each["key"] for each in row.found.get("conflicts", ()) if each["key"] not in row.decisions]:
        raise Refused(f"没有更新：地块 {'、'.join(undecided[:5])} 等 {len(undecided)} 个有占用标记，还没有决定怎么处理。请先逐块决定。")
    row.state = APPLYING
    title = layer_definition(layer_key).title
    row.job_id = jobs.enqueue(work, APPLY_KIND, f"更新“{title}”", {"layer": layer_key, "update": row.id}, case_id=row.case_id).id
    return changed(work, row)


@command("layer_update.compare_again", allow=data_managers)
def compare_again(work: Work, layer_key: str, update_id: int, version: int) -> LayerUpdate:
    """Compare what was uploaded with the layer as it stands now; what was decided is asked again."""
    row = lock(work, layer_key, update_id, version)
    _must_wait(row)
    last = find_edition_on(work.session, layer_key)
    row.expected, row.state, row.decisions = last.number if last else 0, READING, {}
    row.effective_on = max(row.effective_on, last.effective_on) if last else row.effective_on
    title = layer_definition(layer_key).title
    row.job_id = jobs.enqueue(work, READ_KIND, f"读取“{title}”的更新数据", {"layer": layer_key, "update": row.id}).id
    return changed(work, row)


def _must_wait(row: LayerUpdate) -> None:
    if row.state not in (READY, REFUSED):
        words = {APPLIED: "已经更新入库", APPLYING: "正在更新", READING: "还在读取", DROPPED: "已经放弃"}
        raise Conflict(f"这次更新{words[row.state]}，不能再改。请刷新页面。")


@command("layer_update.drop", allow=data_managers)
def drop(work: Work, layer_key: str, update_id: int, version: int) -> LayerUpdate:
    """Give an update up; the layer stays as it is. A job that still reads is asked to end."""
    row = lock(work, layer_key, update_id, version)
    job = work.session.get(Job, row.job_id) if row.job_id else None
    is_running = job is not None and job.is_unfinished
    if row.state == APPLIED or (row.state == APPLYING and is_running):
        raise Conflict("这次更新已经入库或正在入库，不能放弃。需要退回的，请用「回退到上一版」。")
    if is_running:
        jobs.ask_end(work, job)
    row.state = DROPPED
    return changed(work, row)


def changed(work: Work, row: LayerUpdate, **told: Any) -> LayerUpdate:
    """Note a change of an update."""
    row.version += 1
    work.session.add(row)
    work.record(f"layer_update:{row.id}", layer=row.layer_key, state=row.state, **told)
    return row


@command("layer.restore", allow=data_managers)
def restore(work: Work, layer_key: str, expected: int, reason: str) -> LayerEdition:
    """回退到上一版: a new edition that holds what the former one held; marks that the present one released come back.

    Raises Conflict if the present edition is not the expected one, Refused if it cannot be taken back, NotAllowed beyond
    one's district.
    """
    if not reason or len(reason) > LONGEST_REASON:
        raise InvalidData(f"请写明回退理由，不超过 {LONGEST_REASON} 字。", {"reason": "请写明回退理由"})
    layer = layer_of(work.session, layer_key)
    catalogue.require(work.actor, layer_key)
    present_edition = edition_on(work.session, layer_key)
    touched = select(Feature.district_code).where(Feature.layer_id == layer.id).distinct()
    touched = touched.where((Feature.from_number == expected) | (col(Feature.until_number) == expected))
    require_change(work.actor, None if present_edition.extent == "whole" else work.session.exec(touched).all())
    made = restore_former(work, layer_key, local_date(work.at), expected, reason)
    statement = select(LayerUpdate).where(LayerUpdate.layer_key == layer_key, LayerUpdate.edition_number == expected)
    for row in work.session.exec(statement).all():
        bring_back(work, row.found.get("released", ()))
    return made
