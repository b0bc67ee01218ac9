"""Logs: one line per event, listed fields only, nothing personal."""

import io
import json
import logging

import pytest

from portal import logging as portal_logging
from portal.settings import read_settings

logger = logging.getLogger("test.portal.logging")


@pytest.fixture
def stream():
    """Where the logs of the test go; the loggers are put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    portal_logging.configure(read_settings({}), stream)
    yield stream
    root.handlers[:], root.level = handlers, level


def only_line(stream: io.StringIO) -> dict:
    [line] = stream.getvalue().splitlines()
    return json.loads(line)


def test_listed_fields_are_written_and_others_only_named(stream: io.StringIO) -> None:
    logger.info("case submitted", extra={"case_id": 7, "applicant_name": "张三"})
    line = only_line(stream)
    assert line["message"] == "case submitted" and line["case_id"] == 7 and line["level"] == "INFO"
    assert line["unlisted_fields"] == ["applicant_name"]
    assert "张三" not in stream.getvalue()


@pytest.mark.parametrize("personal", ["310101199001011234", "31010119900101123X", "13800138000"])
def test_identity_and_phone_numbers_are_blacked_out(stream: io.StringIO, personal: str) -> None:
    logger.warning("sent to %s", personal, extra={"action": f"call {personal}"})
    assert personal not in stream.getvalue()


def failing(value: str) -> None:
    raise ValueError(f"INSERT failed\n[SQL: INSERT …]\n[parameters: ('{value}',)]")


def test_error_keeps_its_place_and_loses_its_values(stream: io.StringIO) -> None:
    try:
        try:
            failing("李四")
        except ValueError as cause:
            raise RuntimeError("no draft") from cause
    except RuntimeError:
        logger.exception("save failed")
    line = only_line(stream)
    assert line["error"] == "RuntimeError" and line["error_message"] == "no draft"
    assert "ValueError" in line["trace"] and line["trace"].rstrip().endswith("failing")
    assert "李四" not in stream.getvalue()


def test_parameters_of_a_statement_are_cut_off(stream: io.StringIO) -> None:
    try:
        failing("李四")
    except ValueError:
        logger.exception("save failed")
    assert only_line(stream)["error_message"] == "INSERT failed\n[SQL: INSERT …]"


def test_line_breaks_in_a_message_do_not_forge_a_line(stream: io.StringIO) -> None:
    logger.info("name %s", "x\n{\"level\": \"ERROR\"}")
    assert only_line(stream)["level"] == "INFO"


def test_text_format_says_the_same(stream: io.StringIO) -> None:
    portal_logging.configure(read_settings({"LOG_FORMAT": "text"}), stream)
    logger.error("job failed", extra={"job_id": 3})
    assert stream.getvalue().rstrip().endswith("ERROR test.portal.logging job failed job_id=3")


def test_level_that_is_set_is_kept(stream: io.StringIO) -> None:
    portal_logging.configure(read_settings({"LOG_LEVEL": "ERROR"}), stream)
    logger.warning("quiet")
    assert stream.getvalue() == ""
