"""Plots 地块 of a case: read from a workbook, matched with the annual farmland layer, reserved for the case."""

from domain.plot.listing import PlotQuery, plots_of, summary
from domain.plot.sheet import PlotRow, PlotSheet, read_sheet, template_workbook
from domain.plot.tables import CasePlot, PlotUpload
from domain.plot.upload import (
    LAYER,
    PlotsRefused,
    RowFault,
    clear,
    facts_about,
    may_change,
    receive,
    remove,
    take_in,
    upload,
)

__all__ = [
    "LAYER",
    "CasePlot",
    "PlotQuery",
    "PlotRow",
    "PlotSheet",
    "PlotUpload",
    "PlotsRefused",
    "RowFault",
    "clear",
    "facts_about",
    "may_change",
    "plots_of",
    "read_sheet",
    "receive",
    "remove",
    "summary",
    "take_in",
    "template_workbook",
    "upload",
]
