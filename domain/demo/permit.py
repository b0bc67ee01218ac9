"""Demo permits at different steps, and contracts whose payments fall due around the day of loading.

Everybody acts as in daily work: the acts of the case engine are used, each in the name of the demo account whose step
it is, all in the transaction of the loader. Reports and pushes go out when the portal starts.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sqlmodel import col, select

from domain import case_range, contract, portal_clock
from domain.actor import Actor
from domain.case import actions, correction, draft
from domain.case.tables import Case, Material, Task
from domain.case_range import RangeUpload
from domain.command import Work
from domain.contract import AgreedPayment, Contract
from domain.document.content import DocumentContent
from domain.document.rendering import preview_imprint, render_pdf
from domain.errors import NotFound
from domain.file_store import register
from domain.office import office_of
from domain.person import Organisation, Person, actor_of

FILE = Path(__file__).parent.parent / "reference" / "demo" / "permits.yaml"
ACTIONS = {"apply": "submit", "window": "accept", "pre_review": "pass", "review": "pass", "chief_review": "agree", "approve": "grant"}
"""The action by which a demo case leaves a step."""


@cache
def _document() -> Mapping[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def load(work: Work) -> None:
    """Make the demo permits and contracts."""
    applicant = _applicant(work)
    for entry in _document()["permit"]["cases"]:
        _permit(work, applicant, entry)
    for row in _document()["contracts"]["rows"]:
        _contract(work, row)


def _applicant(work: Work) -> Actor:
    """The handler of the sample enterprise; who signs in through the simulator belongs to the same enterprise."""
    given = _document()["organisation"]
    found = work.session.exec(select(Organisation).where(Organisation.credit_code == given["credit_code"])).first()
    organisation = found or Organisation(name=given["name"], kind="enterprise", credit_code=given["credit_code"])
    organisation.detail = {key: given[key] for key in ("legal_representative", "address")}
    work.session.add(organisation)
    work.session.flush()
    person = Person(is_applicant=True, is_demo=True, organisation_id=organisation.id, created_at=work.at, **_document()["applicant"])
    work.session.add(person)
    work.session.flush()
    return actor_of(work.session, person.id)


def _officer(work: Work, step: str) -> Actor:
    login = _document()["permit"]["officers"][step]
    person_id = work.session.exec(select(Person.id).where(Person.login == login)).first()
    if person_id is None:
        raise NotFound(f"没有演示账号 {login}，不能装入演示办件。请先装入演示账号。")
    return actor_of(work.session, person_id)


def _permit(work: Work, applicant: Actor, entry: Mapping[str, Any]) -> None:
    """One case, handled step by step until it stands where it is to stand."""
    given = _document()["permit"]
    mine = replace(work, actor=applicant)
    case = draft.open_draft.__wrapped__(mine, given["case_type"])
    values = {**given["values"], **entry["values"], "district": given["district"]}
    _save(mine, case, values)
    while (step := case.steps) != entry["to"]:
        acting = mine if step == "apply" else replace(work, actor=_officer(work, step))
        _prepare(acting, case, step, entry)
        actions.take_action.__wrapped__(acting, _task(work, case).id, ACTIONS[step], opinion="同意（样例意见）")
        work.session.flush()
    if asked := entry.get("correction"):
        acting = replace(work, actor=_officer(work, case.steps))
        correction.ask_correction.__wrapped__(acting, _task(work, case).id, [asked], "请补正后提交（样例）")


def _task(work: Work, case: Case) -> Task:
    statement = select(Task).where(Task.case_id == case.id, col(Task.status).in_(("ready", "held")), Task.kind == "step")
    return work.session.exec(statement.order_by(col(Task.id).desc()).limit(1)).one()


def _save(work: Work, case: Case, values: Mapping[str, str]) -> None:
    draft.save.__wrapped__(work, _task(work, case).id, {key: [value] for key, value in values.items()})


def _prepare(work: Work, case: Case, step: str, entry: Mapping[str, Any]) -> None:
    """What the step asks for before it can be left."""
    if step == "apply":
        _attach(work, case)
    elif step == "window":
        _save(work, case, {"marked": entry.get("quick", "false")})
    elif step == "review":
        _save(work, case, {"may_publish": "true"})


def _attach(work: Work, case: Case) -> None:
    """The range, confirmed as people do; and a drawing and a letter that say that they are samples."""
    files = office_of(work.session).files
    content = _document()["permit"]["range"].encode()
    upload = RangeUpload(case_range.receive(files, "样例范围.txt", content), "样例范围.txt", name="样例管线范围")
    row = case_range.read_upload.__wrapped__(work, case.id, upload)
    work.session.flush()
    case_range.confirm.__wrapped__(work, case.id, row.id)
    for slot, name in (("application_drawing", "样例图纸.pdf"), ("commitment_letter", "样例承诺书.pdf")):
        received = files.put_bytes(_sample_pdf(name), name, allowed=("pdf",))
        work.session.add(Material(
            case_id=case.id, slot=slot, name=name, digest=register(work.session, received, work.at), size=received.size_bytes,
            media_type=received.file_type.media_type, uploaded_at=work.at, uploaded_by=work.actor.person_id, step="apply",
        ))  # fmt: skip
    work.session.flush()


@cache
def _sample_pdf(name: str) -> bytes:
    said = ("本文件为演示样例，不是真实材料。",)
    content = DocumentContent("notice", name.removesuffix(".pdf"), _document()["organisation"]["name"], paragraphs=said)
    return render_pdf(content, preview_imprint(""))


def _contract(work: Work, row: Mapping[str, Any]) -> None:
    given, today = _document()["contracts"], portal_clock.today(work.session)
    agreed = [
        AgreedPayment(each["item"], Decimal(each["amount"]), today + timedelta(days=each["days"])) for each in row["payments"]
    ]
    contract.opened(work, given["case_type"], Contract(
        contract_number=row["contract"], electronic_number=row["electronic"], plot_number=row["plot"],
        plot_location=row["location"], plot_area_m2=Decimal(row["area_m2"]), district_code=row["district"],
        transferor=given["transferor"], transferee=row["transferee"], signed_on=today - timedelta(days=200),
        terms=given["terms"], payments=tuple(agreed),
    ))  # fmt: skip
