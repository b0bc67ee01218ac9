"""质检方案配置: the schemes with their checks and tolerances, and variants laid over them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.errors import InvalidData
from domain.format import moment
from domain.inspection.task import engine, variant
from domain.inspection.task.tables import InspectionVariant
from views import page
from views.inspections.words import crumbs, url
from views.posted import FieldFault, by_field, faults_of, given_texts, text, version
from views.shell import Crumb, Link

PLACE = Link("inspection_variants", "质检方案配置")


@dataclass(frozen=True)
class VariantsPage:
    """The context of inspections/variants.html."""

    schemes: Sequence[Mapping[str, Any]]
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class VariantPage:
    """The context of inspections/variant.html."""

    scheme: Any
    row: InspectionVariant | None
    action: str
    given: Mapping[str, str]
    off: frozenset[str]
    faults: tuple[FieldFault, ...]
    errors: Mapping[str, str] = field(default_factory=dict)


def show_all(request: Request) -> Response:
    """Every scheme and every variant."""
    with page.reading(request) as session:
        titles = engine.titles()
        rows = [
            {"cells": {
                "title": {"text": each.title, "href": url(request, "inspection_variant", variant_id=each.id)}, "scheme": titles.get(each.scheme, each.scheme),
                "off": f"{len(each.off)} 项", "parameters": f"{len(each.parameters)} 个", "by": {"text": each.created_by_name, "sub": moment(each.changed_at)},
            }}
            for each in variant.variants(session)
        ]  # fmt: skip
        schemes = [{"scheme": engine.scheme_page(session, key), "href": url(request, "new_inspection_variant", {"scheme": key})} for key in titles]
    return page.render(
        request, "inspections/variants.html", VariantsPage(schemes, rows), title=PLACE.label, crumbs=crumbs(Crumb(PLACE.label)), current="inspections",
        audience="bench",
    )  # fmt: skip


def new(request: Request) -> Response:
    """Lay a new variant over a scheme."""
    scheme = request.query_params.get("scheme", "")
    if not scheme:
        return page.redirect(request, "inspection_variants")
    if request.method == "GET":
        return _form(request, scheme, None)
    return _save(request, scheme, None)


def edit(request: Request) -> Response:
    """Change a variant."""
    with page.reading(request) as session:
        row = variant.variant(session, request.path_params["variant_id"])
    variant.require_own(page.actor(request), row)
    if request.method == "GET":
        return _form(request, row.scheme, row)
    return _save(request, row.scheme, row)


def _save(request: Request, scheme: str, row: InspectionVariant | None) -> Response:
    on = {value for value in page.form(request).getlist("on") if isinstance(value, str)}
    try:
        with page.writing(request) as session:
            found = engine.scheme_page(session, scheme)
            off = [check["key"] for check in found["checks"] if check["key"] not in on]
            changed = {each["key"]: value for each in found["parameters"] if (value := text(request, f"p-{each['key']}", 60)) not in ("", each["value"])}
            variant.save(
                session, page.actor(request), scheme, text(request, "title", 200), off, changed, text(request, "note", 500),
                row.id if row else None, version(request) if row else None,
            )  # fmt: skip
    except InvalidData as fault:
        return _form(request, scheme, row, faults_of(fault), 422)
    return page.redirect(request, "inspection_variants")


def _form(request: Request, scheme: str, row: InspectionVariant | None, faults: tuple[FieldFault, ...] = (), status: int = 200) -> Response:
    with page.reading(request) as session:
        found = engine.scheme_page(session, scheme)
    posted = given_texts(request)
    if request.method == "POST":
        off = frozenset(check["key"] for check in found["checks"]) - {value for value in page.form(request).getlist("on") if isinstance(value, str)}
        given = posted
    else:
        off = frozenset(row.off if row else ())
        given = defaultdict(str, {"title": row.title if row else "", "note": row.note if row else "", **{f"p-{key}": value for key, value in (row.parameters if row else {}).items()}})
    action = url(request, "inspection_variant", variant_id=row.id) if row else url(request, "new_inspection_variant", {"scheme": scheme})
    context = VariantPage(found, row, action, given, off, faults, by_field(faults))
    title = row.title if row else f"配置「{found['title']}」"
    return page.render(
        request, "inspections/variant.html", context, title=title, crumbs=crumbs(Crumb(PLACE.label, PLACE), Crumb(title)), current="inspections",
        audience="bench", status=status,
    )  # fmt: skip


def delete(request: Request) -> Response:
    """Take a variant from the choices."""
    with page.writing(request) as session:
        variant.delete(session, page.actor(request), request.path_params["variant_id"], version(request))
    return page.redirect(request, "inspection_variants")
