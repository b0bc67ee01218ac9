"""Two people at once: a barrier lets them start together; one wins, the other is told, nothing happens twice."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import func, select

from domain.case import draft, operations
from domain.case.actions import take_action
from domain.case.tables import CaseEvent
from domain.document.tables import Document
from domain.errors import Conflict, NotAllowed, PortalError
from domain.numbering import GivenNumber
from tests.domain.case.conftest import Filing


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Do all acts at the same moment; what each answered or raised."""
    barrier, answers = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            answers[place] = act()
        except (PortalError, OperationalError) as error:
            answers[place] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.fixture
def two_windows(person):
    return person("window", district="310118", name="甲"), person("window", district="310118", name="乙")


@pytest.mark.parametrize("round_no", range(3))
def test_one_of_two_claims_wins(filing, two_windows, round_no):
    filing.submitted()
    task = filing.task("window")
    answers = together(*[lambda a=a: filing.do(operations.claim, a, task) for a in two_windows])
    refused = [answer for answer in answers if isinstance(answer, Conflict)]
    assert len(refused) == 1
    assert "认领" in refused[0].message


@pytest.mark.parametrize("round_no", range(3))
def test_a_double_submit_has_one_effect(database, filing, officers, round_no):
    filing.submitted()
    task = filing.task("window")
    act = [lambda: filing.do(take_action, officers["window"], task, "accept", opinion="同意")] * 2
    answers = together(*act)
    assert sum(isinstance(answer, Conflict | NotAllowed) for answer in answers) == 1
    with database.reading() as session:
        accepted = select(func.count()).select_from(CaseEvent).where(CaseEvent.operation == "accept")
        assert session.exec(accepted).one() == 1
        assert session.exec(select(func.count()).select_from(Document)).one() == 1


def test_numbers_given_together_are_all_different_and_without_a_gap(database, applicant, officers):
    filings = [Filing(database, applicant).submitted() for _ in range(6)]
    acts = [lambda f=f: f.act(officers["window"], "window", "accept") for f in filings]
    assert not [answer for answer in together(*acts) if isinstance(answer, Exception)]
    assert sorted(f.case.number for f in filings) == [f"测绿〔2026〕{n:05}号" for n in range(1, 7)]
    with database.reading() as session:
        given = select(func.count()).select_from(GivenNumber).where(GivenNumber.series == "tree_permit")
        assert session.exec(given).one() == 6


def test_two_tabs_on_one_form_do_not_overwrite_each_other(filing):
    filing.fill()
    task, version = filing.task("apply"), filing.case.version

    def save(name: str) -> Any:
        posted = {"project_name": [name], "district": ["310118"], "area": ["1"], "cuts_trees": ["false"]}
        return filing.do(draft.save, filing.applicant, task, posted, case_version=version)

    answers = together(lambda: save("第一页"), lambda: save("第二页"))
    assert sum(isinstance(answer, Conflict) for answer in answers) == 1
    assert filing.case.values["project_name"] in ("第一页", "第二页")
