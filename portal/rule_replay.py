"""`portal rules replay`: a rule file over the decisions of the portal's database; nothing is kept."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from domain import portal_clock
from domain.district import district_name
from domain.rule_edition import shelf
from domain.rule_replay import past
from domain.rule_replay.comparison import Comparer, Difference
from domain.rule_replay.tables import OUTCOME, UNABLE
from domain.rule_workbench import source
from portal.command_line import CommandRefused
from portal.database import Database
from portal.office import open_office
from portal.settings import current_settings
from rules.engine import NoEditionInForce, RuleSet, RuleSetMissing, Unread, read_text
from rules.engine.kind import Kind


def replay(key: str, draft: Path, is_json: bool) -> int:
    """Print what would change: 0 when it went through, 1 with file:line: message when the draft cannot be read."""
    settings = current_settings()
    database = Database(settings.database_url, pooled=False)
    try:
        with database.reading() as session:
            office = open_office(settings, recorded=shelf.recorded(session))
            rules = read_text(_text(draft), str(draft), office.book.known)
            _must_be(rules, key)
            found = _Found(rules.kind, is_json)
            for compared, differences in _compared(session, office, rules):
                found.add(compared, differences)
    except Unread as unread:
        print(*unread.faults, sep="\n", file=sys.stderr)
        return 1
    finally:
        database.dispose()
    print(found.as_json(rules) if is_json else found.as_text())
    return 0


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandRefused(f"读不了文件 {file}：{error}。请核对路径，文件应是 UTF-8 文本。") from error


def _must_be(rules: RuleSet, key: str) -> None:
    if rules.key != key:
        raise CommandRefused(f"文件里的规则集是 {rules.key}，不是 {key}。请核对键和文件。")


def _compared(session: Any, office: Any, rules: RuleSet) -> Iterator[tuple[int, list[Difference]]]:
    try:
        base = source.in_force(office, rules.key, portal_clock.now(session))
    except (RuleSetMissing, NoEditionInForce):
        base = None
    comparer = Comparer(rules, base)
    for batch in past.batches(session, rules.key, past.last_id(session)):
        yield len(batch), [found for each in batch if (found := comparer.difference(each)) is not None]


class _Found:
    """What a replay found: a line of text is printed at once, in flat memory; JSON is kept until the end."""

    def __init__(self, kind: Kind, is_json: bool) -> None:
        self._kind, self._is_json = kind, is_json
        self._rows: list[dict[str, Any]] = []
        self._sorts: Counter[str] = Counter()
        self._districts: Counter[tuple[str, str, str]] = Counter()
        self._compared = 0

    def add(self, compared: int, differences: list[Difference]) -> None:
        self._compared += compared
        for each in differences:
            self._sorts[each.sort] += 1
            if each.sort == OUTCOME:
                self._districts[each.past.district_code, each.past.outcome, str(each.after.outcome)] += 1
            if self._is_json:
                self._rows.append(_row(each))
            else:
                print(self._line(each))

    def _line(self, each: Difference) -> str:
        place = district_name(each.past.district_code) if each.past.district_code else ""
        start = f"判断 {each.past.decision_id}　{each.past.decided_on}　{each.past.subject}　{place}　"
        if each.sort == UNABLE:
            return f"{start}不能回放：{each.after.message}"
        return f"{start}{self._kind.word(each.past.outcome)} → {self._kind.word(each.after.outcome)}　{each.after.message}"

    def as_text(self) -> str:
        """The counts, and by district which outcomes would have been others."""
        changed = self._sorts.total() - self._sorts[UNABLE]
        lines = [f"比较 {self._compared:,} 条，{changed:,} 条会变，{self._sorts[UNABLE]:,} 条不能回放"]
        for (district, before, after), count in sorted(self._districts.items()):
            place = district_name(district) if district else "（无行政区）"
            lines.append(f"{place}　{self._kind.word(before)} → {self._kind.word(after)}　{count:,} 条")
        return "\n".join(lines)

    def as_json(self, rules: RuleSet) -> str:
        """{"key", "digest", "compared", "changed", "unable", "districts", "changes"}."""
        districts = [
            {"district": district, "before": before, "after": after, "count": count}
            for (district, before, after), count in sorted(self._districts.items())
        ]
        return json.dumps({
            "key": rules.key, "digest": rules.digest, "compared": self._compared,
            "changed": self._sorts.total() - self._sorts[UNABLE], "unable": self._sorts[UNABLE],
            "districts": districts, "changes": self._rows,
        }, ensure_ascii=False, indent=2)  # fmt: skip


def _row(each: Difference) -> dict[str, Any]:
    then, after = each.past, each.after
    return {
        "decision": then.decision_id, "case": then.case_id, "subject": then.subject, "district": then.district_code,
        "on": then.decided_on.isoformat(), "sort": each.sort,
        "before": {"outcome": then.outcome, "rule": then.rule, "message": then.message}, "base": each.base,
        "after": {"outcome": after.outcome, "rule": after.rule, "message": after.message},
    }  # fmt: skip
