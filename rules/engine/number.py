"""Exact decimal arithmetic in one context of our own, so that no caller's settings can change an answer."""

from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)

EXACT = Context(prec=60, rounding=ROUND_HALF_UP, traps=[InvalidOperation, DivisionByZero, Overflow])
ROUNDINGS = {"round": ROUND_HALF_UP, "round_up": ROUND_CEILING, "round_down": ROUND_FLOOR}
GREATEST = Decimal(10) ** 30


def rounded(value: Decimal | int, places: int, way: str) -> Decimal:
    """The value with that many decimals; `round` is half away from zero, as the regulations do it."""
    return EXACT.create_decimal(value).quantize(
        Decimal(1).scaleb(-places), rounding=ROUNDINGS[way], context=EXACT
    )


def shortest(value: Decimal | int) -> str:
    """The number without exponent and without closing zeros, the same text for equal numbers."""
    text = f"{EXACT.normalize(Decimal(value)):f}"
    return "0" if text == "-0" else text
