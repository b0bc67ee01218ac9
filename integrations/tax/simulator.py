"""Simulator of the tax collection module."""

import re
import sqlite3
from datetime import date

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.ports.partner import partner
from integrations.samples import read_samples
from integrations.simulators.simulator import Simulator, moment_text, now, refusal, success
from integrations.simulators.store import Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS tax_contract (contract_number TEXT PRIMARY KEY, electronic_number TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS tax_payment (
    voucher_number TEXT PRIMARY KEY, contract_number TEXT NOT NULL REFERENCES tax_contract,
    amount TEXT NOT NULL, paid_on TEXT NOT NULL, item TEXT NOT NULL
);
"""


def tax_simulator(store: Store) -> Simulator:
    """Build the simulator."""

    async def payments(request: Request) -> Response:
        contract = _contract(store, request)
        if contract is None:
            return refusal("TAX-404", "没有这个合同号或电子监管号的征收记录")
        return success(_answer(store, contract))

    return Simulator(
        partner=partner("tax"),
        routes=[Route("/payments", payments)],
        schema=SCHEMA,
        seed=_seed,
        principal_fields=("amount", "answered_at"),
        refusal=("TAX-409", "该合同的征收信息正在核对，暂不提供查询"),
        tables=("tax_payment", "tax_contract"),
    )


def add_payment(store: Store, contract_number: str, payment: dict[str, str]) -> None:
    """Record one more payment of a sample contract. Raises ValueError for an unknown contract or a bad value."""
    if store.one("SELECT 1 FROM tax_contract WHERE contract_number = ?", contract_number) is None:
        raise ValueError(f"没有合同 {contract_number}，请从样例合同中选择。")
    if not re.fullmatch(r"[0-9]{1,15}\.[0-9]{2}", payment["amount"]):
        raise ValueError("金额应写成两位小数，如 100000.00。")
    _check_day(payment["paid_on"])
    if store.one("SELECT 1 FROM tax_payment WHERE voucher_number = ?", payment["voucher_number"]):
        raise ValueError(f"凭证号 {payment['voucher_number']} 已有，请换一个。")
    with store.write() as db:
        _insert_payment(db, contract_number, payment)


def _check_day(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"缴款日应写成 2026-06-30 这样的日期，收到的是 {text}。") from error


def _contract(store: Store, request: Request) -> sqlite3.Row | None:
    number = request.query_params.get("contract_number")
    electronic = request.query_params.get("electronic_number")
    sql = "SELECT * FROM tax_contract WHERE contract_number = ? OR electronic_number = ?"
    return store.one(sql, number, electronic)


def _answer(store: Store, contract: sqlite3.Row) -> dict[str, object]:
    sql = (
        "SELECT voucher_number, amount, paid_on, item FROM tax_payment"
        " WHERE contract_number = ? ORDER BY paid_on, voucher_number"
    )
    rows = store.all(sql, contract["contract_number"])
    return {**dict(contract), "payments": [dict(row) for row in rows], "answered_at": moment_text(now())}


def _insert_payment(db: sqlite3.Connection, contract_number: str, payment: dict[str, str]) -> None:
    values = {**payment, "paid_on": str(payment["paid_on"]), "contract_number": contract_number}
    db.execute(
        "INSERT INTO tax_payment VALUES (:voucher_number, :contract_number, :amount, :paid_on, :item)", values
    )


def _seed(db: sqlite3.Connection) -> None:
    for contract in read_samples(__file__)["contracts"]:
        number = contract["contract_number"]
        db.execute("INSERT INTO tax_contract VALUES (?, ?)", (number, contract["electronic_number"]))
        for payment in contract["payments"]:
            _insert_payment(db, number, payment)
