"""Whether a step's form and materials are complete; the one check before a case moves on."""

from sqlmodel import Session, col, select

from domain import decision
from domain.actor import Actor
from domain.case import filled_form
from domain.case.definition import case_type_of
from domain.case.tables import Case, Material, Task
from domain.errors import InvalidData
from rules.engine import Decision


def faults(session: Session, actor: Actor, case: Case, task: Task) -> dict[str, str]:
    """What is missing or wrong, by field or material key, in the order of the page."""
    form = filled_form.bind(session, case, task)

    def ask(rule_set: str) -> Decision:
        return decision.decide(session, actor, case, rule_set, task=task)

    return {**form.check(ask), **_missing_materials(session, case, task)}


def must_be_complete(session: Session, actor: Actor, case: Case, task: Task) -> None:
    """Raise InvalidData with every fault if the case cannot leave its step."""
    found = faults(session, actor, case, task)
    if found:
        raise InvalidData(f"还有 {len(found)} 处要改，改好后才能提交。", found)


def _missing_materials(session: Session, case: Case, task: Task) -> dict[str, str]:
    definition = case_type_of(session, case)
    statement = select(Material.slot).where(
        Material.case_id == case.id, col(Material.replaced_by).is_(None), col(Material.removed_at).is_(None)
    )
    given = set(session.exec(statement).all())
    here = [m for m in definition.materials if task.step in (m.collected_in or (definition.workflow.start,))]
    facts = filled_form.facts(session, case)
    return {
        f"material-{slot.key}": f"缺少「{slot.label}」。请在材料一栏上传。"
        for slot in here
        if slot.key not in given and (slot.required or (slot.required_when is not None and slot.required_when.holds(facts)))
    }


