"""Demo books: the year's ledgers opened from the generated cadastre, and reserve plans in different states.

The plans go the way that real ones go: the same gates, marks, postings and papers, each act by the demo account whose
turn it is. Everything is marked 样例.
"""

import dataclasses
import io
from collections.abc import Mapping, Sequence
from typing import Any

import openpyxl
from sqlmodel import Session, col, select

from domain import layer, plot
from domain.actor import Actor
from domain.case import draft
from domain.case.actions import take_action
from domain.case.tables import Case, Material, Task
from domain.command import Work
from domain.district import district_name
from domain.errors import Refused
from domain.file_store import register
from domain.ledger.opening import open_year
from domain.office import office_of
from domain.person import Person, actor_of
from domain.portal_clock import local_date
from rules.case_type import CaseType

REVIEWERS = {"district_review": "district_leader.{district}", "city_review": "city_handler", "city_leader_review": "city_leader",
             "bureau_review": "bureau_leader"}
PLANS = (
    {"district": "310118", "kind": "annual", "plots": 30, "skip": 0, "until": "end", "name": "青浦区年度预存（样例）"},
    {"district": "310118", "kind": "supplement", "plots": 6, "skip": 30, "until": "city_review", "name": "青浦区补充地块预存第一批（样例）"},
    {"district": "310118", "kind": "supplement", "plots": 4, "skip": 36, "until": "apply", "name": "青浦区补充地块预存第二批（样例）"},
    {"district": "310115", "kind": "annual", "plots": 40, "skip": 0, "until": "end", "name": "浦东新区年度预存（样例）"},
    {"district": "310100LG", "kind": "annual", "plots": 12, "skip": 0, "until": "bureau_review", "name": "临港新片区年度预存（样例）"},
)


def load(work: Work) -> None:
    """Open the books of this year and file the plans; Refused on a database that is not a demo."""
    if not office_of(work.session).is_demo:
        raise Refused("演示台账是样例，只能装入演示库。请在演示环境中操作。")
    open_year(work, local_date(work.at).year)
    definition = _definition(work)
    declaration = _declaration(work)
    for plan in PLANS:
        _file(work, definition, declaration, plan)


def _definition(work: Work) -> CaseType:
    """The case type that stores plots: the one whose workflow has that effect."""
    catalogue, today = office_of(work.session).catalogue, local_date(work.at)
    return next(each for each in catalogue.all(today) if "store_reserve" in _effects(each))


def _effects(case_type: CaseType) -> set[str]:
    actions = [action for step in case_type.workflow.steps for action in step.actions]
    return {call.name for action in actions for call in action.effects}


def _as(work: Work, login: str) -> Work:
    """The same unit of work in the name of a demo account."""
    person = work.session.exec(select(Person).where(Person.login == login)).one()
    return dataclasses.replace(work, actor=_actor(work.session, person))


def _actor(session: Session, person: Person) -> Actor:
    actor = actor_of(session, person.id)
    if actor is None:
        raise Refused(f"演示账号 {person.login} 已停用，演示台账没有装入。请换一个空库。")
    return actor


def _file(work: Work, definition: CaseType, declaration: str, plan: Mapping[str, Any]) -> None:
    """One plan from its draft to the step where it stands."""
    handler = _as(work, f"district_handler.{plan['district']}")
    values = {
        "request_kind": plan["kind"], "project_name": plan["name"], "district": plan["district"], "quota_scope": "district",
        "year": local_date(work.at).year, "reason": "按本年度各类建设行为计划占用耕地保护空间的需求摸排申报（样例）。",
    }  # fmt: skip
    case = draft.begin(handler, definition, district_code=plan["district"], values=values)
    case.title = plan["name"]
    _attach(work, case, declaration, handler.actor)
    _take_plots(handler, case, plan)
    if plan["until"] != definition.workflow.start:
        _act(handler, case, "submit", "已会同行业主管部门摸排（样例）")
        _review(work, case, plan)


def _take_plots(work: Work, case: Case, plan: Mapping[str, Any]) -> None:
    numbers = _free_plots(work, plan["district"], plan["skip"], plan["plots"])
    name = f"{plan['name']}地块.xlsx"
    received, sheet = plot.receive(office_of(work.session).files, name, [_workbook(numbers, plan["district"])])
    plot.take_in(work, _task(work.session, case), case, sheet, received, name)


def _free_plots(work: Work, district: str, skip: int, count: int) -> list[str]:
    """The numbers of some plots of a district, in order."""
    edition = layer.edition_on(work.session, plot.LAYER)
    statement = (
        select(layer.Feature.key)
        .where(layer.Feature.layer_id == edition.layer_id, layer.Feature.district_code == district)
        .where(col(layer.Feature.until_number).is_(None))
        .order_by(col(layer.Feature.key))
    )
    return list(work.session.exec(statement.offset(skip).limit(count)).all())


def _workbook(numbers: Sequence[str], district: str) -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["地块唯一编号", "行政区"])
    for number in numbers:
        book.active.append([number, district_name(district)])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _review(work: Work, case: Case, plan: Mapping[str, Any]) -> None:
    for step, login in REVIEWERS.items():
        if step == plan["until"]:
            return
        action = "approve" if step == "bureau_review" else "agree"
        _act(_as(work, login.format(district=plan["district"])), case, action, "同意（样例）")


def _act(work: Work, case: Case, action: str, opinion: str) -> None:
    """Take an action inside this unit of work: the function under the command, which does not commit."""
    take_action.__wrapped__(work, _task(work.session, case).id, action, opinion=opinion)


def _task(session: Session, case: Case) -> Task:
    statement = select(Task).where(Task.case_id == case.id, col(Task.status).in_(("ready", "held")))
    return session.exec(statement).one()


def _declaration(work: Work) -> str:
    """Digest of a sample declaration form."""
    from weasyprint import HTML

    content = HTML(string="<html lang='zh'><h1>预存申报表（样例）</h1><p>演示文件，内容为虚构。</p></html>").write_pdf()
    return register(work.session, office_of(work.session).files.put_bytes(content, "预存申报表（样例）.pdf"), work.at)


def _attach(work: Work, case: Case, digest: str, actor: Actor) -> None:
    size = office_of(work.session).files.path_of(digest).stat().st_size
    work.session.add(Material(
        case_id=case.id, slot="declaration", name="预存申报表（样例）.pdf", digest=digest, size=size, media_type="application/pdf",
        uploaded_at=work.at, uploaded_by=actor.person_id, step="apply",
    ))  # fmt: skip
    work.session.flush()
