"""What a decision is about, and in which district that lies."""

LEDGER = "ledger"


def district_of(subject: str, case_district: str | None) -> str:
    """The district of what was decided about: the area of a book `ledger:<area>:<year>`, else that of the case; empty if none."""
    sort, _, rest = subject.partition(":")
    return rest.partition(":")[0] if sort == LEDGER else case_district or ""
