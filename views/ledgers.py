"""Ledgers 台账: all accounts in one's right, the statement of one, lists of details, the log of stops, exports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain import dictionary, portal_clock
from domain.case.words import code_of
from domain.errors import InvalidData
from domain.format import M2_PER_HECTARE, date_table, moment, signed, thousands
from domain.ledger import (
    AccountKey,
    LedgerYear,
    area_label,
    detail_list,
    ledgers,
    opening,
    pool,
    posting_kind,
)
from domain.ledger import export as ledger_export
from domain.ledger.check import Outcome, check
from domain.ledger.course import course
from domain.ledger.definition import PLAN, pool_in_year
from domain.ledger.scope import must_see, sees_city, visible_areas
from domain.ledger.statement import (
    AreaBooks,
    DetailQuery,
    StatementQuery,
    StatementRow,
    changes,
    details,
    overview,
    statement,
)  # fmt: skip
from views import page
from views.ledger_chart import Drawn, district_bars, hectares, year_course
from views.paging import Pager, pager
from views.posted import query_day, query_number, text
from views.shell import Crumb, Link

CURRENT = "ledgers"
HOME = Crumb("台账", Link("ledgers", "台账"))


@dataclass(frozen=True)
class OverviewPage:
    """The context of ledgers/index.html."""

    rows: Sequence[Mapping[str, Any]]
    total: Mapping[str, Any]
    year: int
    years: Sequence[int]
    book: LedgerYear | None
    has_layer: bool
    stopped: Sequence[str]
    may_recount: bool
    checks: Sequence[Outcome]
    is_city: bool
    chart: Drawn | None
    without_plan: Sequence[str]
    tabs: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class StatementPage:
    """The context of ledgers/statement.html."""

    title: str
    area: str
    pool: str
    year: int
    measures: Sequence[Mapping[str, Any]]
    measure: str
    measure_label: str
    postings: Sequence[Mapping[str, Any]]
    total: Mapping[str, Any]
    terms: Sequence[Mapping[str, str]]
    sum: Mapping[str, str]
    check: Mapping[str, Any] | None
    stop: Mapping[str, str] | None
    fields: Sequence[Mapping[str, Any]]
    pager: Pager
    query: Mapping[str, Any]
    is_filtered: bool
    chart: Drawn | None


@dataclass(frozen=True)
class DetailsPage:
    """The context of ledgers/details.html."""

    list_key: str
    label: str
    columns: Sequence[Mapping[str, Any]]
    rows: Sequence[Mapping[str, Any]]
    total: Mapping[str, Any]
    fields: Sequence[Mapping[str, Any]]
    pager: Pager
    query: Mapping[str, Any]
    tabs: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class ChangesPage:
    """The context of ledgers/changes.html."""

    rows: Sequence[Mapping[str, Any]]
    pager: Pager
    fields: Sequence[Mapping[str, Any]]
    query: Mapping[str, Any]
    tabs: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class RecountPage:
    """The context of ledgers/recount.html."""

    year: int
    book: LedgerYear | None
    differences: Sequence[Mapping[str, str]]


def _url(request: Request, name: str, query: Mapping[str, Any] | None = None, **params: Any) -> str:
    return request.app.state.templates.url(name, query, **params)


def index(request: Request) -> Response:
    """Every account in one's right; stopped districts are red, with the sum of the rows below."""
    actor = page.actor(request)
    with page.reading(request) as session:
        years = opening.years(session)
        year = query_number(request, "year") or (years[0] if years else portal_clock.today(session).year)
        books = overview(session, actor, year)
        context = OverviewPage(
            rows=[_area_row(request, each, year) for each in books], total=_overview_total(books), year=year, years=years,
            book=opening.year_of(session, year), has_layer=opening.has_layer(session),
            stopped=[area_label(each.area) for each in books if each.stopped],
            may_recount=actor.has_role(*opening.COUNTERS), is_city=sees_city(actor), tabs=_tabs(request, ""),
            checks=check(session) if "check" in request.query_params and sees_city(actor) else (),
            chart=district_bars(books),
            without_plan=[area_label(each.area) for each in books if each.line is None and each.area != ledgers().city],
        )  # fmt: skip
        session.expunge_all()
    return page.render(request, "ledgers/index.html", context, title="资源台账", current=CURRENT, crumbs=(Crumb("台账"),))


def _area_row(request: Request, each: AreaBooks, year: int) -> dict[str, Any]:
    def linked(pool_key: str, measure: str, amount: Decimal) -> dict[str, Any]:
        href = _url(request, "ledger_statement", {"year": year, "measure": measure}, pool=pool_key, area=each.area)
        return {"text": hectares(amount), "href": href, "is_zero": not amount}

    remaining = linked("plan", "remaining", each.of("plan", "remaining"))
    if each.frozen:
        remaining["sub"] = f"其中冻结 {hectares(each.frozen)}"
    line = hectares(each.line) if each.line is not None else "—"
    return {
        "is_stopped": each.stopped is not None,
        "has_more": any(each.of(*of) for of in (("added", "total"), ("national", "remaining"))),
        "cells": {
            "area": area_label(each.area),
            "stock_total": linked("stock", "total", each.of("stock", "total")),
            "stock_remaining": linked("stock", "remaining", each.of("stock", "remaining")),
            "stock_turnover": linked("stock", "turnover", each.of("stock", "turnover")),
            "plan_total": linked("plan", "total", each.of("plan", "total")),
            "plan_remaining": remaining,
            "plan_turnover": linked("plan", "turnover", each.of("plan", "turnover")),
            "line": line,
            "state": _state(each),
            "added": linked("added", "total", each.of("added", "total")),
            "national": linked("national", "remaining", each.of("national", "remaining")),
        },
    }  # fmt: skip


def _state(each: AreaBooks) -> dict[str, Any]:
    """Whether an area may file: stopped below the line, nothing left to use, or free; the city itself files nothing."""
    if each.stopped:
        return {"tag": {"label": "停办", "tone": "bad"}, "sub": f"自 {moment(each.stopped.since)}"}
    if each.area == ledgers().city:
        return {"text": "—"}
    return {"text": "可办"} if each.of("plan", "remaining") else {"text": "剩余 0，先预存"}


def _overview_total(books: Sequence[AreaBooks]) -> dict[str, str]:
    columns = {
        "stock_total": ("stock", "total"), "stock_remaining": ("stock", "remaining"), "stock_turnover": ("stock", "turnover"),
        "plan_total": ("plan", "total"), "plan_remaining": ("plan", "remaining"), "plan_turnover": ("plan", "turnover"),
        "added": ("added", "total"), "national": ("national", "remaining"),
    }  # fmt: skip
    return {key: hectares(sum((each.of(*of) for each in books), Decimal(0))) for key, of in columns.items()}


def show_statement(request: Request) -> Response:
    """The statement of an account: equation, frozen area, postings with both sides, running balance."""
    key, query = _account_of(request), _statement_query(request)
    with page.reading(request) as session:
        found = statement(session, page.actor(request), key, query)
        books = next(each for each in overview(session, page.actor(request), key.year) if each.area == key.area)
        points = course(session, page.actor(request), key.area, key.year) if key.pool == PLAN else []
        chart = year_course(points, key.year, portal_clock.today(session))
        context = _statement_page(request, key, query, found, books, chart)
    crumbs = (HOME, Crumb(f"{area_label(key.area)} {pool(key.pool).label}"))
    return page.render(request, "ledgers/statement.html", context, title=context.title, current=CURRENT, crumbs=crumbs)


def _account_of(request: Request) -> AccountKey:
    """The account in the address. Raises NotFound for one that there is not, or outside one's right."""
    area = must_see(page.actor(request), request.path_params["area"])
    found = pool(request.path_params["pool"])
    measure = request.query_params.get("measure", "")
    if found.is_counter:
        pool("")
    if measure not in found.measures:
        measure = "remaining" if "remaining" in found.measures else next(iter(found.measures))
    return AccountKey(found.key, area, query_number(request, "year") or page.today(request).year, measure)


def _statement_query(request: Request) -> StatementQuery:
    kind = request.query_params.get("kind", "")
    return StatementQuery(
        kind if kind in ledgers().kinds else "", query_day(request, "since"), query_day(request, "until"),
        max(query_number(request, "page") or 1, 1),
    )  # fmt: skip


def _statement_page(request: Request, key: AccountKey, query: StatementQuery, found: Any, books: AreaBooks, chart: Drawn | None) -> StatementPage:
    definition = pool(key.pool)
    terms, total = _equation(key, books)
    kept = {name: value for name, value in request.query_params.items() if name in ("year", "measure", "kind", "since", "until")}
    frozen = [] if query.page > 1 or query.kind else [_frozen_row(request, row) for row in found.frozen]
    balance = found.account.balance if found.account else Decimal(0)
    return StatementPage(
        title=f"{area_label(key.area)} {pool_in_year(key.pool, key.year)}", area=key.area, pool=key.pool, year=key.year,
        measures=[
            {
                "label": measure.label, "is_current": measure.key == key.measure,
                "href": _url(request, "ledger_statement", {"year": key.year, "measure": measure.key}, pool=key.pool, area=key.area),
            }
            for measure in definition.measures.values()
        ],
        measure=key.measure, measure_label=definition.measures[key.measure].label,
        postings=[*frozen, *(_posting_row(request, row) for row in found.rows)],
        total={
            "label": f"合计 {found.total} 笔", "inward": signed(found.inward / M2_PER_HECTARE, 4),
            "outward": signed(found.outward / M2_PER_HECTARE, 4), "balance": hectares(balance),
        },
        terms=terms, sum=total, check=_balance_check(key, books, balance), stop=_stop(books) if key.pool == "plan" else None,
        fields=_statement_fields(query), pager=pager(request, len(found.rows), found.total, "笔", pool=key.pool, area=key.area),
        query=kept, is_filtered=bool(query.kind or query.since or query.until), chart=chart,
    )  # fmt: skip


def _equation(key: AccountKey, books: AreaBooks) -> tuple[list[dict[str, str]], dict[str, str]]:
    """What the pool is made of, as a sum: plan = stored − used − carried; stock by its three measures."""
    if key.pool == "plan":
        terms = [("＋", "累计预存", books.of("plan", "total")), ("−", "已流出", books.of("plan", "used"))]
        if books.of("plan", "carried"):
            terms.append(("−", "已结转", books.of("plan", "carried")))
        total = ("剩余（含冻结）", books.of("plan", "remaining"))
    elif key.pool == "stock":
        stored = books.of("plan", "total")
        lent = books.of("stock", "total") - books.of("stock", "turnover") - books.of("stock", "remaining") - stored
        terms = [("＋", "现状耕地总面积", books.of("stock", "total")), ("−", "周转耕地面积", books.of("stock", "turnover")), ("−", "累计预存", stored)]
        if lent:
            terms.append(("−", "周转、租赁划出", lent))
        total = ("剩余耕地面积", books.of("stock", "remaining"))
    else:
        measure = pool(key.pool).measures[key.measure]
        terms, total = [("＋", measure.label, books.of(key.pool, key.measure))], (measure.label, books.of(key.pool, key.measure))
    shown = [{"sign": sign, "label": label, "amount": hectares(amount)} for sign, label, amount in terms]
    return shown, {"label": total[0], "amount": hectares(total[1])}


def _balance_check(key: AccountKey, books: AreaBooks, balance: Decimal) -> dict[str, Any] | None:
    """The balance that the entries lead to, beside the sum of the equation."""
    if (key.pool, key.measure) != ("plan", "remaining"):
        return None
    rest = books.of("plan", "total") - books.of("plan", "used") - books.of("plan", "carried")
    return {
        "label": "流水余额", "amount": hectares(balance), "difference": hectares(abs(rest - balance)), "is_even": rest == balance,
    }  # fmt: skip


def _stop(books: AreaBooks) -> dict[str, str] | None:
    """What the warning line says of this area, for the notice above the statement."""
    if books.line is None:
        return None
    remaining = books.of("plan", "remaining")
    margin = remaining - books.line
    if books.stopped:
        return {
            "tone": "bad", "lead": f"本区自 {moment(books.stopped.since)} 起停办。",
            "text": f"剩余 {hectares(remaining)} 公顷，低于警戒线 {hectares(books.line)} 公顷（累计预存的规定比例）。"
            "农转用审批和其他国土空间用途管制案件不能新办，补充预存使剩余不低于警戒线后自动恢复。",
        }  # fmt: skip
    tone = "warn" if margin < books.line else "info"
    return {
        "tone": tone, "lead": f"距警戒线还有 {hectares(margin)} 公顷。",
        "text": f"剩余 {hectares(remaining)} 公顷（含冻结 {hectares(books.frozen)}），警戒线 {hectares(books.line)} 公顷。低于警戒线时本区自动停办。",
    }  # fmt: skip


def _posting_row(request: Request, row: StatementRow) -> dict[str, Any]:
    kind = posting_kind(row.posting.kind)
    amount = signed(row.entry.amount / M2_PER_HECTARE, 4)
    reason = row.case.title or kind.label if row.case else kind.label
    undone = "（冲销）" if row.posting.reversal_of else ""
    side = "inward" if row.entry.amount > 0 else "outward"
    return {
        "on": date_table(row.posting.booked_on), "reason": f"{reason}{undone}",
        "href": _url(request, "case", case_id=row.case.id) if row.case else "",
        "case": f"{code_of(row.case)}　{kind.label}" if row.case else row.posting.memo,
        "note": f"{thousands(abs(row.entry.amount), 2)} 平方米",
        "counterpart": "；".join(other.label for other in row.others), side: amount, "balance": hectares(row.entry.balance_after),
    }  # fmt: skip


def _frozen_row(request: Request, row: Any) -> dict[str, Any]:
    return {
        "on": date_table(portal_clock.local_date(row.freeze.at)), "reason": row.case.title or code_of(row.case), "is_held": True,
        "href": _url(request, "case", case_id=row.case.id), "case": code_of(row.case),
        "note": f"锁定自 {moment(row.freeze.at)}，{thousands(row.freeze.amount, 2)} 平方米", "counterpart": "已流出",
        "outward": signed(-row.freeze.amount / M2_PER_HECTARE, 4), "balance": "未扣",
    }  # fmt: skip


def _statement_fields(query: StatementQuery) -> list[dict[str, Any]]:
    kinds = [{"value": kind.key, "label": kind.label} for kind in ledgers().kinds.values()]
    return [
        {"name": "kind", "label": "种类", "kind": "select", "value": query.kind, "choices": kinds},
        {"name": "since", "label": "日期从", "kind": "date", "value": query.since.isoformat() if query.since else ""},
        {"name": "until", "label": "到", "kind": "date", "value": query.until.isoformat() if query.until else ""},
    ]


def show_details(request: Request) -> Response:
    """A list of details: what was stored, or what flowed out, each row leading to its case."""
    definition, query = detail_list(request.path_params["list_key"]), _detail_query(request)
    with page.reading(request) as session:
        found = details(session, page.actor(request), definition.key, query)
        choices = dictionary.choices(session, portal_clock.today(session))
        words = {c: {each.value: each.label for each in choices.get(key, ())} for c, key in definition.dictionaries.items()}
        context = DetailsPage(
            list_key=definition.key, label=definition.label, columns=_detail_columns(request, definition.key, query),
            rows=[{"cells": {c: _detail_cell(request, row, c, words) for c in definition.columns}} for row in found.rows],
            total={"amount": hectares(found.amount)} | ({"paddy": hectares(found.paddy)} if "paddy" in definition.columns else {}),
            fields=_detail_fields(request, query), pager=pager(request, len(found.rows), found.total, "件", list_key=definition.key),
            query={k: v for k, v in request.query_params.items() if k in ("area", "year", "q")}, tabs=_tabs(request, definition.key),
        )  # fmt: skip
    crumbs = (HOME, Crumb(definition.label))
    return page.render(request, "ledgers/details.html", context, title=definition.label, current=CURRENT, crumbs=crumbs)


def _detail_query(request: Request) -> DetailQuery:
    params = request.query_params
    sort = params.get("sort", "-approved_at")
    return DetailQuery(
        params.get("area", ""), query_number(request, "year"), params.get("q", "").strip()[:60], sort.removeprefix("-"),
        sort.startswith("-"), max(query_number(request, "page") or 1, 1),
    )  # fmt: skip


def _detail_columns(request: Request, list_key: str, query: DetailQuery) -> list[dict[str, Any]]:
    kept = {k: v for k, v in request.query_params.items() if k in ("area", "year", "q")}
    columns = []
    for column in detail_list(list_key).columns:
        is_number = column in ledger_export.IN_M2
        is_current = column == query.sort
        target = column if is_current and query.is_descending else f"-{column}"
        sort = {"href": _url(request, "ledger_details", {**kept, "sort": target}, list_key=list_key)}
        if is_current:
            sort["order"] = "descending" if query.is_descending else "ascending"
        label = ledger_export.column_label(list_key, column) + ("（公顷）" if is_number else "")
        columns.append({"key": column, "label": label, "is_number": is_number, "sort": sort})
    return columns


def _detail_cell(request: Request, row: Any, column: str, words: Mapping[str, Mapping[str, str]]) -> Any:
    if column == "area":
        return area_label(row.area_code)
    if column == "title":
        return {"text": row.title or row.number, "href": _url(request, "case", case_id=row.case_id)}
    value = getattr(row, column)
    if column in words:
        return words[column].get(value, value) or "—"
    if column in ledger_export.IN_M2:
        return {"text": hectares(value), "sub": f"{thousands(value, 2)} 平方米"} if value is not None else "—"
    return moment(value) if column == "approved_at" else str(value)


def _area_field(request: Request, value: str) -> list[dict[str, Any]]:
    own = visible_areas(page.actor(request))
    if len(own) < 2:
        return []
    return [{"name": "area", "label": "行政区", "kind": "select", "value": value, "choices": [{"value": c, "label": area_label(c)} for c in own]}]


def _detail_fields(request: Request, query: DetailQuery) -> list[dict[str, Any]]:
    return [
        {"name": "q", "label": "案件编号或名称", "value": query.text},
        *_area_field(request, query.area),
        {"name": "year", "label": "年度", "kind": "number", "value": query.year or ""},
    ]


def _tabs(request: Request, current: str) -> list[dict[str, Any]]:
    lists = [
        {"label": each.label, "href": _url(request, "ledger_details", list_key=each.key), "is_current": each.key == current}
        for each in ledgers().details.values()
    ]
    return [
        {"label": "台账总览", "href": _url(request, "ledgers"), "is_current": current == ""}, *lists,
        {"label": "停办与恢复", "href": _url(request, "ledger_changes"), "is_current": current == "changes"},
    ]  # fmt: skip


def show_changes(request: Request) -> Response:
    """The log of stops and resumptions."""
    area = request.query_params.get("area", "")
    with page.reading(request) as session:
        found, total = changes(session, page.actor(request), area, query_number(request, "page") or 1)
        rows = [_change_row(request, row, case) for row, case in found]
    context = ChangesPage(
        rows, pager(request, len(rows), total, "条"), _area_field(request, area), {"area": area} if area else {},
        _tabs(request, "changes"),
    )  # fmt: skip
    return page.render(
        request, "ledgers/changes.html", context, title="停办与恢复记录", current=CURRENT, crumbs=(HOME, Crumb("停办与恢复记录"))
    )


def _change_row(request: Request, row: Any, case: Any) -> dict[str, Any]:
    is_stop = row.change == "stopped"
    cause = {"text": code_of(case), "href": _url(request, "case", case_id=case.id)} if case else {"text": "每日重算", "is_soft": True}
    return {
        "cells": {
            "at": moment(row.at), "area": area_label(row.area_code), "year": str(row.year),
            "change": {"tag": {"label": ledger_export.CHANGE_WORDS[row.change], "tone": "bad" if is_stop else "good"}},
            "remaining": hectares(row.remaining), "stored": hectares(row.stored),
            "line": hectares(row.line) if row.line is not None else "—", "case": cause,
        }
    }  # fmt: skip


def export(request: Request) -> Response:
    """Queue a workbook of what the page shows."""
    names = ("year", "pool", "area", "measure", "kind", "since", "until", "list", "q")
    given = {name: text(request, name, 80) for name in names}
    what = text(request, "what", 20)
    if what in ("overview", "statement") and not given["year"].isdecimal():
        raise InvalidData("没有写明导出哪一年。请从台账页面点导出。", {"year": "没有填写"})
    with page.writing(request) as session:
        job = ledger_export.request_export(session, page.actor(request), what, {k: v for k, v in given.items() if v})
    return page.redirect(request, "job", job_id=job.id)


def recount(request: Request) -> Response:
    """Say what a recount would change; do it when that is posted."""
    if request.method == "POST":
        with page.writing(request) as session:
            opening.recount(session, page.actor(request))
        return page.redirect(request, "ledgers")
    with page.reading(request) as session:
        year = portal_clock.today(session).year
        book = opening.year_of(session, year)
        differences = [
            {"area": area_label(code), "amount": signed(amount / M2_PER_HECTARE, 4)}
            for code, amount in opening.differences(session, year).items()
        ] if book else []  # fmt: skip
        session.expunge_all()
    context = RecountPage(year, book, differences)
    return page.render(
        request, "ledgers/recount.html", context, title="按底板重算", current=CURRENT, crumbs=(HOME, Crumb("按底板重算"))
    )

