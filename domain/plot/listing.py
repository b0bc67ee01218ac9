"""The list of a case's plots: searched, sorted and paged in the database, with its total."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from sqlmodel import Session, col, func, or_, select

from domain.plot.tables import CasePlot, PlotUpload

SORTS = {
    "plot_number": CasePlot.plot_number,
    "plot_name": CasePlot.plot_name,
    "area_m2": CasePlot.area_m2,
    "quota_scope": CasePlot.quota_scope,
}


@dataclass(frozen=True, slots=True)
class PlotQuery:
    """What of the list is wanted: a text in number or name, an order, a place."""

    text: str = ""
    sort: str = "plot_number"
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class PlotSummary:
    """How many plots a case has, and their area in m²: the sum of the rows, exactly."""

    count: int
    area_m2: Decimal


def _matching(case_id: int, query: PlotQuery) -> list:
    conditions = [CasePlot.case_id == case_id]
    if query.text:
        like = "%" + query.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        conditions.append(
            or_(col(CasePlot.plot_number).ilike(like, escape="\\"), col(CasePlot.plot_name).ilike(like, escape="\\"))
        )
    return conditions


def plots_of(
    session: Session, case_id: int, query: PlotQuery = PlotQuery(), *, offset: int = 0, limit: int | None = None
) -> list[CasePlot]:
    """The plots of a case that fit, in order; all of them unless limited."""
    order = col(SORTS.get(query.sort, CasePlot.plot_number))
    statement = select(CasePlot).where(*_matching(case_id, query))
    statement = statement.order_by(order.desc() if query.is_descending else order, col(CasePlot.id)).offset(offset)
    return list(session.exec(statement if limit is None else statement.limit(limit)).all())


def summary(session: Session, case_id: int, query: PlotQuery = PlotQuery()) -> PlotSummary:
    """Count and total area of the plots that fit, with one query."""
    statement = select(func.count(), func.sum(CasePlot.area_m2)).where(*_matching(case_id, query))
    count, area = session.exec(statement).one()
    return PlotSummary(count, area if area is not None else Decimal("0.00"))


def uploads_of(session: Session, case_id: int) -> list[PlotUpload]:
    """The workbooks of a case, newest first."""
    statement = select(PlotUpload).where(PlotUpload.case_id == case_id).order_by(col(PlotUpload.id).desc())
    return list(session.exec(statement).all())


def numbers_of(session: Session, case_id: int) -> Iterator[str]:
    """The numbers of a case's plots in order."""
    statement = select(CasePlot.plot_number).where(CasePlot.case_id == case_id).order_by(col(CasePlot.plot_number))
    return iter(session.exec(statement).all())
