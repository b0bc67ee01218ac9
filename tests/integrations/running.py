"""Simulators that run, as the tests hold them."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from domain.ports import Partners
from domain.ports.record import ExchangeRecord
from integrations.http import Limits

KEY = b"0123456789abcdef0123456789abcdef"
CONTROL_KEY = "control-of-the-tests"
LIMITS = Limits(connect_s=2, read_s=1, total_s=2, answer_bytes=200_000)


@dataclass
class Running:
    """Simulators that run, with the clients and the control to test them."""

    url: str
    partners: Partners
    records: list[ExchangeRecord]
    client: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, verify=False))
    """Kept, because each new one reads whom the machine trusts, which takes longer than what it asks."""

    def control(self, path: str, expect: int = 200, **fields: Any) -> Any:
        """Change something through the control interface."""
        answer = self.client.post(f"{self.url}/control/{path}", json=fields, headers={"x-control-key": CONTROL_KEY})
        assert answer.status_code == expect, answer.text
        return answer.json()

    def fault(self, partner: str, kind: str, **fields: Any) -> None:
        """Turn a fault on."""
        self.control("faults", partner=partner, kind=kind, **fields)

    def state(self) -> dict[str, Any]:
        """What the simulators hold."""
        headers = {"x-control-key": CONTROL_KEY}
        return self.client.get(f"{self.url}/control/state", headers=headers).json()
