"""Reads case_type.yaml and puts it together with form, workflow and papers."""

from datetime import date

from rules.engine.document import Block

from .case_type import (
    AUDIENCES,
    CASE_SCOPES,
    CaseNumbering,
    CaseType,
    ClockDefinition,
    Edition,
    Guide,
    ListDefinition,
)
from .entry import Entry
from .form import FormDefinition
from .known import Known
from .paper import DocumentSpec, MaterialSlot
from .paper_reader import read_numbering
from .workflow import COUNTINGS, WorkflowDefinition
from .workflow_reader import GATE_KINDS, check_rule_set, rule_set_keys


class CaseTypeReader:
    """Reads the head of a case type, whose form, workflow and papers have been read."""

    def __init__(self, root: Entry, known: Known) -> None:
        self.root, self.known = root, known

    def read(
        self,
        form: FormDefinition,
        workflow: WorkflowDefinition,
        materials: tuple[MaterialSlot, ...],
        documents: tuple[DocumentSpec, ...],
        folder: str,
    ) -> CaseType:
        """The case type; what is wrong in its head has been noted."""
        root = self.root
        case_type = CaseType(
            key=root.key(),
            title=root.text("title", required=True),
            short=root.text("short", required=True),
            group=root.text("group", required=True),
            edition=self._edition(),
            basis=root.words("basis"),
            owner=root.text("owner", required=True),
            audience=root.one_of("audience", AUDIENCES, required=True, default="anyone"),
            started_by=root.words("started_by", self.known.roles),
            scope=root.one_of("scope", CASE_SCOPES, required=True, default="city"),
            title_from=root.text("title_from", required=True),
            draft_prefix=root.text("draft_prefix", required=True),
            number=self._number(),
            asks_on_start=rule_set_keys(root, "asks_on_start", self.known, GATE_KINDS),
            clocks=tuple(self._clock(entry) for entry in root.children("clocks")),
            guide=self._guide(),
            list=self._list(),
            links=root.mapping("links"),
            functions=root.words("functions"),
            form=form,
            workflow=workflow,
            materials=materials,
            documents=documents,
            folder=folder,
        )
        if not root.block.get("basis"):
            root.fault("basis", "缺少 basis。请列出办理依据的法规条文")
        root.close()
        return case_type

    def _edition(self) -> Edition:
        entry = self.root.child("edition", required=True)
        edition = read_edition(self.root.block)
        if entry is None:
            return edition
        entry.day("from", required=True)
        entry.day("until")
        if edition.until_on is not None and edition.until_on < edition.from_on:
            entry.fault("until", f"until {edition.until_on} 早于 from {edition.from_on}。请改正")
        entry.close()
        return edition

    def _number(self) -> CaseNumbering | None:
        numbering = read_numbering(self.root, self.known, ("given_on",))
        if numbering is None:
            return None
        own = self.root.child("number").child("given_on", required=True)
        if own is None:
            return None
        number = CaseNumbering(numbering, own.text("step", required=True), own.text("action", required=True))
        own.close()
        return number

    def _clock(self, entry: Entry) -> ClockDefinition:
        light = entry.text("light", required=True)
        if light:
            check_rule_set(entry, "light", light, self.known, ("light",))
        clock = ClockDefinition(
            key=entry.key(),
            label=entry.text("label", required=True),
            counting=entry.one_of("counting", COUNTINGS, required=True, default="working"),
            light=light,
            days=entry.whole("days", least=1),
            due_from=entry.text("due_from"),
            legal_days=entry.whole("legal_days", least=1),
            warning_days=entry.whole("warning_days", default=0) or 0,
            line=entry.line(),
        )
        if (clock.days is None) == (not clock.due_from):
            entry.fault("days", "时限要写 days（天数）或 due_from（到期日字段），两者之一")
        entry.close()
        return clock

    def _guide(self) -> Guide:
        entry = self.root.child("guide")
        if entry is None:
            return Guide()
        texts = {key: entry.text(key) for key in ("who", "steps_note", "fee", "result", "window", "phone")}
        guide = Guide(conditions=entry.words("conditions"), **texts)
        entry.close()
        return guide

    def _list(self) -> ListDefinition:
        entry = self.root.child("list")
        if entry is None:
            return ListDefinition()
        listed = ListDefinition(entry.words("columns"), entry.text("default_sort", default="-submitted_at"))
        entry.close()
        return listed


def read_edition(block: Block) -> Edition:
    """The edition a case_type.yaml states; the first day of our calendar stands for a missing `from`."""
    own = block.get("edition")
    own = own if isinstance(own, Block) else {}
    from_on, until_on = own.get("from"), own.get("until")
    return Edition(
        from_on if isinstance(from_on, date) else date.min, until_on if isinstance(until_on, date) else None
    )
