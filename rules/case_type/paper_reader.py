"""Reads documents.yaml: material slots and documents."""

from collections.abc import Mapping
from typing import Any

from .condition import Names
from .entry import Entry, distinct
from .known import Known
from .paper import ISSUED_ON, READ_AS, DocumentSpec, MaterialSlot, Numbering
from .workflow_reader import GATE_KINDS, rule_set_keys

DOCUMENT_KEYS = (
    "key",
    "label",
    "template",
    "title",
    "issuer",
    "addressee",
    "closing",
    "copies",
    "contact",
    "heading",
    "paragraphs",
    "rows",
    "tables",
    "enclosures",
    "verification",
    "receipt",
    "public",
    "needs",
    "number",
    "issued_in",
    "issued_on",
)


class PaperReader:
    """Reads what a case type asks for and produces on paper."""

    def __init__(
        self, root: Entry, known: Known, names: Names, shown: Names, start: str, steps: tuple[str, ...]
    ) -> None:
        self.root, self.known, self.names, self.shown = root, known, names, shown
        self.start, self.steps = start, steps

    def read(self) -> tuple[tuple[MaterialSlot, ...], tuple[DocumentSpec, ...]]:
        """Slots and documents; what is wrong in them has been noted."""
        slots, papers = self.root.children("materials"), self.root.children("documents")
        materials = tuple(self._material(entry) for entry in slots)
        documents = tuple(self._document(entry) for entry in papers)
        distinct(((entry, each.key) for entry, each in zip(slots, materials, strict=True)), "材料")
        distinct(((entry, each.key) for entry, each in zip(papers, documents, strict=True)), "文书")
        self.root.close()
        return materials, documents

    def _material(self, entry: Entry) -> MaterialSlot:
        slot = MaterialSlot(
            key=entry.key(),
            label=entry.text("label", required=True),
            formats=entry.words("formats", self.known.formats),
            required=entry.flag("required"),
            required_when=entry.condition("required_when", self.names, self.shown),
            max_mb=entry.whole("max_mb", least=1, default=50) or 50,
            many=entry.flag("many"),
            collected_in=entry.words("collected_in", self.steps, default=(self.start,)),
            hint=entry.text("hint"),
            template=entry.text("template"),
            read_as=entry.one_of("read_as", READ_AS),
            personal=entry.flag("personal"),
            line=entry.line(),
        )
        if not entry.block.get("formats"):
            entry.fault("formats", "缺少 formats。请列出能收的格式，如 [pdf, jpg]")
        if slot.required and slot.required_when is not None:
            entry.fault("required_when", "已写 required: true，不要再写 required_when")
        if not slot.collected_in:
            entry.fault("collected_in", f"材料 {slot.key} 没有能上传的环节。请写环节，或删去 collected_in")
        entry.close()
        return slot

    def _document(self, entry: Entry) -> DocumentSpec:
        for key in DOCUMENT_KEYS:
            entry.raw(key)
        template = entry.text("template", required=True)
        if template:
            entry.is_among("template", template, self.known.document_templates, "文书模板")
        spec = DocumentSpec(
            key=entry.key(),
            label=entry.text("label", required=True),
            template=template,
            source=_plain(entry.block),
            number=read_numbering(entry, self.known),
            needs=rule_set_keys(entry, "needs", self.known, GATE_KINDS),
            public=entry.flag("public"),
            issued_in=entry.words("issued_in", self.steps),
            issued_on=entry.one_of("issued_on", ISSUED_ON),
            line=entry.line(),
        )
        self._check_content(entry, spec)
        entry.close()
        return spec

    def _check_content(self, entry: Entry, spec: DocumentSpec) -> None:
        """The domain's own reader judges the texts, once key, label and template are in order."""
        if spec.key and spec.label and spec.template in self.known.document_templates:
            message = self.known.document_fault(spec.source)
            if message:
                entry.fault("key", message.rstrip("。"))


def read_numbering(entry: Entry, known: Known, extra: tuple[str, ...] = ()) -> Numbering | None:
    """The series and pattern under `number`; keys named in `extra` are read by the caller."""
    own = entry.child("number")
    if own is None:
        return None
    series, pattern = own.key("series"), own.text("pattern", required=True)
    for key in extra:
        own.raw(key)
    message = known.number_fault(pattern) if pattern else None
    if message:
        own.fault("pattern", message.rstrip("。"))
    own.close()
    return Numbering(series, pattern)


def _plain(value: Any) -> Any:
    """The same content without the line numbers."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
