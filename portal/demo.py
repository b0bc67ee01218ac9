"""`portal demo`: load the sample people, maps, books and cases; list the demo accounts."""

import argparse
import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from domain import portal_clock
from domain.actor import SYSTEM
from domain.case.tables import Case
from domain.command import Work, command, system_only
from domain.demo import LOADERS, bureau, inspections
from domain.demo.people import ACCOUNTS
from domain.demo.stories import first_moment
from domain.person import Person
from portal.command_line import CommandRefused
from portal.database import Database
from portal.demo_stage import open_stage
from portal.office import open_office
from portal.settings import Settings, current_settings


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `demo`."""
    parser = subparsers.add_parser("demo", help="装入演示数据", description="装入演示数据（全部为样例）；已有真实办件的库拒绝装入。")
    parser.add_argument("--if-empty", action="store_true", help="库中已有数据时不做改动")
    parser.add_argument("--accounts", action="store_true", help="列出演示账号")
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Load the demo data, or list the accounts."""
    if arguments.accounts:
        show_accounts(arguments.json)
        return 0
    settings = current_settings()
    if not settings.demo:
        raise CommandRefused("没有开启演示（DEMO=0），不能装入演示数据。需要演示的，请设置 DEMO=1 并使用单独的数据库。")
    loaded = load(settings, if_empty=arguments.if_empty)
    print("演示数据已装入。" if loaded else "库中已有数据，没有改动。")
    return 0


def load(settings: Settings, *, if_empty: bool = False) -> bool:
    """Load everything, each part in its own transaction; False if the database was not empty and that is fine.

    The stories of the last weeks come after the people who act in them, and before what is as of today; patches are admitted
    when there are layers to lay them over.
    """
    database = Database(settings.database_url, office=open_office(settings))
    try:
        with database.reading() as session:
            if if_empty and session.exec(select(func.count()).select_from(Person)).one():
                return False
            must_be_safe(session)
        _load_part(database, "people", since=first_moment(portal_clock.today()))
        with open_stage(settings) as stage:
            bureau.play(stage)
            passed = inspections.play(stage)
            for name in LOADERS:
                if name != "people":
                    _load_part(database, name)
            inspections.admit(stage, passed)
        return True
    finally:
        database.dispose()


def _load_part(database: Database, name: str, since: datetime | None = None) -> None:
    """Load one part, as of now or of the moment from which it is to be there."""
    database.clock_shift = since - portal_clock.now() if since else None
    with database.writing() as session:
        load_part(session, SYSTEM, name, LOADERS[name])
    database.clock_shift = None


def must_be_safe(session: Session) -> None:
    """Raise CommandRefused if real cases are there, or if the demo data are there already."""
    if session.exec(select(Case.id).where(col(Case.is_demo).is_(False)).limit(1)).first():
        raise CommandRefused("库中有真实办件，拒绝装入演示数据。请使用单独的演示库（设置 DATABASE_URL 或 VAR_DIR）。", 1)
    if session.exec(select(Person.id).where(col(Person.is_demo).is_(True)).limit(1)).first():
        raise CommandRefused("演示数据已经装入，不能重复装入。需要重新装入的，请换一个空库。", 1)


@command("demo.load", allow=system_only)
def load_part(work: Work, name: str, loader: Any) -> None:
    """Load one part of the demo data."""
    loader(work)
    work.record("demo", part=name)


def show_accounts(as_json: bool) -> None:
    """Print the demo accounts: login, password, name, roles, district."""
    rows = [asdict(account) for account in ACCOUNTS]
    if as_json:
        print(json.dumps({"accounts": rows}, ensure_ascii=False, indent=2))
        return
    for row in rows:
        way = "一网通办" if row["way"] == "identity" else "用户名口令"
        print(f"{row['login']:<26} {row['password']:<18} {row['role_label']}　{row['scope']}　{row['name']}　{way}")
