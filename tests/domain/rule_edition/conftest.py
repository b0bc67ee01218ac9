"""A workbench of one test: a folder with one rule set of its own, its records, and two maintainers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain import portal_clock
from domain.rule_edition import draft, examination, files, publication, review
from domain.rule_edition.folder import RuleFolders
from rules.engine import RuleBook

KIND, KEY = "warning_line", "sample_line"
TEXT = """\
# 样例：本文件带注释
key: sample_line
title: 样例警戒线
kind: warning_line
edition: {from: 2026-01-01, until: null}   # 版本
facts:
  area_m2: {type: decimal, unit: m2, label: 面积, min: "0"}
rules:
  - {key: below, basis: 样例, when: {fact: area_m2, below: 10}, then: {outcome: stop, message: "面积 {area_m2} 过小"}}
cases:
  - {name: 等于, on: 2026-06-30, given: {area_m2: "10"}, expect: {outcome: none}}
  - {name: 低一步, on: 2026-06-30, given: {area_m2: "9.99"}, expect: {outcome: stop, rule: below}}
  - {name: 高一步, on: 2026-06-30, given: {area_m2: "10.01"}, expect: {outcome: none}}
"""
HIGHER = TEXT.replace("below: 10}", "below: 20}").replace('"10"', '"20"').replace("9.99", "19.99").replace("10.01", "20.01")
HIGHEST = TEXT.replace("below: 10}", "below: 30}").replace('"10"', '"30"').replace("9.99", "29.99").replace("10.01", "30.01")


class Workbench:
    """What a maintainer does, in one line each."""

    def __init__(self, database, office, author, reviewer):
        self.database, self.office, self.author, self.reviewer = database, office, author, reviewer

    def write(self, act, *args, actor=None, **more):
        with self.database.writing() as session:
            return act(session, actor or self.author, *args, **more)

    def examined(self, row):
        with self.database.reading() as session:
            return examination.examine(session, draft.draft(session, row.id))

    def sync(self):
        return files.sync(self.database, self.office)

    def drafted(self, text=HIGHER):
        row = self.write(draft.open_draft, KIND, KEY)
        return self.write(draft.save, row.id, text, row.version)

    def submitted(self, text=HIGHER, **more):
        row = self.drafted(text)
        return self.write(review.submit, row.id, row.version, self.examined(row), why="样例改动", **more)

    def approved(self, text=HIGHER, **more):
        row = self.submitted(text, **more)
        return self.write(review.approve, row.id, self.examined(row), "同意", actor=self.reviewer)

    def published(self, text=HIGHER, **more):
        row = self.approved(text, **more)
        return self.write(publication.publish, row.id, self.examined(row))

    def outcome(self, area, at=None):
        book = self.office.book
        edition = book.rule_set(KIND, KEY, at or self.now())
        return book.decide_edition(edition.digest, {"area_m2": area}, portal_clock.local_date(at or self.now())).outcome

    def now(self):
        with self.database.reading() as session:
            return portal_clock.now(session)

    def rows(self, statement):
        with self.database.reading() as session:
            return session.exec(statement).all()

    def file(self, text=None, name="sample_line.yaml"):
        """Write a file of the city, or read it."""
        path = self.office.rule_folders.city / name
        if text is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture
def office(office, tmp_path):
    """The office with a shipped folder that holds the one sample set."""
    shipped = tmp_path / "shipped" / "sets"
    shipped.mkdir(parents=True)
    (shipped / "sample_line.yaml").write_text(TEXT, encoding="utf-8")
    folders = RuleFolders((shipped,), tmp_path / "city")
    return replace(office, book=RuleBook(folders.shipped, over=folders.city, demo=True), rule_folders=folders)


@pytest.fixture
def bench(database, office, person):
    opened = Workbench(database, office, person("rule_maintainer", name="甲（样例）"), person("rule_maintainer", name="乙（样例）"))
    opened.sync()
    return opened


@pytest.fixture
def clock(monkeypatch):
    """Moves the portal's clock: clock(days=1)."""
    real, ahead = portal_clock.offset, [timedelta(0)]
    monkeypatch.setattr(portal_clock, "offset", lambda session: real(session) + ahead[0])

    def move(**how_far):
        ahead[0] += timedelta(**how_far)

    return move
