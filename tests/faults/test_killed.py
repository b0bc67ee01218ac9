"""A process that is killed in the middle of its work leaves nothing half done: 20 real kill -9."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from domain.case.tables import Case
from tests.faults.invariants import broken

ROOT = Path(__file__).resolve().parent.parent.parent
KILLS = int(os.environ.get("FAULT_KILLS", "10"))
"""On each database; the two together make 20."""


def begin(database, folder, people):
    """Start the worker and wait until it is at work."""
    words = [sys.executable, "-m", "tests.faults.worker", database.url, str(folder), *map(str, people)]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() == "ready"
    return process


@pytest.mark.serial
def test_a_killed_process_leaves_nothing_half_done(database, applicant, officers, tmp_path):
    from sqlmodel import func, select

    seed = int(os.environ.get("FAULT_SEED", "20261121"))
    print(f"kill seed {seed}")
    chance = random.Random(seed)
    people = [applicant.person_id, *(officers[r].person_id for r in ("window", "reviewer", "approver"))]
    for _ in range(KILLS):
        process = begin(database, tmp_path, people)
        time.sleep(chance.uniform(0.05, 1.2))
        process.kill()
        process.wait()
        process.stdout.close()
        with database.reading() as session:
            assert broken(session) == []
    with database.reading() as session:
        assert session.exec(select(func.count()).select_from(Case)).one() > 0
