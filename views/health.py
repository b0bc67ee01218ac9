"""Whether the portal is well, for the eyes of other machines: /healthz as JSON, /metrics as Prometheus text."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from domain import health
from domain.health import Health
from views.page import office, reading

NO_STORE = {"Cache-Control": "no-store"}


def healthz(request: Request) -> Response:
    """Database, jobs, rules in force and partners; 503 when the portal cannot do its work.

    `rules.troubles` counts what maintainers were told of: broken files, parameters without a value, sets that failed to
    answer. Only broken files make the portal ill; the others stop single cases. A partner that is down does not make the portal ill: its messages wait.
    """
    try:
        with reading(request) as session:
            found = health.look(session)
    except OperationalError:
        return JSONResponse({"status": "fail", "database": {"ok": False}}, 503, NO_STORE)
    document = _document(request, found)
    is_well = all(document[part]["ok"] for part in ("jobs", "rules"))
    return JSONResponse({"status": "pass" if is_well else "fail", **document}, 200 if is_well else 503, NO_STORE)


def _document(request: Request, found: Health) -> dict[str, Any]:
    runner = request.app.state.runner.health()
    faults = len(office(request).book.faults)
    return {
        "database": {"ok": True},
        "jobs": {
            "ok": found.stuck_jobs == 0 and _has_no_fault(runner),
            "runner": runner,
            "queued": found.jobs.get("queued", 0),
            "running": found.jobs.get("running", 0),
            "stuck": found.stuck_jobs,
        },
        "rules": {"ok": faults == 0, "in_force": health.rules_in_force(office(request)), "faults": faults,
                  "troubles": found.rule_troubles},
        "partners": {
            each.partner: {"ok": not each.is_down, "waiting": each.waiting, "dead": each.dead} for each in found.partners
        },
    }


def _has_no_fault(runner: Mapping[str, Any]) -> bool:
    """A process that waits for another to give up the duties is well; one whose duty failed is not."""
    return all(duty["fault"] is None for duty in runner["duties"].values())


def metrics(request: Request) -> Response:
    """The same numbers in the text form that Prometheus reads."""
    with reading(request) as session:
        found = health.look(session)
    lines = [line for name, help_text, samples in _metrics(request, found) for line in _lines(name, help_text, samples)]
    return PlainTextResponse("\n".join(lines) + "\n", 200, NO_STORE, "text/plain; version=0.0.4; charset=utf-8")


Samples = Iterable[tuple[Mapping[str, str], float]]


def _metrics(request: Request, found: Health) -> Iterable[tuple[str, str, Samples]]:
    yield "guitu_cases", "Cases by status.", [({"status": key}, count) for key, count in sorted(found.cases.items())]
    yield "guitu_jobs", "Jobs by status.", [({"status": key}, count) for key, count in sorted(found.jobs.items())]
    yield "guitu_jobs_stuck", "Running jobs without a heartbeat.", [({}, found.stuck_jobs)]
    oldest = (found.at - found.oldest_queued_at).total_seconds() if found.oldest_queued_at else 0
    yield "guitu_job_wait_seconds", "How long the oldest queued job has been due.", [({}, max(oldest, 0))]
    partners = [({"partner": each.partner}, each) for each in found.partners]
    yield "guitu_outbox_waiting", "Messages that wait for a partner.", [(labels, each.waiting) for labels, each in partners]
    yield "guitu_outbox_dead", "Messages that were given up.", [(labels, each.dead) for labels, each in partners]
    yield "guitu_partner_up", "1 while a partner answers.", [(labels, not each.is_down) for labels, each in partners]
    yield "guitu_sessions", "Open sessions.", [({}, found.sessions)]
    yield "guitu_audit_entries", "Entries of the audit trail.", [({}, found.audit_entries)]
    yield "guitu_rule_sets_in_force", "Editions of rule sets in force.", [({}, health.rules_in_force(office(request)))]
    yield "guitu_rule_faults", "Faults in rule files.", [({}, len(office(request).book.faults))]
    yield "guitu_disk_free_bytes", "Room left for files.", [({}, health.free_bytes(office(request).files.root))]


def _lines(name: str, help_text: str, samples: Samples) -> list[str]:
    found = [f"# HELP {name} {help_text}", f"# TYPE {name} gauge"]
    for labels, value in samples:
        words = ",".join(f'{key}="{text}"' for key, text in labels.items())
        found.append(f"{name}{{{words}}} {float(value):g}" if words else f"{name} {float(value):.0f}")
    return found
