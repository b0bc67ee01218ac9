"""What a replay found, for those who keep the rules: how far it is, the counts, the list of answers that would change."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from domain.actor import Actor
from domain.errors import NotFound
from domain.job import Job
from domain.office import office_of
from domain.rule_edition.draft import KEEPERS
from domain.rule_edition.tables import RuleDraft
from domain.rule_replay.tables import GROUPINGS, RuleReplay, RuleReplayChange, RuleReplayGroup
from domain.rule_replay.tally import label_of
from rules.engine import RuleSet, read_content
from rules.engine.kind import NONE, UNDETERMINED, kinds


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a replay is: queued | running | done | failed | cancelled, with the decisions compared of all."""

    state: str
    done: int
    total: int
    fault: str
    job_id: int


@dataclass(frozen=True, slots=True)
class Group:
    """The counts of one district, officer or month; `transitions` are (before, after, count) of changed outcomes."""

    value: str
    label: str
    compared: int
    changed: int
    unable: int
    stricter: int
    looser: int
    transitions: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """What the list is narrowed to; None means all, an empty district those without one."""

    sort: str | None = None
    district: str | None = None
    officer_id: int | None = None
    month: str | None = None
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """One page of changes; `next` is what to ask behind, None on the last page."""

    rows: tuple[RuleReplayChange, ...]
    next: int | None


def replay(session: Session, actor: Actor, replay_id: int) -> RuleReplay:
    """One replay. Raises NotFound, NotAllowed to others than rule maintainers."""
    actor.must_have(*KEEPERS)
    found = session.get(RuleReplay, replay_id)
    if found is None:
        raise NotFound("没有这次回放。请从草稿页面进入。")
    return found


def of_draft(session: Session, actor: Actor, draft_id: int) -> list[RuleReplay]:
    """Every replay of a draft, the newest first."""
    actor.must_have(*KEEPERS)
    statement = select(RuleReplay).where(RuleReplay.draft_id == draft_id)
    return list(session.exec(statement.order_by(col(RuleReplay.id).desc())))


def is_of(replay: RuleReplay, draft: RuleDraft) -> bool:
    """True if the replay is of the draft's text as it was last examined."""
    return replay.draft_id == draft.id and draft.digest == replay.digest and draft.is_examined


def standing(session: Session, replay: RuleReplay) -> Standing:
    """How far a replay is."""
    job = session.get(Job, replay.job_id)
    state = "done" if replay.ended_at is not None else job.status if job is not None else "cancelled"
    fault = (job.fault or "") if job is not None else ""
    return Standing(state, replay.compared, replay.total, fault, replay.job_id)


def groups(session: Session, actor: Actor, replay_id: int, grouping: str) -> list[Group]:
    """The counts by district, officer or month: districts and months in their order, officers with most changes first."""
    actor.must_have(*KEEPERS)
    if grouping not in GROUPINGS:
        raise NotFound("回放结果只能按行政区、经办人、月份汇总。")
    wanted = select(RuleReplayGroup).where(RuleReplayGroup.replay_id == replay_id, RuleReplayGroup.grouping == grouping)
    rows = session.exec(wanted.order_by(RuleReplayGroup.value))
    found = [_group(row) for row in rows]
    return sorted(found, key=lambda each: -each.changed) if grouping == "officer" else found


def _group(row: RuleReplayGroup) -> Group:
    ways = tuple((*way.split(">", 1), count) for way, count in sorted(row.transitions.items()))
    return Group(row.value, label_of(row), row.compared, row.changed, row.unable, row.stricter, row.looser, ways)


def changes(
    session: Session, actor: Actor, replay_id: int, wanted: ChangeFilter, after: int = 0, size: int = 50
) -> ChangePage:
    """The answers that would change and fit, in the order of the decisions, behind the change `after`."""
    replay(session, actor, replay_id)
    statement = _narrowed(replay_id, wanted).where(RuleReplayChange.id > after)
    rows = session.exec(statement.order_by(col(RuleReplayChange.id)).limit(size + 1)).all()
    return ChangePage(tuple(rows[:size]), rows[size - 1].id if len(rows) > size else None)


def every(session: Session, replay_id: int, wanted: ChangeFilter, size: int = 1000) -> Iterator[list[RuleReplayChange]]:
    """All changes that fit, in batches; the caller has shown that they may be seen."""
    after = 0
    while True:
        statement = _narrowed(replay_id, wanted).where(RuleReplayChange.id > after)
        rows = list(session.exec(statement.order_by(col(RuleReplayChange.id)).limit(size)))
        if not rows:
            return
        yield rows
        after = rows[-1].id
        session.expunge_all()


def change(session: Session, actor: Actor, change_id: int) -> RuleReplayChange:
    """One change. Raises NotFound."""
    actor.must_have(*KEEPERS)
    found = session.get(RuleReplayChange, change_id)
    if found is None:
        raise NotFound("没有这条回放结果。请从回放的列表进入。")
    return found


def _narrowed(replay_id: int, wanted: ChangeFilter) -> Any:
    columns = {
        RuleReplayChange.sort: wanted.sort, RuleReplayChange.district_code: wanted.district,
        RuleReplayChange.officer_id: wanted.officer_id, RuleReplayChange.month: wanted.month,
        RuleReplayChange.before_outcome: wanted.before, RuleReplayChange.after_outcome: wanted.after,
    }  # fmt: skip
    asked = [col(column) == value for column, value in columns.items() if value is not None]
    return select(RuleReplayChange).where(RuleReplayChange.replay_id == replay_id, *asked)


def rules_of(session: Session, replay: RuleReplay) -> RuleSet:
    """The rule set as it was replayed."""
    return read_content(replay.content, office_of(session).book.known)


def outcome_words(replay: RuleReplay) -> dict[str, str]:
    """What the outcomes of the set's kind are called."""
    kind = kinds()[replay.kind]
    return {outcome: kind.word(outcome) for outcome in (*kind.outcomes, NONE, UNDETERMINED)}
