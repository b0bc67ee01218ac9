"""Saved overlays 叠加分析: asked for, computed by a job, kept with their lineage, viewed, compared, exported, deleted."""

from domain.overlay_run.definition import FileRanges, LayerChoice, RunRequest, Scheme, scheme, schemes
from domain.overlay_run.export import request_export
from domain.overlay_run.reading import Difference, compare, find, in_sight, list_runs, rows_of
from domain.overlay_run.request import delete, request, run_again
from domain.overlay_run.tables import OverlayRun, OverlayRunRow

__all__ = [
    "Difference",
    "FileRanges",
    "LayerChoice",
    "OverlayRun",
    "OverlayRunRow",
    "RunRequest",
    "Scheme",
    "compare",
    "delete",
    "find",
    "in_sight",
    "list_runs",
    "request",
    "request_export",
    "rows_of",
    "run_again",
    "scheme",
    "schemes",
]
