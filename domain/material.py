"""Materials 材料: the files of a case in the slots of its resource tree 资源树.

A file is received first (streamed to the file store, its kind checked by content), outside any transaction;
a command then puts it into its slot. Files are replaced or taken away, never overwritten.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from domain.case import access, scope
from domain.case.tables import Case, Material, Task
from domain.command import Work, anyone_signed_in, command
from domain.errors import Conflict, InvalidData, NotFound
from domain.file_name import accepted_file_name
from domain.file_store import FileStore, ReceivedFile, register
from domain.file_type import FILE_TYPES
from domain.format import file_size
from domain.office import office_of
from rules.case_type.case_type import CaseType
from rules.case_type.paper import MaterialSlot

MOST_FILES = 200
"""Files in one slot that takes many; more belong into one archive."""
BYTES_PER_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was received for a slot; `read` is what the server read from it, shown beside the file."""

    slot: str
    name: str
    content: ReceivedFile
    read: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MaterialFile:
    """One file as shown: its row, its older versions (newest first), and whether it may be changed here."""

    row: Material
    older: tuple[Material, ...]
    can_edit: bool


@dataclass(frozen=True, slots=True)
class MaterialBranch:
    """One slot of the tree; `id` is linked from the error summary, `accept` is for the file input."""

    slot: MaterialSlot
    id: str
    files: tuple[MaterialFile, ...]
    is_required: bool
    can_add: bool
    limits: str
    accept: str

    @property
    def is_missing(self) -> bool:
        """True if a file must be there and none is: 缺."""
        return self.is_required and not self.files


def receive(
    store: FileStore,
    slot: MaterialSlot,
    name: str,
    chunks: Iterable[bytes],
    read: Mapping[str, Any] | None = None,
) -> Upload:
    """Take a file in for a slot. Raises InvalidData for name, kind (by content) or size, else StorageFull."""
    largest = slot.max_mb * BYTES_PER_MB
    content = store.put(chunks, name, allowed=slot.formats, largest_bytes=largest)
    if content.size_bytes == 0:
        raise InvalidData(f"「{name}」是空文件，没有接收。请确认文件已经写完，再重新上传。")
    return Upload(slot.key, accepted_file_name(name), content, dict(read or {}))


def is_required(slot: MaterialSlot, facts: Mapping[str, Any]) -> bool:
    """Whether the slot must be filled; a condition that cannot be told asks for nothing."""
    return slot.required or (slot.required_when is not None and slot.required_when.holds(facts) is True)


def limits_in_words(slot: MaterialSlot) -> str:
    """What a slot takes, as said below its label: PDF 文档、JPEG 图片，单个不超过 50.0 MB."""
    kinds = "、".join(FILE_TYPES[key].label for key in slot.formats)
    many = f"，最多 {MOST_FILES} 个" if slot.many else "，一个文件"
    return f"{kinds}，单个不超过 {file_size(slot.max_mb * BYTES_PER_MB)}{many}"


def accepted_endings(slot: MaterialSlot) -> str:
    """The `accept` of a file input: .pdf,.jpg,.jpeg."""
    return ",".join(f".{ending}" for key in slot.formats for ending in FILE_TYPES[key].extensions)


def tree(
    session: Session,
    case_type: CaseType,
    case: Case,
    facts: Mapping[str, Any],
    may_edit: Callable[[str], bool],
) -> tuple[MaterialBranch, ...]:
    """The resource tree of a case with one query; `may_edit` says whether a slot may be changed now."""
    statement = select(Material).where(Material.case_id == case.id).order_by(col(Material.id))
    rows: dict[str, list[Material]] = {}
    for row in session.exec(statement).all():
        rows.setdefault(row.slot, []).append(row)
    return tuple(
        _branch(slot, rows.get(slot.key, []), facts, may_edit(slot.key)) for slot in case_type.materials
    )


def _branch(
    slot: MaterialSlot, rows: Sequence[Material], facts: Mapping[str, Any], can_edit: bool
) -> MaterialBranch:
    present = [row for row in rows if _is_present(row)]
    files = tuple(MaterialFile(row, _older_versions(row, rows), can_edit) for row in present)
    return MaterialBranch(
        slot=slot,
        id=f"material-{slot.key}",
        files=files,
        is_required=is_required(slot, facts),
        can_add=can_edit and (slot.many and len(files) < MOST_FILES or not files),
        limits=limits_in_words(slot),
        accept=accepted_endings(slot),
    )


def _is_present(row: Material) -> bool:
    return row.replaced_by is None and row.removed_at is None


def _older_versions(row: Material, rows: Sequence[Material]) -> tuple[Material, ...]:
    """What the file replaced, step by step back to the first upload."""
    replaced = {each.replaced_by: each for each in rows if each.replaced_by is not None}
    older: list[Material] = []
    while (before := replaced.get(older[-1].id if older else row.id)) is not None:
        older.append(before)
    return tuple(older)


@command("material.add", allow=anyone_signed_in)
def add_material(work: Work, case_id: int, upload: Upload) -> Material:
    """Put a received file into its slot."""
    case, slot, task = _opened(work, case_id, upload.slot)
    present = _present(work.session, case_id, slot.key)
    _check_room(slot, present)
    _check_new(upload, present)
    row = _row(work, case, upload, task)
    return _kept(work, case, row, "add")


@command("material.replace", allow=anyone_signed_in)
def replace_material(work: Work, case_id: int, material_id: int, upload: Upload) -> Material:
    """Put a received file in the place of another; the old one stays in the tree as an older version."""
    case, slot, task = _opened(work, case_id, upload.slot)
    before = _present_file(work.session, case_id, material_id)
    if before.slot != slot.key:
        raise InvalidData(f"「{before.name}」不在「{slot.label}」一栏，不能这样替换。请在它自己的一栏替换。")
    _check_new(upload, _present(work.session, case_id, slot.key))
    row = _row(work, case, upload, task)
    row.version_no = before.version_no + 1
    work.session.add(row)
    work.session.flush()
    before.replaced_by = row.id
    return _kept(work, case, row, "replace", replaced=before.id)


@command("material.remove", allow=anyone_signed_in)
def remove_material(work: Work, case_id: int, material_id: int) -> None:
    """Take a file out of its slot; its content and its line stay for the record."""
    row = _present_file(work.session, case_id, material_id)
    case, _slot, _task = _opened(work, case_id, row.slot)
    row.removed_at = work.at
    _kept(work, case, row, "remove")


def _opened(work: Work, case_id: int, slot_key: str) -> tuple[Case, MaterialSlot, Task]:
    """Case, slot and the task by which the actor may change it; NotAllowed and NotFound otherwise."""
    case = scope.find(work.session, work.actor, case_id)
    definition = office_of(work.session).catalogue.edition(case.case_type, case.edition)
    slot = next((each for each in definition.materials if each.key == slot_key), None)
    if slot is None:
        raise NotFound("这类办件没有这一项材料。请刷新页面，从材料目录里选择。")
    task = access.may_edit(work, case, slot_key)
    if slot.read_as == "range":
        message = f"「{slot.label}」要先核对图形再存入，不在这里上传或改动。请用「项目范围」一栏的「上传范围」。"
        raise InvalidData(message, {f"material-{slot.key}": message})
    return case, slot, task


def _present(session: Session, case_id: int, slot: str) -> list[Material]:
    statement = select(Material).where(Material.case_id == case_id, Material.slot == slot)
    return [row for row in session.exec(statement.order_by(col(Material.id))).all() if _is_present(row)]


def _present_file(session: Session, case_id: int, material_id: int) -> Material:
    row = session.get(Material, material_id)
    if row is None or row.case_id != case_id:
        raise NotFound("没有这份材料。它可能不属于这个办件，请刷新页面。")
    if not _is_present(row):
        raise Conflict(f"「{row.name}」已经被替换或删除，本次没有改动。请刷新页面，看现在的材料。")
    return row


def _check_room(slot: MaterialSlot, present: Collection[Material]) -> None:
    if present and not slot.many:
        name = next(iter(present)).name
        raise Conflict(f"「{slot.label}」只收一个文件，已有「{name}」。要换新的，请用「替换」。")
    if len(present) >= MOST_FILES:
        raise Conflict(
            f"「{slot.label}」已有 {MOST_FILES} 个文件，不能再加。请先删去不用的，或打成一个压缩包。"
        )


def _check_new(upload: Upload, present: Iterable[Material]) -> None:
    for row in present:
        if row.digest == upload.content.digest:
            raise Conflict(
                f"「{upload.name}」与已有的「{row.name}」内容完全相同，没有重复保存。请确认选对了文件。"
            )


def _row(work: Work, case: Case, upload: Upload, task: Task) -> Material:
    return Material(
        case_id=case.id,
        slot=upload.slot,
        name=upload.name,
        digest=register(work.session, upload.content, work.at),
        size=upload.content.size_bytes,
        media_type=upload.content.file_type.media_type,
        uploaded_at=work.at,
        uploaded_by=work.actor.person_id,
        step=task.step,
        read=dict(upload.read),
    )


def _kept(work: Work, case: Case, row: Material, act: str, **detail: Any) -> Material:
    """Keep the row. The case's version stays: a form that is open beside the upload must still be savable."""
    case.changed_at = work.at
    work.session.add_all([case, row])
    work.session.flush()
    work.record(
        f"case:{case.id}",
        operation=f"material_{act}",
        slot=row.slot,
        material=row.id,
        digest=row.digest,
        **detail,
    )
    return row
