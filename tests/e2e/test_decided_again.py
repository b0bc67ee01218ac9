"""Every stored decision of the demo database, made once more as of its day and in its edition: the same answer and reasoning."""

from collections import Counter

import pytest
from sqlmodel import select

from domain import decision
from domain.case.tables import StoredDecision
from domain.rule_edition import shelf
from domain.rule_replay import past
from domain.rule_replay.comparison import Comparer
from domain.rule_workbench.source import of_edition
from portal.database import Database
from portal.office import open_office
from portal.settings import read_settings


@pytest.fixture(scope="module")
def database(prepared):
    """The demo database as it was loaded, read only, with the rules of its records."""
    settings = read_settings({"VAR_DIR": str(prepared.folder), "DEMO": "1"})
    opened = Database(settings.database_url)
    with opened.reading() as session:
        opened.office = open_office(settings, recorded=shelf.recorded(session))
    yield opened
    opened.dispose()


def test_each_gives_the_same_answer_with_the_same_reasoning(database):
    asked = Counter()
    with database.reading() as session:
        for stored in session.exec(select(StoredDecision)):
            made = decision.again(session, stored).to_json()
            assert made == stored.document, f"decision {stored.id} of {stored.rule_set}"
            asked[stored.rule_set] += 1
    assert len(asked) >= 5 and asked.total() >= 50, asked


def test_a_replay_of_the_edition_that_decided_changes_nothing(database):
    with database.reading() as session:
        used = session.exec(select(StoredDecision.rule_set, StoredDecision.digest).distinct()).all()
        editions = {key: [digest for other, digest in used if other == key] for key, _digest in used}
        once = {key: digests[0] for key, digests in editions.items() if len(digests) == 1}
        assert once
        for key, digest in once.items():
            comparer = Comparer(of_edition(database.office, key, digest), None)
            for batch in past.batches(session, key, past.last_id(session)):
                assert [each for each in batch if comparer.difference(each) is not None] == []
