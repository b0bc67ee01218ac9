"""A replay asked for, and the job that makes it: batch by batch, each with its counts in one transaction."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, select

from domain import job as jobs
from domain.actor import SYSTEM
from domain.command import Work, command, holders_of, system_only
from domain.errors import Conflict, NotFound, Refused
from domain.job import Job, JobResult, Progress, job_handler
from domain.office import Office
from domain.rule_edition import review, store
from domain.rule_edition.dating import text_digest
from domain.rule_edition.draft import KEEPERS, for_update
from domain.rule_edition.examination import Examination
from domain.rule_edition.tables import UNFINISHED, RuleDraft
from domain.rule_replay import past
from domain.rule_replay.comparison import Comparer, Difference
from domain.rule_replay.tables import RuleReplay, RuleReplayChange
from domain.rule_replay.tally import Tally, month_of
from domain.rule_workbench import source
from rules.engine import RuleSet, read_content

KIND = "rule_replay"


@command("rule_replay.request", allow=holders_of(*KEEPERS))
def request(work: Work, draft_id: int, examination: Examination) -> RuleReplay:
    """Queue the replay of a draft's present text over all past decisions of its rule set.

    Raises Refused while the text cannot be read, Conflict if it changed since the examination or is being replayed.
    """
    row = for_update(work, draft_id)
    if examination.text_digest != text_digest(row.text):
        raise Conflict("草稿在检查期间又改过，这次没有回放。请重新检查后再回放。")
    if examination.rules is None:
        raise Refused("规则文本有错，还不能回放。请先改正：" + "；".join(examination.reasons))
    _refuse_second(work.session, row, examination.rules)
    replay = _new(work, row, examination.rules)
    job = jobs.enqueue(work, KIND, f"回放「{examination.rules.title}」的历史判断", {"replay": replay.id})
    replay.job_id = job.id
    work.session.add(replay)
    work.record(f"rule_set:{row.key}", draft=row.id, replay=replay.id, digest=replay.digest, act="request_replay")
    return replay


def _refuse_second(session: Session, row: RuleDraft, rules: RuleSet) -> None:
    same = select(RuleReplay).where(RuleReplay.draft_id == row.id, RuleReplay.digest == rules.digest)
    for other in session.exec(same):
        job = session.get(Job, other.job_id)
        if other.ended_at is None and job is not None and job.is_unfinished:
            raise Conflict(f"这一版正在回放（{other.asked_by_name} 提交）。请等它结束，或先取消。")


def _new(work: Work, row: RuleDraft, rules: RuleSet) -> RuleReplay:
    session, track = work.session, (row.kind, row.key, row.is_demo)
    base, until_id = store.in_force(session, track, work.at), past.last_id(session)
    replay = RuleReplay(
        draft_id=row.id, kind=row.kind, key=row.key, title=rules.title, digest=rules.digest, content=rules.content,
        base_digest=base.digest if base else None, job_id=0, asked_by=work.actor.person_id, asked_by_name=work.actor.name,
        asked_at=work.at, until_id=until_id, total=past.count(session, row.key, until_id),
    )  # fmt: skip
    session.add(replay)
    session.flush()
    return replay


@command("rule_replay.cancel", allow=holders_of(*KEEPERS))
def cancel(work: Work, replay_id: int) -> RuleReplay:
    """End a replay that waits or runs; what was compared so far stays. Raises Conflict once it has ended."""
    replay, job = _with_job(work.session, replay_id)
    if job is None or not job.is_unfinished:
        raise Conflict("这次回放已经结束，不需要取消。")
    jobs.ask_end(work, job)
    return replay


@command("rule_replay.resume", allow=holders_of(*KEEPERS))
def resume(work: Work, replay_id: int) -> RuleReplay:
    """Go on with a replay that was cancelled or failed, behind the last decision it compared. Raises Conflict otherwise."""
    replay, job = _with_job(work.session, replay_id)
    if job is None or job.status not in ("failed", "cancelled"):
        raise Conflict("这次回放没有中止，不需要继续。要再算一次的，请重新提交回放。")
    jobs.start_again(work, job)
    return replay


def _with_job(session: Session, replay_id: int) -> tuple[RuleReplay, Job | None]:
    replay = _found(session, replay_id)
    return replay, session.exec(select(Job).where(Job.id == replay.job_id).with_for_update()).first()


def _found(session: Session, replay_id: int) -> RuleReplay:
    replay = session.get(RuleReplay, replay_id)
    if replay is None:
        raise NotFound("没有这次回放。请从草稿页面进入。")
    return replay


@job_handler(KIND, resumable=True)
def run(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Compare every decision behind the last one compared, then tie the result to the draft."""
    replay_id = arguments["replay"]
    with progress.reading() as session:
        replay = _found(session, replay_id)
        comparer = comparer_of(progress.office, replay)
    while _step(progress, comparer, replay_id):
        pass
    with progress.writing() as session:
        ended = end(session, SYSTEM, replay_id)
        return JobResult({"compared": ended.compared, "changed": ended.changed, "unable": ended.unable})


def comparer_of(office: Office, replay: RuleReplay) -> Comparer:
    """The draft as it was when the replay was asked for, and the edition then in force."""
    base = source.of_edition(office, replay.key, replay.base_digest) if replay.base_digest else None
    return Comparer(read_content(replay.content, office.book.known), base)


def _step(progress: Progress, comparer: Comparer, replay_id: int) -> bool:
    """Compare one batch and keep what differs; False if there was none left."""
    with progress.reading() as session:
        replay = _found(session, replay_id)
        decisions = past.batch(session, replay.key, replay.at_id, replay.until_id)
    progress.tell(replay.compared, replay.total, f"已比较 {replay.compared:,} 条，{replay.changed:,} 条会变")
    if not decisions:
        return False
    found = [difference for each in decisions if (difference := comparer.difference(each)) is not None]
    with progress.batch() as session:
        replay = _found(session, replay_id)
        Tally(session, replay).count(decisions, found)
        replay.at_id = decisions[-1].decision_id
        session.flush()
        _keep(session, replay_id, found)
    return True


def _keep(session: Session, replay_id: int, found: Iterable[Difference]) -> None:
    rows = [_row(replay_id, difference) for difference in found]
    if rows:
        session.execute(insert(RuleReplayChange.__table__), rows)


def _row(replay_id: int, difference: Difference) -> dict[str, Any]:
    then, after = difference.past, difference.after
    return {
        "replay_id": replay_id, "decision_id": then.decision_id, "case_id": then.case_id, "subject": then.subject,
        "district_code": then.district_code, "officer_id": then.officer_id, "officer_name": then.officer_name,
        "month": month_of(then), "decided_on": then.decided_on, "sort": difference.sort,
        "before_outcome": then.outcome, "before_rule": then.rule, "before_message": then.message, "base_outcome": difference.base,
        "after_outcome": after.outcome, "after_rule": after.rule, "after_message": after.message,
    }  # fmt: skip


@command("rule_replay.end", allow=system_only)
def end(work: Work, replay_id: int) -> RuleReplay:
    """Note that a replay went through, and tie it to its draft unless a later one of it is tied already."""
    replay = _found(work.session, replay_id)
    replay.ended_at = work.at
    work.session.add(replay)
    row = for_update(work, replay.draft_id)
    if row.state in UNFINISHED and (row.replay_id or 0) <= replay_id:
        review.attach_replay(work, row.id, replay_id, replay.digest)
    work.record(f"rule_set:{replay.key}", replay=replay_id, compared=replay.compared, changed=replay.changed, unable=replay.unable)
    return replay
