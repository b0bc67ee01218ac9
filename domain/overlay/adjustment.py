"""Areas adjusted 平差: parts that add up exactly to a stated whole."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal

from domain.area import CENT_M2
from domain.errors import InvalidData


def adjusted(areas: Sequence[float | Decimal], total_m2: Decimal) -> list[Decimal]:
    """The areas in proportion, rounded to 0.01 m² so that their sum is `total_m2` exactly.

    Each is floored to 0.01 m², and what is missing goes in steps of 0.01 to those with the largest remainders (of equal
    ones to the first), so none is further than 0.01 from its exact share. Zero stays zero.

    >>> [str(each) for each in adjusted([1.0, 1.0, 1.0], Decimal("100.00"))]
    ['33.34', '33.33', '33.33']

    Raises InvalidData for a negative area, a total that is negative or finer than 0.01, and for a total above zero
    where every area is zero.
    """
    exact = [Decimal(each) for each in areas]
    whole = sum(exact, Decimal(0))
    if any(each < 0 for each in exact) or total_m2 < 0 or total_m2 != total_m2.quantize(CENT_M2):
        raise InvalidData("平差的面积不能为负，总面积应为两位小数。请核对登记面积。")
    if not whole:
        if total_m2:
            raise InvalidData(f"各部分面积都是 0，不能分配 {total_m2} 平方米。请核对图形与登记面积。")
        return [Decimal("0.00")] * len(exact)
    shares = [each * total_m2 / whole for each in exact]
    floors = [each.quantize(CENT_M2, ROUND_FLOOR) for each in shares]
    missing = int((total_m2 - sum(floors, Decimal(0))) / CENT_M2)
    order = sorted((place for place, each in enumerate(exact) if each), key=lambda place: (floors[place] - shares[place], place))
    for place in order[:missing]:
        floors[place] += CENT_M2
    return floors
