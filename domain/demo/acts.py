"""The acts of the demo stories: each is the command that the screens use, in the name of whoever's turn it is.

A verb that is none of these is the action of the step in hand with that key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from sqlmodel import Session, col, select

from domain import absence, case_range, contract, decision, material, payment, portal_clock
from domain.absence import AbsenceFields
from domain.actor import SYSTEM, Actor
from domain.case import actions, correction, countersign, draft, operations, papers, prefill
from domain.case.definition import case_type_of
from domain.case.tables import Case, Task
from domain.case_range import RangeUpload
from domain.contract import AgreedPayment, Contract
from domain.demo.cast import Cast
from domain.demo.stage import Stage
from domain.demo.stories import Act, Story, document
from domain.document.content import DocumentContent
from domain.document.rendering import preview_imprint, render_pdf
from domain.linked_case import linked_cases, open_linked_case
from domain.office import office_of
from domain.usage_control import PARTNER

OPEN = ("ready", "held")
CHILD_KINDS = ("countersign", "assist")


@dataclass(frozen=True)
class Turn:
    """One act about to be done."""

    stage: Stage
    cast: Cast
    story: Story
    act: Act

    def words(self, name: str = "") -> str:
        """The sample words for this verb."""
        said = document()["words"]
        return said.get(name or self.act.verb, said["opinion"])

    def task(self, session: Session, *kinds: str) -> Task:
        """The latest open task of the case, of these kinds."""
        statement = select(Task).where(Task.case_id == self.story.case_id, col(Task.status).in_(OPEN))
        return session.exec(statement.where(col(Task.kind).in_(kinds or ("step",))).order_by(col(Task.id).desc()).limit(1)).one()

    def actor(self, session: Session, task: Task | None) -> Actor:
        """Who is named by the act; else whose step it is: the enterprise of the case, or the official of the district."""
        login = self.act.login
        if not login and (task is None or task.role == "applicant"):
            login = self.story.given["starter"]
        return self.cast.actor(session, login or f"{task.role}.{task.district_code}")


Perform = Callable[[Turn], None]
VERBS: dict[str, Perform] = {}


def verb(name: str) -> Callable[[Perform], Perform]:
    """Register an act by its verb."""

    def register(act: Perform) -> Perform:
        VERBS[name] = act
        return act

    return register


def perform(stage: Stage, cast: Cast, story: Story, act: Act) -> None:
    """Do one act of a story."""
    turn = Turn(stage, cast, story, act)
    VERBS.get(act.verb, take)(turn)


def take(turn: Turn) -> None:
    """The action of the step in hand with the key of the verb, after what the step asks for is filled in."""
    with turn.stage.reading() as session:
        task = turn.task(session)
    filled = {key: str(value) for key, value in document()["fills"].get(turn.story.kind, {}).get(task.step, {}).items()}
    own = {key: str(value) for key, value in turn.story.given.get("fills", {}).get(task.step, {}).items()}
    if (filled or own) and turn.act.verb not in document()["unfilled"]:
        fill(turn, task, {**filled, **own})
    act_on(turn, task, turn.act.verb)


def act_on(turn: Turn, task: Task, action: str) -> None:
    """Take an action in its two phases, as the screens do."""
    with turn.stage.reading() as session:
        actor = turn.actor(session, task)
        gathered = actions.outside_facts(session, actor, task.id, action)
    with turn.stage.writing() as session:
        actions.take_action(session, actor, task.id, action, opinion=turn.words(action), gathered=gathered)


def fill(turn: Turn, task: Task, values: Mapping[str, str], *, asks: bool = False) -> None:
    """Save values of the form; `asks`: the partners that fill in fields are asked as well."""
    with turn.stage.writing() as session:
        actor = turn.actor(session, task)
        draft.save(session, actor, task.id, {key: [value] for key, value in values.items()})
    if not asks:
        return
    with turn.stage.reading() as session:
        case = session.get_one(Case, task.case_id)
        names = prefill.providers_of(case_type_of(session, case).form)
        gathered = decision.gather_outside(session, actor, case, (), names)
    with turn.stage.writing() as session:
        draft.save(session, actor, task.id, {}, gathered=gathered)


@verb("open")
def begin(turn: Turn) -> None:
    """Begin a filing and fill in what the story says."""
    given = turn.story.given
    with turn.stage.writing() as session:
        actor = turn.actor(session, None)
        turn.story.case_id = draft.open_draft(session, actor, turn.story.kind).id
    turn.cast.cases[str(given.get("tag", ""))] = turn.story.case_id
    with turn.stage.reading() as session:
        task = turn.task(session)
        values = {**given.get("values", {}), "district": turn.story.district}
        if original := given.get("of"):
            values["original_number"] = session.get_one(Case, turn.cast.cases[original]).number
    fill(turn, task, {key: str(value) for key, value in values.items()}, asks=bool(given.get("asks")))
    if "place" in given:
        _attach(turn, actor)


@verb("file")
def file(turn: Turn) -> None:
    """Begin a filing and submit it at once."""
    begin(turn)
    with turn.stage.reading() as session:
        task = turn.task(session)
    act_on(turn, task, document()["submits"][turn.story.kind])


def _attach(turn: Turn, actor: Actor) -> None:
    """The range, confirmed as people do; and papers that say that they are samples."""
    stage, case_id = turn.stage, turn.story.case_id
    with stage.reading() as session:
        files = office_of(session).files
        slots = {slot.key: slot for slot in case_type_of(session, session.get_one(Case, case_id)).materials}
    upload = RangeUpload(case_range.receive(files, "样例范围.txt", range_file(turn.story)), "样例范围.txt", name="样例管线范围")
    with stage.writing() as session:
        row = case_range.read_upload(session, actor, case_id, upload).id
    with stage.writing() as session:
        case_range.confirm(session, actor, case_id, row)
    for slot, name in document()["papers"].items():
        received = material.receive(files, slots[slot], name, [sample_pdf(name)])
        with stage.writing() as session:
            material.add_material(session, actor, case_id, received)


def range_file(story: Story) -> bytes:
    """The strip of a story: 10 m by 200 m in its district, each somewhere else."""
    north, east = story.given["place"]
    north += 60 * (story.place % 12)
    corners = [(north, east), (north + 10, east), (north + 10, east + 200), (north, east + 200)]
    lines = [f"J{place},1,{x}.000,{y}.000" for place, (x, y) in enumerate(corners, 1)]
    return (document()["range"] + "\n".join(lines) + "\n").encode()


@cache
def sample_pdf(name: str) -> bytes:
    """A paper that says that it is a sample."""
    content = DocumentContent("notice", name.removesuffix(".pdf"), "", paragraphs=(document()["words"]["sample"],))
    return render_pdf(content, preview_imprint(""))


@verb("correct")
def correct(turn: Turn) -> None:
    """Ask for a correction of one field."""
    with turn.stage.writing() as session:
        task = turn.task(session)
        asked = document()["correction"]
        correction.ask_correction(session, turn.actor(session, task), task.id, [asked], turn.words())


@verb("answer")
def answer(turn: Turn) -> None:
    """Answer a correction."""
    with turn.stage.writing() as session:
        task = turn.task(session, "correction")
        actor = turn.actor(session, task)
        asked = document()["correction"]
        draft.save(session, actor, task.id, {asked["field"]: [asked["answer"]]})
    with turn.stage.writing() as session:
        correction.answer_correction(session, actor, task.id)


@verb("return")
def send_back(turn: Turn) -> None:
    """Return the case to the step that the act names."""
    with turn.stage.writing() as session:
        task = turn.task(session)
        operations.send_back(session, turn.actor(session, task), task.id, turn.act.detail, turn.words())


def _on_task(name: str, operation: Callable[..., Any]) -> None:
    """Register an operation on the task in hand that wants a reason."""

    @verb(name)
    def operate(turn: Turn) -> None:
        with turn.stage.writing() as session:
            task = turn.task(session)
            operation(session, turn.actor(session, task), task.id, turn.words())


_on_task("suspend", operations.suspend)
_on_task("resume", operations.resume)
_on_task("terminate", operations.terminate)


@verb("claim")
def claim(turn: Turn) -> None:
    """Take the task from the pool."""
    with turn.stage.writing() as session:
        task = turn.task(session)
        operations.claim(session, turn.actor(session, task), task.id)


@verb("withdraw")
def withdraw(turn: Turn) -> None:
    """The applicant withdraws the filing."""
    with turn.stage.writing() as session:
        operations.withdraw(session, turn.actor(session, None), turn.story.case_id, turn.words())


@verb("urge")
def urge(turn: Turn) -> None:
    """The applicant urges those who have the case in hand."""
    with turn.stage.writing() as session:
        operations.urge(session, turn.actor(session, None), turn.story.case_id, turn.words())


@verb("transfer")
def transfer(turn: Turn) -> None:
    """Give the task to the colleague whom the act names."""
    with turn.stage.writing() as session:
        task = turn.task(session)
        operations.transfer(session, turn.actor(session, task), task.id, turn.cast.ids[turn.act.detail], turn.words())


@verb("countersign")
def ask_countersign(turn: Turn) -> None:
    """Ask the colleague whom the act names for a countersignature."""
    with turn.stage.writing() as session:
        task = turn.task(session)
        countersign.ask_countersign(session, turn.actor(session, task), task.id, [turn.cast.ids[turn.act.detail]], turn.words())


@verb("sign")
def sign(turn: Turn) -> None:
    """The colleague countersigns."""
    with turn.stage.writing() as session:
        task = turn.task(session, *CHILD_KINDS)
        countersign.answer(session, turn.actor(session, task), task.id, True, turn.words())


@verb("absent")
def absent(turn: Turn) -> None:
    """The person of the act is away from this day on, until some days after the loading; a colleague stands in."""
    with turn.stage.writing() as session:
        actor = turn.actor(session, None)
        today = portal_clock.today(session)
        until = portal_clock.today() + timedelta(days=document()["absent_days"])
        fields = AbsenceFields(turn.cast.ids[turn.act.detail], today, until, turn.words())
        absence.begin_absence(session, actor, fields)


@verb("reported")
def grant_reported(turn: Turn) -> None:
    """Grant the permit on a day on which the platform answers as the act says."""
    turn.stage.fault(PARTNER, turn.act.detail)
    with turn.stage.reading() as session:
        task = turn.task(session)
    act_on(turn, task, document()["grants"])
    turn.stage.settle()
    turn.stage.fault(PARTNER, "ok")


@verb("erratum")
def propose_erratum(turn: Turn) -> None:
    """Open an erratum, name what is to be corrected, and send it to be reviewed."""
    said = document()["erratum"]
    with turn.stage.writing() as session:
        actor = turn.cast.actor(session, f"{said['by']}.{turn.story.district}")
        opened = open_linked_case(session, actor, turn.story.case_id, said["relation"], turn.words()).id
    linked = Turn(turn.stage, turn.cast, Story(turn.story.place, turn.story.kind, turn.story.given, opened), Act(1, "", "", actor_login(turn, said)))
    with turn.stage.reading() as session:
        task = linked.task(session)
    fill(linked, task, {"_add": "changes"})
    fill(linked, task, {f"changes-0-{key}": value for key, value in said["change"].items()})
    act_on(linked, task, said["submit"])


def actor_login(turn: Turn, said: Mapping[str, Any]) -> str:
    """The login of the official of the district who opens errata."""
    return f"{said['by']}.{turn.story.district}"


def _on_erratum(name: str, action: str) -> None:
    """Register an action on the erratum of the case."""

    @verb(name)
    def review(turn: Turn) -> None:
        with turn.stage.reading() as session:
            case = session.get_one(Case, turn.story.case_id)
            opened = linked_cases(session, case, document()["erratum"]["relation"])[0].id
            linked = Turn(turn.stage, turn.cast, Story(turn.story.place, turn.story.kind, turn.story.given, opened), turn.act)
            task = linked.task(session)
        act_on(linked, task, action)


_on_erratum("erratum_approve", "approve")
_on_erratum("erratum_reject", "reject")


@verb("contract")
def contract_comes_in(turn: Turn) -> None:
    """A contract comes in, and its supervision opens by itself."""
    given, today = turn.story.given, portal_clock.today()
    agreed = tuple(
        AgreedPayment(each["item"], Decimal(each["amount"]), today + timedelta(days=each["days"])) for each in given["payments"]
    )
    with turn.stage.writing() as session:
        made = Contract(
            given["contract"], given["electronic"], given["plot"], given["location"], Decimal(given["area_m2"]), turn.story.district,
            given["transferor"], given["transferee"], _signed_on(session), given["terms"], agreed,
        )  # fmt: skip
        turn.story.case_id = contract.open_from_contract(session, SYSTEM, turn.story.kind, made).id


def _signed_on(session: Session) -> date:
    return portal_clock.today(session) - timedelta(days=3)


@verb("issue")
def issue(turn: Turn) -> None:
    """Issue the notice that the act names."""
    with turn.stage.writing() as session:
        task = turn.task(session)
        papers.issue_document(session, turn.actor(session, task), task.id, turn.act.detail)


@verb("explain")
def explain(turn: Turn) -> None:
    """Fill in the fields of the step in hand that the story gives, and go no further."""
    with turn.stage.reading() as session:
        task = turn.task(session)
    fill(turn, task, turn.story.given["explains"])


@verb("pay")
def pay(turn: Turn) -> None:
    """Type in a payment with its voucher."""
    given = turn.story.given["paid"]
    with turn.stage.writing() as session:
        task = turn.task(session)
        actor, today = turn.actor(session, task), portal_clock.today(session)
        payment.add_by_hand(session, actor, task.id, given["voucher"], Decimal(given["amount"]), today, given["item"])
