"""What a decision is about, and in which district that lies."""

LEDGER, START = "ledger", "start"


def district_of(subject: str, case_district: str | None) -> str:
    """The district of what was decided about; empty if none.

    Of a book `ledger:<area>:<year>` its area, of a filing that was refused at its start `start:<district>` the one it was
    meant for, else that of the case.
    """
    sort, _, rest = subject.partition(":")
    return rest.partition(":")[0] if sort in (LEDGER, START) else case_district or ""
