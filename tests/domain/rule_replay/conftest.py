"""Past decisions of the sample rule set, a draft of it, and a runner's hand for its jobs."""

from datetime import date, timedelta
from threading import Event

import pytest

from domain import job as jobs
from domain.actor import SYSTEM
from domain.case.tables import StoredDecision
from domain.job import Job
from domain.rule_replay import reading, request
from tests.domain.rule_edition.conftest import KEY, KIND, bench, clock, office  # noqa: F401

DISTRICTS = ("310115", "310118")


class Replays:
    """What a maintainer does about replays, in one line each."""

    def __init__(self, bench):  # noqa: F811
        self.bench, self.database = bench, bench.database

    def decided(self, areas, on=date(2026, 6, 30), officer=None, district=DISTRICTS[0], forget=(), **changed):
        """Keep a decision of the edition in force for each area."""
        book, stored = self.bench.office.book, []
        digest = book.rule_set(KIND, KEY, self.bench.now()).digest
        with self.database.writing() as session:
            for area in areas:
                made = book.decide_edition(digest, {"area_m2": area}, on, f"ledger:{district}:{on.year}")
                document = made.to_json()
                document["facts"] = {name: value for name, value in {**document["facts"], **changed}.items() if name not in forget}
                row = StoredDecision(
                    kind=KIND, rule_set=KEY, subject=made.subject, edition="2026-01-01", digest=digest, outcome=made.outcome,
                    message=made.message, decided_on=on, at=self.bench.now() - timedelta(hours=2), document=document,
                    person_id=officer.person_id if officer else None,
                )
                session.add(row)
                stored.append(row)
            session.commit()
        return stored

    def asked(self, row):
        return self.bench.write(request.request, row.id, self.bench.examined(row), actor=self.bench.author)

    def run(self, job_id, is_stopping=lambda: False):
        with self.database.writing() as session:
            claimed = jobs.claim(session, SYSTEM)
        assert claimed.id == job_id
        return jobs.run(claimed, self.database, self.bench.office, is_stopping)

    def replayed(self, row):
        replay = self.asked(row)
        self.run(replay.job_id)
        return self.read(reading.replay, replay.id)

    def read(self, look, *args, **more):
        with self.database.reading() as session:
            return look(session, self.bench.author, *args, **more)

    def job(self, job_id):
        with self.database.reading() as session:
            return session.get(Job, job_id)


@pytest.fixture
def replays(bench):  # noqa: F811
    return Replays(bench)


@pytest.fixture
def stop():
    return Event()
