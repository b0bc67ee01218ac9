"""Short words for what people do to a case of a shipped case type, for tests."""

from typing import Any

from sqlmodel import col, select

from domain import decision
from domain.actor import Actor
from domain.case import actions, draft, prefill
from domain.case.definition import case_type_of
from domain.case.tables import Case, Material, Task
from domain.file_store import register
from domain.portal_clock import now
from portal.database import Database


class Walk:
    """One case on its way; partners are asked before the transaction, as the screens do."""

    def __init__(self, database: Database, starter: Actor, case_type: str, **options: Any) -> None:
        self.database = database
        with database.writing() as session:
            self.id = draft.open_draft(session, starter, case_type, **options).id

    @property
    def case(self) -> Case:
        with self.database.reading() as session:
            return session.get(Case, self.id)

    def open_tasks(self) -> list[Task]:
        with self.database.reading() as session:
            found = select(Task).where(Task.case_id == self.id, col(Task.status).in_(("ready", "held")))
            return list(session.exec(found.order_by(col(Task.id))).all())

    def task(self, step: str) -> int:
        return next(task.id for task in self.open_tasks() if task.step == step)

    def fill(self, actor: Actor, step: str, **values: Any) -> dict[str, str]:
        """Save form values; outside providers are asked again first and afterwards."""
        posted = {key: value if isinstance(value, list) else [str(value)] for key, value in values.items()}
        with self.database.writing() as session:
            faults = draft.save(session, actor, self.task(step), posted)[1]
        with self.database.reading() as session:
            case = session.get(Case, self.id)
            names = prefill.providers_of(case_type_of(session, case).form)
            gathered = decision.gather_outside(session, actor, case, (), names)
        with self.database.writing() as session:
            draft.save(session, actor, self.task(step), {}, gathered=gathered)
        return faults

    def attach(self, slot: str, content: bytes, name: str, media_type: str) -> None:
        with self.database.writing() as session:
            digest = register(session, self.database.office.files.put_bytes(content, name), now())
            session.add(Material(case_id=self.id, slot=slot, name=name, digest=digest, size=len(content),
                                 media_type=media_type, uploaded_at=now()))
            session.commit()

    def act(self, actor: Actor, step: str, action: str, opinion: str = "同意", **arguments: Any) -> Case:
        """Take an action in its two phases."""
        task_id = self.task(step)
        with self.database.reading() as session:
            gathered = actions.outside_facts(session, actor, task_id, action)
        with self.database.writing() as session:
            return actions.take_action(
                session, actor, task_id, action, opinion=opinion, gathered=gathered, arguments=arguments or None
            )
