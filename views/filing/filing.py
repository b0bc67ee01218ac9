"""The filing that a request speaks of: the case, the applicant's task in it, its definition and its form."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sqlmodel import Session
from starlette.requests import Request

from domain.case import access, access_rules, completeness, filled_form, operations, scope
from domain.case.definition import case_type_of
from domain.case.tables import Case, CaseCorrection, Task
from domain.errors import Conflict, NotFound
from domain.form import FieldView, Form, SectionView
from rules.case_type import CaseType, MaterialSlot
from rules.case_type.form import SectionDefinition
from views import page
from views.shell import Crumb, Link


@dataclass
class Filing:
    """One filing in the applicant's hands, as far as a page needs it; `task` is None once it was handed in."""

    session: Session
    request: Request
    case: Case
    task: Task | None
    definition: CaseType

    @property
    def code(self) -> str:
        """What stands in the addresses of this filing, from draft to end."""
        return self.case.draft_number

    @property
    def is_correction(self) -> bool:
        """True while only what the officer listed may change."""
        return self.task is not None and self.task.kind == "correction"

    @cached_property
    def form(self) -> Form:
        return filled_form.bind(self.session, self.case, self.task)

    @cached_property
    def correction(self) -> CaseCorrection | None:
        return access_rules.open_correction(self.session, self.case) if self.is_correction else None

    @property
    def locked_to(self) -> frozenset[str] | None:
        """In a correction the keys of what alone may change, else None."""
        return self.form.locked_to

    def sections(self, errors: Mapping[str, str] | None = None, posted: Any = None) -> tuple[SectionView, ...]:
        """The visible sections that may be changed now; in a correction each field carries the officer's words."""
        found = (each for each in self.form.sections(errors, posted) if each.is_editable)
        return tuple(self._with_words(each) for each in found) if self.is_correction else tuple(found)

    def section(self, key: str, errors: Mapping[str, str] | None = None, posted: Any = None) -> SectionView:
        """One of them. Raises NotFound if it is hidden, not there, or not open to the applicant."""
        for each in self.sections(errors, posted):
            if each.key == key:
                return each
        raise NotFound("这一部分现在不需要填写，或不能修改。请回到填报目录，看现在要填哪些部分。")

    def section_definition(self, key: str) -> SectionDefinition:
        return self.definition.form.section(key)

    def names_of(self, section: SectionDefinition) -> frozenset[str]:
        """The names under which faults of a section are reported."""
        return frozenset({section.key, *(spot.name for spot in self.form.content.spots(section))})

    def slots(self) -> tuple[MaterialSlot, ...]:
        """The material slots whose files the applicant may change now."""
        return tuple(
            slot for slot in self.definition.materials
            if access.material_fault(self.definition, self.case, self.task, self.locked_to, slot.key) is None
        )

    def faults(self) -> dict[str, str]:
        """Everything that stands against handing in, rules included."""
        return completeness.faults(self.session, page.actor(self.request), self.case, self.task)

    def url(self, name: str, query: Mapping[str, Any] | None = None, **params: Any) -> str:
        """The address of a page of this filing."""
        return self.request.app.state.templates.url(name, query, code=self.code, **params)

    def crumbs(self, label: str) -> tuple[Crumb, ...]:
        """The way from the list of one's cases to a page of this filing."""
        here = (Crumb(self.case.title, Link("filing", "", {"code": self.code})),) if label else ()
        return (Crumb("我的办件", Link("my_cases", "我的办件")), *here, Crumb(label or self.case.title))

    def must_be_in_hand(self) -> Task:
        """The applicant's task. Raises Conflict once the filing was handed in, ended, or lies with a colleague."""
        if self.task is None:
            raise Conflict("申请已经提交、已经结束，或由本单位的另一位经办人在填，这次的内容没有保存。请到「我的办件」看现在的进度。")
        return self.task

    def _with_words(self, section: SectionView) -> SectionView:
        asked = {item["field"]: item["what"] for item in self.correction.items if item.get("field")} if self.correction else {}
        return replace(
            section,
            note=_joined((section.note, _asked(asked.get(section.key)))),
            fields=tuple(_marked(each, asked) for each in section.fields),
        )


def load(request: Request, session: Session) -> Filing:
    """The filing of the address, for its applicant alone: for everybody else there is none."""
    actor = page.actor(request)
    case = scope.find_by_code(session, actor, request.path_params["code"])
    if not operations.is_own(actor, case):
        raise NotFound("没有这件申报，或者它不是你或你单位的。请从「我的办件」进入。")
    return Filing(session, request, case, access.task_in_hand(session, actor, case), case_type_of(session, case))


def _marked(field: FieldView, asked: Mapping[str, str]) -> FieldView:
    words = _asked(asked.get(field.path)) if field.is_editable else "不在这次补正的范围，不能改"
    return replace(field, hint=_joined((words, field.hint)))


def _asked(words: str | None) -> str:
    return f"补正要求：{words}" if words else ""


def _joined(parts: Iterable[str]) -> str:
    return "。".join(each.rstrip("。") for each in parts if each)
