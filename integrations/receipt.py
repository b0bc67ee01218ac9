"""The answers of partners that keep a thing under its business key, once."""

from domain.ports.receipt import Receipt
from integrations.answer import Fields


def read_receipt(fields: Fields, business_key: str) -> Receipt:
    """Return a receipt; fails for one of another key, or with a field too many or too few."""
    receipt = Receipt(
        business_key=fields.text("business_key"),
        receipt_number=fields.text("receipt_number", r"[^\s]{1,60}"),
        received_at=fields.moment("received_at"),
        is_duplicate=fields.truth("is_duplicate"),
    )
    fields.done()
    if receipt.business_key != business_key:
        fields.fail("business_key", f"与所报的 {business_key} 不符")
    return receipt


def read_held(fields: Fields) -> bool:
    """Return whether the partner holds what was asked for."""
    is_held = fields.truth("is_held")
    fields.done()
    return is_held
