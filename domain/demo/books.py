"""Demo books: the year's ledgers opened from the generated cadastre, reserve plans and outflows in different states.

Everything goes the way that real cases go: the same gates, marks, postings and papers, each act by the demo account
whose turn it is, at a moment of the year so far. What is to happen is in reference/demo/ledgers.yaml.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import shapely
import yaml
from sqlmodel import col, select

from domain import case_range, geojson, plot, portal_clock
from domain.area import area_m2, sum_m2
from domain.case import actions, draft
from domain.case.tables import Case, Material, Task
from domain.case_range import RangeUpload
from domain.command import Work
from domain.demo.patches import Patches
from domain.demo.year import Life, YearSoFar
from domain.district import district_name
from domain.errors import Refused
from domain.file_store import register
from domain.ledger.opening import open_year
from domain.office import office_of
from domain.portal_clock import local_date

FILE = Path(__file__).parent.parent / "reference" / "demo" / "ledgers.yaml"
END = "end"
Entry = Mapping[str, Any]


@cache
def _document() -> Mapping[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def load(work: Work) -> None:
    """Open the books of this year and let the sample cases live through it; Refused on a database that is no demo."""
    if not office_of(work.session).is_demo:
        raise Refused("演示台账是样例，只能装入演示库。请在演示环境中操作。")
    year = YearSoFar(work)
    year.know()
    books = _Books(year, _declaration(work))
    with portal_clock.at_moment(work.session, year.start):
        open_year(year.opening(), local_date(work.at).year)
    plans, outflows = _document()["plans"]["cases"], _document()["outflows"]["cases"]
    year.tell([*(books.plan(entry) for entry in plans), *(books.outflow(entry) for entry in outflows)])


@dataclass
class _Books:
    """The lives of plans and outflows; each act is the real one, in the name of the person whose step it is."""

    year: YearSoFar
    declaration: str
    _patches: dict[str, Patches] = field(default_factory=dict)

    def plan(self, entry: Entry) -> Life:
        """A reserve plan from its draft to where it is to stand."""
        given = _document()["plans"]
        yield (moment := self.year.moment(entry["from"]))
        handler = self._handler(entry)
        case = self._begin(handler, given["case_type"], entry, self._plan_values(handler, given, entry))
        _attach(handler, case, given["declaration"], self.declaration)
        self._take_plots(handler, case, entry)
        logins = {step: each["login"] for step, each in given["reviews"].items()}
        refusal = given["refuse"] if entry.get("is_refused") else {}
        yield from self._walk(case, entry, moment, logins, refusal)

    def outflow(self, entry: Entry) -> Life:
        """A project that uses farmland, from its draft to where it is to stand."""
        given = _document()["outflows"]
        yield (moment := self.year.moment(entry["from"]))
        handler = self._handler(entry)
        values = {**given["values"], **entry.get("values", {}), "project_name": entry["name"], "district": entry["district"]}
        case = self._begin(handler, entry["case_type"], entry, values)
        self._give_range(handler, case, entry, given["range_name"])
        yield from self._walk(case, entry, moment, given["actors"], {})

    def _walk(self, case: Case, entry: Entry, moment: datetime, logins: Mapping[str, str], refusal: Entry) -> Life:
        """Step by step until the case stands where it is to stand."""
        acts, first = 0, case.steps
        while case.status != "closed" and case.steps != entry["until"]:
            acts += 1
            moment = self.year.moment(entry["from"] + acts * entry["every"], after=moment)
            yield moment
            login = "district_handler.{district}" if case.steps == first else logins[case.steps]
            self._act(self.year.by(login.format(district=entry["district"])), case, entry, refusal)

    def _act(self, work: Work, case: Case, entry: Entry, refusal: Entry) -> None:
        """The main action of the step, with what the step asks for; or the refusal that is to come here."""
        task, is_refused = _task(work, case), case.steps == refusal.get("step")
        self._declare(work, case, task, entry)
        action = refusal["action"] if is_refused else _main_action(work, case, task)
        opinion = _document()["refusal" if is_refused else "opinion"]
        actions.take_action.__wrapped__(work, task.id, action, opinion=opinion)
        work.session.flush()

    def _declare(self, work: Work, case: Case, task: Task, entry: Entry) -> None:
        """Fill in the declaration of an outflow at the step of that name."""
        if "uses" not in entry or case.steps != "declare":
            return
        given = _document()["outflows"]
        own = {"resource_type": self._of(entry).class_code(entry["uses"][0]), **given["terms_of"][entry["case_type"]]}
        draft.save.__wrapped__(work, task.id, {key: [str(value)] for key, value in {**given["terms"], **own}.items()})

    def _handler(self, entry: Entry) -> Work:
        return self.year.by(f"district_handler.{entry['district']}")

    def _begin(self, work: Work, case_type: str, entry: Entry, values: Mapping[str, Any]) -> Case:
        definition = office_of(work.session).catalogue.current(case_type, local_date(work.at))
        known = {each.key for each in definition.form.fields()} | {each.key for each in definition.form.sections if each.repeat}
        kept = {key: value for key, value in values.items() if key in known}
        case = draft.begin(work, definition, district_code=entry["district"], values=kept)
        case.title = entry["name"]
        return case

    def _plan_values(self, work: Work, given: Entry, entry: Entry) -> dict[str, Any]:
        return {
            **given["values"], "request_kind": entry["kind"], "project_name": entry["name"], "district": entry["district"],
            "year": local_date(work.at).year, "demand": entry.get("demand", []),
        }  # fmt: skip

    def _of(self, entry: Entry) -> Patches:
        sizes = Decimal(_document()["smallest_m2"]), Decimal(_document()["largest_m2"])
        district = entry["district"]
        return self._patches.setdefault(district, Patches(self.year.work.session, district, *sizes))

    def _take_plots(self, work: Work, case: Case, entry: Entry) -> None:
        numbers, name = self._of(entry).plot_numbers(entry["skip"], entry["plots"]), f"{entry['name']}地块.xlsx"
        received, sheet = plot.receive(office_of(work.session).files, name, [_workbook(numbers, entry["district"])])
        plot.take_in(work, _task(work, case), case, sheet, received, name)

    def _give_range(self, work: Work, case: Case, entry: Entry, name: str) -> None:
        """Upload the range and confirm it; a survey report of whole patches states their area."""
        patches = self._of(entry)
        share = entry.get("share", 1)
        shapes = [patches.permanent(entry["denied"])] if "denied" in entry else patches.protected(entry["uses"], share)
        stated = sum_m2(area_m2(each) for each in shapes) if "report" in entry and share == 1 else None
        upload = RangeUpload(
            case_range.receive(office_of(work.session).files, name, _geojson(shapes)), name, name=f"{entry['name']}范围",
            report_number=entry.get("report", ""), protected_m2=stated,
        )  # fmt: skip
        row = case_range.read_upload.__wrapped__(work, case.id, upload)
        work.session.flush()
        case_range.confirm.__wrapped__(work, case.id, row.id)


def _main_action(work: Work, case: Case, task: Task) -> str:
    """The action that the step is there for."""
    return next(each.key for each in actions.offered(work.session, case, task) if each.style == "main")


def _task(work: Work, case: Case) -> Task:
    statement = select(Task).where(Task.case_id == case.id, col(Task.status).in_(("ready", "held")))
    return work.session.exec(statement).one()


def _geojson(shapes: Sequence[shapely.Geometry]) -> bytes:
    """A GeoJSON file in CGCS2000 with these polygons."""
    return geojson.content_of(({}, each) for each in shapes)


def _workbook(numbers: Sequence[str], district: str) -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["地块唯一编号", "行政区"])
    for number in numbers:
        book.active.append([number, district_name(district)])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _declaration(work: Work) -> str:
    """Digest of a sample declaration form."""
    from weasyprint import HTML

    given = _document()["plans"]["declaration"]
    title = given["name"].removesuffix(".pdf")
    content = HTML(string=f"<html lang='zh'><h1>{title}</h1><p>{given['text']}</p></html>").write_pdf()
    return register(work.session, office_of(work.session).files.put_bytes(content, given["name"]), work.at)


def _attach(work: Work, case: Case, given: Entry, digest: str) -> None:
    size = office_of(work.session).files.path_of(digest).stat().st_size
    work.session.add(Material(
        case_id=case.id, slot=given["slot"], name=given["name"], digest=digest, size=size, media_type="application/pdf",
        uploaded_at=work.at, uploaded_by=work.actor.person_id, step=case.steps,
    ))  # fmt: skip
    work.session.flush()
