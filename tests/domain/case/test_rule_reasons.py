"""The reasons of the rules stand in the papers to the applicant as they were stored, not as somebody retypes them."""

from datetime import date

import pytest
from sqlmodel import select

from domain.case.rule_reasons import rule_reasons
from domain.case.tables import StoredDecision
from domain.document.definition import DocumentDefinition
from domain.errors import Refused


def reasons(database, case_id):
    with database.reading() as session:
        return rule_reasons(session, case_id)


def test_what_a_gate_said_with_its_basis_until_it_answers_otherwise(database, filing):
    filing.fill(area="1000.01")
    filing.attach()
    assert reasons(database, filing.case.id) == ""
    for _ in range(2):
        with pytest.raises(Refused):
            filing.act(filing.applicant, "apply", "submit", "")
    with database.reading() as session:
        [first, _second] = session.exec(select(StoredDecision).order_by(StoredDecision.id)).all()
    assert reasons(database, filing.case.id) == f"按规则判断：{first.message}（{first.document['basis']}）。"
    filing.fill(area="99.99")
    filing.act(filing.applicant, "apply", "submit", "")
    assert reasons(database, filing.case.id) == ""


@pytest.mark.parametrize("key", ["correction_notice", "refusal_notice", "denial_decision"])
def test_notices_to_the_applicant_print_them_in_a_paragraph_of_their_own(shared_office, key):
    shipped = next(
        document for each in shared_office.catalogue.all(date(2026, 11, 28)) for document in each.documents if document.key == key
    )
    definition = DocumentDefinition.parse(shipped.source)
    values = {"project_name": "样例项目", "applicant_unit": "样例公司", "reason": "不符合", "items": "图纸", "rule_reasons": ""}
    plain = definition.compose(values)
    told = definition.compose({**values, "rule_reasons": "按规则判断：超过上限（样例第一条）。"})
    assert told.paragraphs == (*plain.paragraphs, "按规则判断：超过上限（样例第一条）。") and len(plain.paragraphs) == 1
