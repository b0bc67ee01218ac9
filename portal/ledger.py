"""`portal ledger check`: the books proved from the command line; exit 1 and the first fault if they do not hold."""

import argparse
import json
from dataclasses import asdict

from domain.ledger.check import Outcome, check
from portal.database import Database
from portal.settings import current_settings


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `ledger check`."""
    parser = subparsers.add_parser("ledger", help="台账对账", description="资源台账的命令。")
    commands = parser.add_subparsers(dest="ledger_command", metavar="COMMAND", required=True)
    checking = commands.add_parser(
        "check", help="对账：守恒、不为负、冻结、明细、标记与图层", description="逐项对账；有一项不符即返回 1。"
    )
    checking.add_argument("--json", action="store_true", help="以 JSON 输出")
    checking.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check the books of the configured database."""
    database = Database(current_settings().database_url, pooled=False)
    try:
        with database.reading() as session:
            outcomes = check(session)
    finally:
        database.dispose()
    print(as_json(outcomes) if arguments.json else as_text(outcomes))
    return 0 if all(outcome.ok for outcome in outcomes) else 1


def as_json(outcomes: list[Outcome]) -> str:
    """{"ok", "checked", "first_fault", "checks"}."""
    faults = [fault for outcome in outcomes for fault in outcome.faults]
    document = {
        "ok": not faults, "checked": sum(outcome.checked for outcome in outcomes), "first_fault": faults[0] if faults else None,
        "checks": [{**asdict(outcome), "ok": outcome.ok} for outcome in outcomes],
    }  # fmt: skip
    return json.dumps(document, ensure_ascii=False, indent=2)


def as_text(outcomes: list[Outcome]) -> str:
    """One line for each check, and the faults below it."""
    lines = []
    for outcome in outcomes:
        lines.append(f"{'平' if outcome.ok else '不平'}　{outcome.label}（{outcome.checked} 项）")
        lines += [f"　　{fault}" for fault in outcome.faults[:20]]
        if len(outcome.faults) > 20:
            lines.append(f"　　另有 {len(outcome.faults) - 20} 项")
    return "\n".join(lines)
