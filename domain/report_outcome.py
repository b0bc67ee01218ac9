"""What comes back of a report 报送结果: noted in its round, in the case, and told to those who wait for it.

Registered with the exchange, so that a push, a nightly question and the refresh button of a screen have one effect.
"""

from collections.abc import Mapping
from typing import Any

from sqlmodel import col, select

from domain import job, usage_control
from domain.actor import SYSTEM
from domain.case import index, movement, papers, prefill, scope
from domain.case.definition import case_type_of
from domain.case.tables import Case
from domain.command import Work, command, system_only
from domain.document.tables import Document
from domain.exchange import OutboxMessage, Outcome, on_outcome
from domain.job import Progress, job_handler
from domain.notice import notify
from domain.usage_control import PARTNER, ReportRound

RENEW_JOB = "renew_papers"
_ON_THE_WAY = {
    "dead": ("undelivered", "没有送达，已停止自动重发"),
    "waiting": ("submitted", "已重新交发送队列"),
    "cancelled": ("withdrawn", "报文已撤销，没有送出"),
}


@on_outcome(PARTNER)
def note_outcome(work: Work, message: OutboxMessage, outcome: Outcome) -> None:
    """Carry what became of a message into its round; a round that has its final answer only gets a line."""
    row = work.session.exec(select(ReportRound).where(ReportRound.business_key == message.business_key)).first()
    if row is None:
        return
    if outcome.event == "conflict":
        usage_control.note(work, row, f"部系统又返回了不同的结果，没有采用：{_said(outcome.answer)}")
    elif outcome.event == "result":
        _result(work, row, outcome.answer)
    elif usage_control.states()[row.state].is_open:
        _on_the_way(work, row, outcome)


def _on_the_way(work: Work, row: ReportRound, outcome: Outcome) -> None:
    if outcome.event == "delivered":
        row.receipt_number = outcome.answer.get("receipt_number")
        usage_control.change(work, row, "accepted", f"回执号 {row.receipt_number}")
    elif outcome.event == "refused":
        given = list(outcome.answer.get("rejections") or ())
        row.faults = given or [{"code": outcome.answer.get("code", ""), "text": outcome.answer.get("text") or outcome.words}]
        _settle(work, row, "rejected", usage_control.faults_in_words(row))
    else:
        state, words = _ON_THE_WAY[outcome.event]
        usage_control.change(work, row, state, "：".join(filter(None, (words, outcome.words))))


def _result(work: Work, row: ReportRound, answer: Mapping[str, Any]) -> None:
    row.receipt_number = answer.get("receipt_number") or row.receipt_number
    if answer["state"] == "rejected":
        row.faults = list(answer["rejections"])
        _settle(work, row, "rejected", usage_control.faults_in_words(row))
    elif answer["state"] == "numbered":
        row.number = answer["number"]
        _settle(work, row, "numbered", f"监管号 {row.number}")
    else:
        _settle(work, row, answer["state"], _said(answer))


def _said(answer: Mapping[str, Any]) -> str:
    state = usage_control.states().get(str(answer.get("state")))
    return "　".join(filter(None, (state.label if state else str(answer.get("state")), answer.get("number"))))


def _settle(work: Work, row: ReportRound, state: str, words: str) -> None:
    """A final answer: the case shows it, its papers are made anew, and those who have it in hand are told."""
    usage_control.change(work, row, state, words)
    if state == "cancelled" and row.original_id is not None:
        original = work.session.get_one(ReportRound, row.original_id)
        usage_control.change(work, original, "cancelled", f"监管号 {row.number} 已注销")
    case = scope.find(work.session, SYSTEM, row.case_id)
    show_on_case(work, case)
    usage_control.tell_case(work, case, row, words)
    renew_later(work, case)
    _tell_people(work, case, row, words)


def show_on_case(work: Work, case: Case) -> None:
    """Let the computed fields of a case say what its rounds say now."""
    work.session.flush()
    prefill.recompute(work, case, {})
    index.rewrite(work.session, case)


def _tell_people(work: Work, case: Case, row: ReportRound, words: str) -> None:
    holders = {task.assignee_id for task in movement.open_tasks(work.session, case.id)}
    for person_id in sorted((holders | {row.started_by}) - {None}):
        label = usage_control.states()[row.state].label
        notify(work, person_id, "report", f"用途管制{label}：{case.title}", words, case_id=case.id)


def renew_later(work: Work, case: Case) -> None:
    """Make the papers of a case anew by a job, if it has any in force."""
    statement = select(Document.id).where(Document.case_id == case.id, Document.status == "issued").limit(1)
    if work.session.exec(statement).first() is not None:
        job.enqueue(work, RENEW_JOB, f"重新生成文书：{case.title}", {"case": case.id}, case_id=case.id)


@job_handler(RENEW_JOB, resumable=True)
def renew(progress: Progress, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Make a new version of every permit in force whose data has changed; letters of the past stay as they are."""
    with progress.writing() as session:
        return {"renewed": renew_papers(session, SYSTEM, arguments["case"])}


@command("document.renew", allow=system_only)
def renew_papers(work: Work, case_id: int) -> int:
    """New versions of the permits of a case whose data has changed; how many."""
    case = scope.find(work.session, SYSTEM, case_id)
    statement = select(Document).where(Document.case_id == case_id, Document.status == "issued")
    renewed = 0
    for document in work.session.exec(statement.order_by(col(Document.id))).all():
        if document.key in result_papers(work, case):
            before = document.current_version
            papers.issue_for_action(work, case, None, document.key)
            renewed += document.current_version > before
    work.record(f"case:{case_id}", act="renew_papers", renewed=renewed)
    return renewed


def result_papers(work: Work, case: Case) -> frozenset[str]:
    """Keys of the papers that say what holds now (permits); a letter speaks of one act in the past."""
    return frozenset(spec.key for spec in case_type_of(work.session, case).documents if spec.template == "permit")
