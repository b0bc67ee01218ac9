"""The opinion that the holder of a task is writing, kept until it is given."""

from domain.case import access
from domain.case.tables import Task
from domain.command import Work, anyone_signed_in, command
from domain.errors import InvalidData

LONGEST = 4000


@command("case.draft_opinion", allow=anyone_signed_in)
def keep_draft(work: Work, task_id: int, words: str) -> Task:
    """Keep an opinion that is not given yet; only the holder's page shows it."""
    task, _case = access.must_hold(work, task_id)
    if len(words) > LONGEST:
        raise InvalidData(f"意见 {len(words)} 字，最多 {LONGEST} 字。请删减。", {"_opinion": f"意见最多 {LONGEST} 字"})
    task.draft_opinion = words
    work.session.add(task)
    work.record(f"case:{task.case_id}", operation="draft_opinion", step=task.step)
    return task
