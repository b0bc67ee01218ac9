"""What an error page or message says, beside the standing words of its template."""

from __future__ import annotations

from dataclasses import dataclass

from views.shell import Link


@dataclass(frozen=True)
class Problem:
    """A refused or failed request: templates/errors/<status>.html adds what is always true of the status.

    Reason and remedy replace the template's own sentences when the error knows better ones. The
    reference is the request number a person can quote. A fragment is a notice for `#page-messages`.
    """

    status: int
    reason: str = ""
    remedy: str = ""
    reference: str = ""
    links: tuple[Link, ...] = ()
    is_fragment: bool = False

    @property
    def template(self) -> str:
        """The template of this status; render its block `problem` for a fragment."""
        return f"errors/{self.status}.html"
