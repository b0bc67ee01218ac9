"""Contracts of land 合同 as they arrive: each opens the supervision of its payments by itself."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlmodel import Session, col, select

from domain import payment
from domain.case import automatic, index
from domain.case.tables import Case, CaseIndex
from domain.command import Work, command, system_only
from domain.errors import Conflict, InvalidData
from domain.office import office_of
from domain.portal_clock import local_date


@dataclass(frozen=True, slots=True)
class AgreedPayment:
    """One agreed instalment: what for, how much in yuan, until when."""

    item: str
    amount: Decimal
    agreed_on: date


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract whose price is to be paid; `terms` are the articles on payment and on its default."""

    contract_number: str
    electronic_number: str
    plot_number: str
    plot_location: str
    plot_area_m2: Decimal
    district_code: str
    transferor: str
    transferee: str
    signed_on: date
    terms: str
    payments: tuple[AgreedPayment, ...]

    def values(self) -> dict[str, Any]:
        """The contract as the form keeps it."""
        return {
            "contract_number": self.contract_number,
            "electronic_number": self.electronic_number,
            "plot_number": self.plot_number,
            "plot_location": self.plot_location,
            "plot_area_m2": str(self.plot_area_m2),
            "district": self.district_code,
            "transferor": self.transferor,
            "transferee": self.transferee,
            "signed_on": self.signed_on.isoformat(),
            "terms": self.terms,
            payment.INSTALMENTS: [
                {"item": each.item, "amount": str(each.amount), "agreed_on": each.agreed_on.isoformat()}
                for each in self.payments
            ],
        }


@command("contract.open_supervision", allow=system_only)
def open_from_contract(work: Work, case_type: str, contract: Contract) -> Case:
    """Open the supervision of a contract's payments for the transferors of its district; nobody has to start it."""
    return opened(work, case_type, contract)


def opened(work: Work, case_type: str, contract: Contract) -> Case:
    """Open it as part of a larger command."""
    if not contract.payments:
        raise InvalidData(f"合同 {contract.contract_number} 没有约定的缴款，不需要缴款监管。请核对合同数据。")
    if _is_known(work.session, case_type, contract):
        raise Conflict(f"合同 {contract.contract_number} 已经在缴款监管中，没有重复立件。")
    definition = office_of(work.session).catalogue.current(case_type, local_date(work.at))
    case = automatic.begin(work, definition, contract.district_code, contract.values(), "合同信息进入", contract=contract.contract_number)
    task = automatic.hand_on(work, case, definition)
    payment.start_clocks(work, case, on=min(contract.signed_on, local_date(work.at)))
    payment.settle(work, case, task)
    automatic.tell(work, case, task, f"新的缴款监管：{case.title}")
    index.rewrite(work.session, case)
    return case


def _is_known(session: Session, case_type: str, contract: Contract) -> bool:
    statement = (
        select(Case.id)
        .join(CaseIndex, col(CaseIndex.case_id) == Case.id)
        .where(Case.case_type == case_type, CaseIndex.field == "contract_number")
        .where(CaseIndex.text_value == contract.contract_number)
    )
    return session.exec(statement.limit(1)).first() is not None
