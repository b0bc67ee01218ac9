"""Parameters of the whole portal: the list, and one with its form."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import parameter
from domain.errors import InvalidData
from domain.parameter import Setting
from views.administration import frame
from views.page import actor, reading, redirect, writing
from views.posted import FieldFault, faults_of, text, version
from views.shell import Crumb

SECTION = "parameters"
DONE = {"change": "参数已保存，从现在起使用。", "reset": "参数已恢复缺省值。"}


@dataclass(frozen=True)
class ParametersPage:
    """The context of administration/parameters.html."""

    settings: tuple[Setting, ...]


@dataclass(frozen=True)
class ParameterPage:
    """The context of administration/parameter.html; `text_value` is what the field shows."""

    setting: Setting
    text_value: str
    default_words: str
    unit: str
    errors: tuple[FieldFault, ...]


def list_parameters(request: Request) -> Response:
    """Every parameter with its value."""
    with reading(request) as session:
        page = ParametersPage(parameter.settings(session))
    return frame.render(request, "administration/parameters.html", page, section=SECTION, title="参数", notices=frame.done(request, DONE))


def change(request: Request) -> Response:
    """Change one: the form, and what was posted."""
    key = request.path_params["key"]
    if request.method == "GET":
        return _page(request)
    try:
        with writing(request) as session:
            parameter.change(session, actor(request), key, text(request, "value", 200), version(request))
    except InvalidData as error:
        faults = tuple(FieldFault("value", fault.text) for fault in faults_of(error))
        return _page(request, faults, text(request, "value", 200), 422)
    return redirect(request, SECTION, query={"done": "change"})


def reset(request: Request) -> Response:
    """Go back to the default."""
    with writing(request) as session:
        parameter.reset(session, actor(request), request.path_params["key"], version(request))
    return redirect(request, SECTION, query={"done": "reset"})


def _page(request: Request, errors: tuple[FieldFault, ...] = (), given: str | None = None, status: int = 200) -> Response:
    with reading(request) as session:
        setting = _setting(session, request.path_params["key"])
    definition = setting.definition
    unit = definition.declaration.unit
    default = parameter.in_words(definition, definition.default)
    page = ParameterPage(setting, _shown(setting.value) if given is None else given, default, unit.label if unit else "", errors)
    trail = (Crumb(definition.label),)
    return frame.render(request, "administration/parameter.html", page, section=SECTION, title=definition.label, trail=trail, status=status)


def _setting(session: Session, key: str) -> Setting:
    parameter.value(session, key)
    return next(each for each in parameter.settings(session) if each.definition.key == key)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)
