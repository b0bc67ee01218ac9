"""The list of a replay as an Excel workbook: a job, with the rights that the owner has when it runs."""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from domain import portal_clock
from domain.command import Work, command, holders_of
from domain.district import district_name
from domain.job import Job, JobResult, Progress, enqueue, job_handler
from domain.rule_edition.draft import KEEPERS
from domain.rule_replay import reading
from domain.rule_replay.reading import ChangeFilter
from domain.rule_replay.tables import OUTCOME, RULE, UNABLE, WORDS, RuleReplayChange
from domain.workbook import Cell, Workbook

KIND = "rule_replay_export"
HEADS = (
    "判断", "日期", "行政区", "经办人", "对象", "变化", "原结论", "原依据的规则", "原告知", "现行版本的结论", "草稿的结论", "草稿依据的规则", "草稿的告知",
)  # fmt: skip
SORT_WORDS = {OUTCOME: "结论变", RULE: "依据变", WORDS: "只改措辞", UNABLE: "不能回放"}


@command("rule_replay.export", allow=holders_of(*KEEPERS))
def request_export(work: Work, replay_id: int, wanted: ChangeFilter) -> Job:
    """Queue the export of the changes that fit. Raises NotFound."""
    replay = reading.replay(work.session, work.actor, replay_id)
    return enqueue(work, KIND, f"导出「{replay.title}」的回放结果", {"replay": replay_id, "filter": asdict(wanted)})


@job_handler(KIND, resumable=True)
def run_export(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Write the workbook as the rows are read."""
    with progress.reading() as session, tempfile.TemporaryDirectory() as folder:
        replay = reading.replay(session, progress.owner(session), arguments["replay"])
        file = Path(folder) / "replay.xlsx"
        words, expected = reading.outcome_words(replay), replay.changed + replay.unable
        name = f"{replay.title}回放{portal_clock.today(session):%Y%m%d}.xlsx"
        with Workbook(file) as book:
            sheet = book.sheet("回放结果", HEADS)
            for rows in reading.every(session, arguments["replay"], ChangeFilter(**arguments["filter"])):
                sheet.add(_cells(row, words) for row in rows)
                progress.tell(sheet.row_count, max(expected, sheet.row_count), "写入工作簿")
        return JobResult({"rows": sheet.row_count}, progress.office.files.put_path(file, name, allowed=("xlsx",)), name)


def _cells(row: RuleReplayChange, words: Mapping[str, str]) -> list[Cell]:
    outcomes = [words.get(each, each) if each else "" for each in (row.before_outcome, row.base_outcome, row.after_outcome)]
    return [
        str(row.decision_id), row.decided_on, district_name(row.district_code) if row.district_code else "", row.officer_name,
        row.subject, SORT_WORDS[row.sort], outcomes[0], row.before_rule or "", row.before_message, outcomes[1], outcomes[2],
        row.after_rule or "", row.after_message,
    ]  # fmt: skip
