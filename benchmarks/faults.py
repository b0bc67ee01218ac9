"""The long runs of tests/faults: many more injected faults and kills than `make test` has time for."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
INJECTIONS, KILLS = 2_000, 100


def rows(scale: float) -> list[dict[str, Any]]:
    """Run the fault tests on both databases with larger counts; raises if one of them fails."""
    injections, kills = max(30, int(INJECTIONS * scale)), max(2, int(KILLS * scale))
    environment = {**os.environ, "FAULT_INJECTIONS": str(injections), "FAULT_KILLS": str(kills)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "tests/faults"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stdout[-4000:])
    return [_row("每库注入故障，次", injections), _row("每库强行结束，次", kills)]


def _row(case: str, count: int) -> dict[str, Any]:
    return {"case": case, "ours": count, "peer": None, "peer_name": None, "ratio": None, "per_second": None, "p95_ms": None}
