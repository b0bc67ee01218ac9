"""What a partner's simulator consists of, and the answers that all of them give in one form."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute

from domain.ports.partner import Partner


@dataclass(frozen=True)
class Simulator:
    """One simulated partner.

    `principal_fields` are the fields that the faults wrong_schema and wrong_value spoil; the first one that the
    answer has is taken. `refusal` is the code and text of the fault refuse, `own_faults` names those only it knows.
    """

    partner: Partner
    routes: list[BaseRoute]
    schema: str
    seed: Callable[[sqlite3.Connection], None]
    principal_fields: tuple[str, ...]
    refusal: tuple[str, str]
    own_faults: tuple[str, ...] = ()
    is_signed: bool = True
    tables: tuple[str, ...] = field(default=())

    @property
    def path(self) -> str:
        """Where it is mounted."""
        return f"/{self.partner.key}"


def now() -> datetime:
    """The present moment; simulators live in real time, whatever date the portal shows."""
    return datetime.now(UTC)


def moment_text(moment: datetime) -> str:
    """Write a moment as the partners do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def success(data: dict[str, Any]) -> JSONResponse:
    """The agreed envelope around an answer."""
    return JSONResponse({"code": "0000", "message": "成功", "errors": [], "data": data})


def refusal(
    code: str, message: str, errors: tuple[dict[str, Any], ...] = (), status: int = 422
) -> JSONResponse:
    """The agreed envelope around a refusal."""
    return JSONResponse(
        {"code": code, "message": message, "errors": list(errors), "data": None}, status_code=status
    )


def rejection(
    code: str, text: str, file: str | None = None, field_name: str | None = None
) -> dict[str, str | None]:
    """One entry of an error list."""
    return {"code": code, "text": text, "file": file, "field": field_name}


def fault_kind(request: Request) -> str:
    """The fault that is on for this call, for those that only the partner itself can play."""
    return request.scope["simulator_fault"].kind


def fault_seconds(request: Request) -> float:
    """The seconds that go with the fault."""
    return request.scope["simulator_fault"].seconds
