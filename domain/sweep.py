"""What the portal does by itself every night and at its start."""

from collections.abc import Mapping
from typing import Any

from domain import clock_sweep
from domain.job import JobResult, Progress, job_handler


@job_handler("sweep_clocks", resumable=True)
def sweep_clocks(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Compute every open clock anew after the calendar or the demo date was changed."""
    swept = clock_sweep.sweep(
        progress.writing, reason=arguments["reason"], on_page=lambda done: progress.tell(done, doing="重算时限")
    )
    return JobResult({"clocks": swept.clocks, "moved": len(swept.moves), "faults": [list(f) for f in swept.faults]})
