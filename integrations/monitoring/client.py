"""The monitoring platform as the portal reads it."""

from collections.abc import Mapping

from domain.ports.monitoring import READINGS_PATH, ReadingsMessage, SentReading
from integrations.answer import Fields, read_json
from integrations.callback import verified
from integrations.http import Connection

MOST = 1000
_KEY = r"[^\s]{1,80}"


class MonitoringClient:
    """Reads what the platform pushes; the portal itself never calls it."""

    def __init__(self, connection: Connection, callback_path: str = READINGS_PATH) -> None:
        self._connection = connection
        self._callback_path = callback_path

    def parse_readings(self, headers: Mapping[str, str], body: bytes) -> ReadingsMessage:
        """Verify and read pushed readings."""
        _signed, correlation_id = verified(self._connection, self._callback_path, headers, body)
        fields = read_json(self._connection.partner, body, correlation_id)
        message = ReadingsMessage(
            message_id=fields.text("message_id", r"[0-9A-Za-z-]{8,64}"),
            sent_at=fields.moment("sent_at"),
            correlation_id=correlation_id,
            series=fields.text("series", _KEY),
            readings=tuple(_reading(each) for each in fields.objects("readings")),
        )
        fields.done()
        if not 0 < len(message.readings) <= MOST:
            fields.fail("readings", f"应有 1 到 {MOST} 个读数，实有 {len(message.readings)} 个")
        return message


def _reading(fields: Fields) -> SentReading:
    reading = SentReading(fields.text("business_key", _KEY), fields.moment("at"), fields.decimal("value"))
    fields.done()
    return reading
