"""Which districts would stop today under a draft of the warning line, and which would have on past days."""


import pytest

from domain.errors import NotAllowed
from domain.rule_edition import draft, files
from domain.rule_replay import live, reading
from domain.rule_replay.reading import ChangeFilter
from tests.domain.ledger_books import PUDONG, QINGPU, opened, stored, used, working
from tests.domain.rule_replay.conftest import Replays

KEY = "outflow_warning_line"


@pytest.fixture
def office(shared_office, settings):
    """The shipped rules without the sample of the other tests."""
    from copy import copy
    from dataclasses import replace

    from domain.file_store import FileStore

    folders = replace(shared_office.rule_folders, city=settings.rules_dir)
    book = copy(shared_office.book)
    book.over = folders.city
    return replace(shared_office, files=FileStore(settings.var_dir / "files"), book=book, rule_folders=folders, caches={})


@pytest.fixture
def desk(database, office, person):
    """Two districts with books: Qingpu has 11 % of its plan pool left, Pudong half."""
    from tests.domain.rule_edition.conftest import Workbench

    files.sync(database, office)
    with working(database) as work:
        for area, use in ((QINGPU, "8900"), (PUDONG, "5000")):
            opened(work, area, "20000")
            stored(work, "10000", area)
            used(work, use, area)
    return Replays(Workbench(database, office, person("rule_maintainer"), person("rule_maintainer")))


@pytest.fixture
def twelve(desk):
    """A draft of the warning line at 12 %."""
    rules = desk.bench.office.book.rule_set("warning_line", KEY, desk.bench.now())
    row = desk.bench.write(draft.open_draft, "warning_line", KEY, is_demo=rules.edition.demo)
    return desk.bench.write(draft.save, row.id, row.text.replace('"0.10"', '"0.12"', 1), row.version)


def test_who_would_stop_today(desk, twelve):
    found = desk.read(live.answers, twelve.id)
    assert [(each.label, each.now.outcome, each.draft.outcome, each.is_stricter) for each in found] == [
        ("浦东新区", "none", "none", False), ("青浦区", "none", "stop", True),
    ]  # fmt: skip


def test_who_would_have_stopped_though_the_line_was_never_reached(desk, twelve):
    replay = desk.replayed(twelve)
    districts = {each.value: each for each in desk.read(reading.groups, replay.id, "district")}
    assert (districts[QINGPU].stricter, districts[PUDONG].stricter) == (1, 0)
    [row] = desk.read(reading.changes, replay.id, ChangeFilter(sort="outcome")).rows
    assert row.subject.startswith(f"ledger:{QINGPU}:") and row.case_id is not None and "低于警戒线" in row.after_message


def test_only_for_rule_maintainers_and_nothing_for_sets_that_only_cases_ask(desk, twelve, person):
    with desk.database.reading() as session, pytest.raises(NotAllowed):
        live.answers(session, person("city_viewer"), twelve.id)
    row = desk.bench.write(draft.open_draft, "usage_gate", "outflow_exhausted", actor=desk.bench.reviewer)
    assert desk.read(live.answers, row.id) == []
