"""Demo contracts whose payments fall due around the day of loading: 15, 1, 0, −60 and −61 days from it.

They come in when the demo data are loaded, so that each stands at the day that its light needs.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from domain import contract, portal_clock
from domain.command import Work
from domain.contract import AgreedPayment, Contract

FILE = Path(__file__).parent.parent / "reference" / "demo" / "contracts.yaml"


@cache
def _document() -> Mapping[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def load(work: Work) -> None:
    """Let the demo contracts come in."""
    given, today = _document(), portal_clock.today(work.session)
    for row in given["rows"]:
        agreed = tuple(
            AgreedPayment(each["item"], Decimal(each["amount"]), today + timedelta(days=each["days"])) for each in row["payments"]
        )
        contract.opened(work, given["case_type"], Contract(
            contract_number=row["contract"], electronic_number=row["electronic"], plot_number=row["plot"],
            plot_location=row["location"], plot_area_m2=Decimal(row["area_m2"]), district_code=row["district"],
            transferor=given["transferor"], transferee=row["transferee"], signed_on=today - timedelta(days=200),
            terms=given["terms"], payments=agreed,
        ))  # fmt: skip
