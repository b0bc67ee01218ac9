"""Named variants 质检方案配置 that planners lay over a scheme: checks off, other tolerances; kept and used again."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, select

from domain.actor import Actor
from domain.command import Work, command
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.inspection.task import access, engine
from domain.inspection.task.access import CITY, LAY_OUT
from domain.inspection.task.tables import InspectionVariant

LONGEST_TITLE = 60


def variants(session: Session, scheme: str | None = None) -> list[InspectionVariant]:
    """The variants in use, of one scheme or of all, by title."""
    statement = select(InspectionVariant).where(col(InspectionVariant.deleted_at).is_(None))
    if scheme is not None:
        statement = statement.where(InspectionVariant.scheme == scheme)
    return list(session.exec(statement.order_by(InspectionVariant.scheme, InspectionVariant.title)).all())


def variant(session: Session, variant_id: int) -> InspectionVariant:
    """One variant; NotFound for one that was deleted."""
    found = session.get(InspectionVariant, variant_id)
    if found is None or found.deleted_at is not None:
        raise NotFound("没有这份方案配置，它可能已删除。请从方案配置列表进入。")
    return found


def require_own(actor: Actor, row: InspectionVariant) -> None:
    """Raise NotAllowed for whoever neither made the variant nor lays out schemes for the whole city."""
    if row.created_by != actor.person_id and not access.may(actor, LAY_OUT, CITY):
        raise NotAllowed("方案配置由保存它的人或市级人员改动。要用别的要求，请另存一份。")


@command("inspection.lay_out", allow=access.holders(LAY_OUT))
def save(
    work: Work, scheme: str, title: str, off: Sequence[str], parameters: Mapping[str, str], note: str = "",
    variant_id: int | None = None, version: int | None = None,
) -> InspectionVariant:  # fmt: skip
    """Keep a variant of a scheme. Raises InvalidData for a name that is taken or a value that the rule set does not take."""
    named = title.strip()
    if not named or len(named) > LONGEST_TITLE:
        raise InvalidData("请填写配置的名称。", {"title": f"请填写名称，不超过 {LONGEST_TITLE} 字"})
    taken = select(InspectionVariant.id).where(InspectionVariant.scheme == scheme, InspectionVariant.title == named, col(InspectionVariant.deleted_at).is_(None))
    if work.session.exec(taken.where(col(InspectionVariant.id) != (variant_id or 0))).first() is not None:
        raise InvalidData(f"这个方案已有名为「{named}」的配置。请换一个名称。", {"title": "名称已有"})
    kept = engine.checked_variant(work, scheme, off, parameters)
    row = _row(work, variant_id, version, scheme)
    row.title, row.off, row.parameters, row.note, row.changed_at = named, list(kept[0]), dict(kept[1]), note.strip(), work.at
    work.session.add(row)
    work.session.flush()
    work.record(f"inspection_variant:{row.id}", scheme=scheme, off=row.off, parameters=row.parameters)
    return row


def _row(work: Work, variant_id: int | None, version: int | None, scheme: str) -> InspectionVariant:
    if variant_id is None:
        return InspectionVariant(scheme=scheme, title="", created_by=work.actor.person_id or 0, created_by_name=work.actor.name, changed_at=work.at)
    row = variant(work.session, variant_id)
    require_own(work.actor, row)
    if row.version != version:
        raise Conflict("这份配置在你打开页面之后被改过，本次没有保存。请刷新页面后再改。")
    row.version += 1
    return row


@command("inspection.drop_variant", allow=access.holders(LAY_OUT))
def delete(work: Work, variant_id: int, version: int) -> None:
    """Take a variant from the choices; tasks that used it keep what it said."""
    row = variant(work.session, variant_id)
    require_own(work.actor, row)
    if row.version != version:
        raise Conflict("这份配置在你打开页面之后被改过，本次没有删除。请刷新页面后再办。")
    row.deleted_at = work.at
    work.session.add(row)
    work.record(f"inspection_variant:{row.id}", act="delete")
