"""The app: route table, headers, static files, error pages, and the runners that start and stop with it."""

import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from functools import cache
from typing import Any

import anyio.to_thread
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from domain import portal_clock, rule_trouble
from domain.actor import SYSTEM
from domain.errors import NotFound, OutsideSystemDown, PortalError, Refused
from domain.office import Office
from domain.rule_edition.shelf import recorded
from portal.access import Page
from portal.database import Database
from portal.gate import guarded, no_such_page, problem_response
from portal.headers import SecurityHeaders
from portal.office import open_office
from portal.routes import PAGES
from portal.runner import Runner
from portal.settings import PROJECT_DIR, Settings
from portal.template_environment import Templates
from rules.engine import RuleError

TODAY_SECONDS = 1
GZIP_LEVEL = 4
"""Level 9 takes three times as long for pages that are a tenth smaller."""

log = logging.getLogger(__name__)


def create_app(settings: Settings, *, office: Any = None, database: Database | None = None, run: bool = True) -> Starlette:
    """Make the app; `office` and `database` may be given by tests, `run=False` starts no runner."""
    database = database or Database(settings.database_url)
    office = office or _opened(settings, database)
    database.office = office
    app = Starlette(
        routes=_routes(PAGES),
        middleware=_middleware(settings),
        exception_handlers={HTTPException: _http_problem, Exception: _unexpected, OperationalError: _database_down,
                            RuleError: _no_decision},
        lifespan=_lifespan(run),
    )
    app.state.settings, app.state.office, app.state.database = settings, office, database
    app.state.route_names = frozenset(page.name for page in PAGES)
    app.state.templates = Templates(_paths_by_name(app), _today(database), auto_reload=settings.debug)
    app.state.foot_text = "上海市规划和自然资源局"
    app.state.runner = Runner(database, office)
    return app


@cache
def _routes(pages: tuple[Page, ...]) -> tuple[BaseRoute, ...]:
    """The route table, compiled once a process: what a page needs of the app it takes from its request."""
    routes = (Route(page.path, guarded(page), name=page.name, methods=list(page.methods)) for page in pages)
    return *routes, Mount("/static", StaticFiles(directory=PROJECT_DIR / "static"), name="static")


def _opened(settings: Settings, database: Database) -> Office:
    """The office, with the rule editions that the database keeps: they hold even if a file has been broken since."""
    with database.reading() as session:
        return open_office(settings, recorded=recorded(session))


def _paths_by_name(app: Starlette) -> Callable[..., str]:
    """The path of a route by its name: a look-up, where Starlette would try every route for every link of a page."""
    routes = {route.name: route for route in app.routes if isinstance(route, Route)}
    plain = {name: route.path for name, route in routes.items() if not route.param_convertors}

    def path(name: str, /, **params: Any) -> str:
        if not params and name in plain:
            return plain[name]
        route = routes.get(name)
        return str(route.url_path_for(name, **params) if route else app.url_path_for(name, **params))

    return path


def _today(database: Database) -> Callable[[], date]:
    """The portal's date for templates, asked of the database at most once a second: a list asks it for every row."""
    known: list[Any] = [float("-inf"), None]

    def today() -> date:
        if time.monotonic() - known[0] > TODAY_SECONDS:
            with database.reading() as session:
                known[:] = [time.monotonic(), portal_clock.today(session)]
        return known[1]

    return today


def _middleware(settings: Settings) -> list[Middleware]:
    return [
        Middleware(TrustedHostMiddleware, allowed_hosts=list(settings.allowed_hosts)),
        Middleware(SecurityHeaders, is_tls=settings.cookies_secure),
        Middleware(GZipMiddleware, minimum_size=1000, compresslevel=GZIP_LEVEL),
    ]


def _lifespan(run: bool) -> Any:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = app.state.settings.request_threads
        if run:
            app.state.runner.start()
        yield
        if run:
            await anyio.to_thread.run_sync(app.state.runner.stop)
        app.state.database.dispose()

    return lifespan


def _http_problem(request: Request, error: HTTPException) -> Response:
    if error.status_code == 404:
        return no_such_page(request, NotFound("没有这个页面。地址可能有误，或页面已经移走。"))
    problem = PortalError(f"请求没有被接受：{error.detail}")
    problem.status = error.status_code
    return problem_response(request, problem)


def _database_down(request: Request, error: OperationalError) -> Response:
    return problem_response(request, OutsideSystemDown("数据库暂时不能读写，这次操作没有生效。请稍后重试。"))


def _no_decision(request: Request, error: RuleError) -> Response:
    """A rule set could not answer: nothing passes by default, and the reason is said."""
    log.error("no decision: %s", error)
    _note_trouble(request.app.state.database, error)
    return problem_response(request, Refused(f"规则没有给出结论，这次操作没有生效：{error}。请联系规则维护人员。"))


def _note_trouble(database: Database, error: RuleError) -> None:
    """Keep the failure and tell those in charge, after what was asked for has been rolled back."""
    try:
        with database.writing() as session:
            rule_trouble.note_failure(session, SYSTEM, error.rule_set or type(error).__name__, str(error))
    except SQLAlchemyError:
        log.exception("the trouble of a rule set could not be kept")


def _unexpected(request: Request, error: Exception) -> Response:
    """A fault of ours: said plainly, logged with its trace by the server."""
    return problem_response(request, PortalError("门户内部出错，这次操作没有生效。请稍后重试；仍不行的，请联系系统管理员。"))
