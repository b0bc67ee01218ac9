"""Client of the tax collection module."""

from decimal import Decimal

from domain.ports.tax import Payment, Payments
from integrations.answer import Fields, read_envelope
from integrations.http import Connection

_AMOUNT_STEP = Decimal("0.01")


class TaxClient:
    """Asks the tax collection module over HTTP."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def payments(
        self,
        *,
        contract_number: str | None = None,
        electronic_number: str | None = None,
        correlation_id: str | None = None,
    ) -> Payments:
        """Return the payments of the contract with this number or electronic number, in yuan."""
        asked = {"contract_number": contract_number, "electronic_number": electronic_number}
        query = {name: value for name, value in asked.items() if value}
        if len(query) != 1:
            raise ValueError("合同号与电子监管号应当且只能给出一个，才能查询缴款。")
        answer = self._connection.get("/payments", query, correlation_id=correlation_id)
        fields = read_envelope(self._connection.partner, answer)
        payments = _read_payments(fields)
        _same_contract(fields, query)
        return payments


def _read_payments(fields: Fields) -> Payments:
    payments = Payments(
        contract_number=fields.text("contract_number"),
        electronic_number=fields.text_or_none("electronic_number"),
        payments=tuple(_read_payment(item) for item in fields.objects("payments")),
        answered_at=fields.moment("answered_at"),
    )
    fields.done()
    vouchers = [payment.voucher_number for payment in payments.payments]
    if len(set(vouchers)) != len(vouchers):
        # Counting a voucher twice would switch a light off that must stay on.
        fields.fail("payments", "有重复的凭证号")
    return payments


def _read_payment(fields: Fields) -> Payment:
    amount = fields.decimal("amount")
    if amount <= 0 or amount != amount.quantize(_AMOUNT_STEP):
        fields.fail("amount", f"应为大于零、至多两位小数的金额，实为 {amount}")
    payment = Payment(
        voucher_number=fields.text("voucher_number", r"[0-9A-Za-z一-龥-]{1,40}"),
        amount=amount,
        paid_on=fields.day("paid_on"),
        item=fields.text("item"),
    )
    fields.done()
    return payment


def _same_contract(fields: Fields, query: dict[str, str]) -> None:
    for name, value in query.items():
        if fields.text_or_none(name) != value:
            fields.fail(name, f"不是所查的 {value}")
