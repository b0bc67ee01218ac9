"""Reading single values of a posted form or a query, and the faults of a refused form for its summary."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from starlette.datastructures import UploadFile
from starlette.requests import Request

from domain.errors import InvalidData
from views.page import form


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One line of the error summary: the id of the field, and what is wrong with it."""

    field: str
    text: str


def faults_of(error: InvalidData) -> tuple[FieldFault, ...]:
    """The faults of a refused form; one without a field if the error names none."""
    named = tuple(FieldFault(field, text) for field, text in error.fields.items())
    return named or (FieldFault("", error.message),)


def by_field(faults: tuple[FieldFault, ...]) -> dict[str, str]:
    """The faults by field, for the fields of the form; a field without one says nothing."""
    return defaultdict(str, {fault.field: fault.text for fault in faults})


def text(request: Request, name: str, longest: int = 2000) -> str:
    """A posted text without surrounding space. Raises InvalidData if it is a file, too long, or not printable."""
    value = form(request).get(name, "")
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        raise InvalidData(f"「{name}」一项的内容不能读取，或超过 {longest} 字。请改短后再提交。", {name: f"不能超过 {longest} 字"})
    return value.strip()


def given_texts(request: Request) -> dict[str, str]:
    """Every posted text as it was given, to fill a refused form again; nothing on a GET."""
    posted = form(request).items() if request.method == "POST" else ()
    return defaultdict(str, {name: value for name, value in posted if isinstance(value, str)})


def number(request: Request, name: str) -> int | None:
    """A posted whole number; None if it is empty. Raises InvalidData for anything else."""
    return whole_number(text(request, name), name)


def version(request: Request) -> int:
    """The version of the row that the page was made with."""
    found = number(request, "version")
    if found is None:
        raise InvalidData("提交的内容里没有版本号，可能不是从页面提交的。请刷新页面后再提交。")
    return found


def day(request: Request, name: str) -> date | None:
    """A posted date (YYYY-MM-DD); None if it is empty. Raises InvalidData for anything else."""
    return whole_day(text(request, name), name)


def upload(request: Request, name: str) -> UploadFile:
    """A posted file. Raises InvalidData if none was chosen."""
    value = form(request).get(name)
    if not isinstance(value, UploadFile) or not value.filename:
        raise InvalidData("没有选择文件。请选择文件后再提交。", {name: "请选择文件"})
    return value


def query_number(request: Request, name: str) -> int | None:
    """A whole number of the query; None if it is empty."""
    return whole_number(request.query_params.get(name, ""), name)


def query_day(request: Request, name: str) -> date | None:
    """A date of the query; None if it is empty."""
    return whole_day(request.query_params.get(name, ""), name)


def whole_number(value: str, name: str) -> int | None:
    """The number that a text says; None for an empty one."""
    if not value:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise InvalidData(f"「{value[:20]}」不是整数。请改正。", {name: "应为整数"})
    return int(value)


def digits(value: object) -> int | None:
    """The number that stands in a text of up to 18 digits; None for anything else, where a missing number is no fault."""
    is_number = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18
    return int(value) if is_number else None


def whole_day(value: str, name: str) -> date | None:
    """The date that a text says; None for an empty one."""
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise InvalidData(f"「{value[:20]}」不是日期。请写成 2026-10-01 的样子。", {name: "应写成 2026-10-01 的样子"}) from error
