"""`portal audit verify`: walk the chain of the audit trail and name the first link that does not hold."""

import argparse
import json
from pathlib import Path

from domain import audit, audit_witness
from domain.audit import ChainReport
from domain.errors import PortalError
from domain.file_store import FileStore
from portal.database import Database
from portal.settings import current_settings


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `audit`."""
    parser = subparsers.add_parser("audit", help="核验留痕", description="核验留痕链是否完整、没有被改动。")
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    verify = acts.add_parser("verify", help="逐条核验", description="逐条核验留痕链；断链时退出码为 1，并指出第一条。")
    verify.add_argument("--json", action="store_true", help="以 JSON 输出")
    verify.set_defaults(run=run)


FAULTS = {
    "changed": "留痕链在第 {fault} 条断开，之前 {checked} 条完整。请保护现场，从备份比对这一条。",
    "missing": "留痕链的末尾缺失：自第 {fault} 条起应有而没有，现存 {checked} 条彼此完整。请保护现场，从备份找回；"
               "如果刚从备份恢复过数据库，缺的就是备份之后的留痕。",
    "headless": "留痕链没有链首记录，不能判断末尾是否完整。请保护现场，从备份比对 audit_head 表。",
}


def run(arguments: argparse.Namespace) -> int:
    """Verify the trail of the settings' database; 0 intact, 1 broken."""
    settings = current_settings()
    report = verified(settings.database_url, settings.var_dir / "files")
    if arguments.json:
        print(json.dumps({
            "ok": report.is_intact, "checked": report.checked, "first_fault": report.first_fault, "reason": report.reason,
        }))
    elif report.is_intact:
        print(f"留痕链完整，核验了 {report.checked} 条。")
    else:
        print(FAULTS[report.reason].format(fault=report.first_fault, checked=report.checked))
    return 0 if report.is_intact else 1


def verified(url: str, files: Path) -> ChainReport:
    """Walk the trail of a database, against the heads noted beside its files; CommandRefused if it cannot be read."""
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from portal.command_line import CommandRefused

    database = Database(url, pooled=False)
    try:
        with database.reading() as session:
            return audit.verify(session, witnessed=audit_witness.heads(FileStore(files)))
    except PortalError as fault:
        raise CommandRefused(fault.message, 1) from fault
    except (OperationalError, ProgrammingError) as error:
        raise CommandRefused("数据库不能读取，或还没有建表，留痕没有核验。请检查 DATABASE_URL，或先运行 portal migrate。") from error
    finally:
        database.dispose()
