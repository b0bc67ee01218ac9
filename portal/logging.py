"""Structured logs: one line per event, only listed fields, personal data blacked out.

A message is a constant sentence; what varies is given as `extra` under a name in FIELDS. A field that is not
listed is not written, only its name is, so that a name or an address cannot slip into a log file unseen.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

from integrations.redaction import redact
from portal.settings import Settings

FIELDS = frozenset({
    "request_id", "route", "method", "status", "duration_ms", "query_count", "size_bytes",
    "person_id", "case_id", "case_type", "step", "action", "job_id", "job_kind", "progress",
    "partner", "message_kind", "message_id", "attempt", "correlation_id", "rule_set", "edition", "outcome",
    "check", "command", "count", "error_id", "path_digest",
})
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
# The statement and its parameters are quoted by the database library, values of a person's form included.
PARAMETERS_MARK = "[parameters:"


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send all logs of this process to one stream (standard error by default) in the format that is set."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    # These log at INFO every address they fetch and every font they subset; addresses may hold search words.
    for noisy in ("httpx", "httpcore", "fontTools", "weasyprint"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(event(record), ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """The same content for reading at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        parts = event(record)
        head = [parts.pop("time"), parts.pop("level"), parts.pop("logger"), parts.pop("message")]
        trace = parts.pop("trace", None)
        line = " ".join([*head, *(f"{name}={value}" for name, value in parts.items())])
        return line if trace is None else f"{line}\n{trace}"


def event(record: logging.LogRecord) -> dict[str, object]:
    """What is written about one record: time in UTC, listed fields, and the error with its place."""
    parts: dict[str, object] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "message": without_personal_data(record.getMessage()),
    }
    extra = {name: value for name, value in vars(record).items() if name not in STANDARD}
    parts |= {name: without_personal_data(value) if isinstance(value, str) else value
              for name, value in extra.items() if name in FIELDS}
    if unlisted := sorted(extra.keys() - FIELDS):
        parts["unlisted_fields"] = unlisted
    if record.exc_info and record.exc_info[1] is not None:
        parts["error"] = type(record.exc_info[1]).__name__
        parts["error_message"] = without_personal_data(str(record.exc_info[1]))
        parts["trace"] = places(record.exc_info[1])
    return parts


def without_personal_data(text: str) -> str:
    """The text without database parameters, and with personal data blacked out."""
    return redact(text.partition(PARAMETERS_MARK)[0].rstrip())


def places(error: BaseException) -> str:
    """Where an error and its causes were raised: file, line and function, but no values."""
    lines = []
    seen: BaseException | None = error
    while seen is not None:
        lines.append(type(seen).__name__)
        lines += frames(seen.__traceback__)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "\n".join(lines)


def frames(trace: TracebackType | None) -> list[str]:
    """One line per frame, the innermost last."""
    lines = []
    while trace is not None:
        code = trace.tb_frame.f_code
        lines.append(f"  {code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return lines
