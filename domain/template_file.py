"""Template files 模板文件: the tables and forms that people download and fill in, in numbered versions.

A version is never changed: putting an older one in force again makes a new version with its content.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from domain.columns import BIG_ID, code_column, id_column, moment_column
from domain.command import Work, command, holders_of
from domain.errors import Conflict, InvalidData, NotFound
from domain.file_name import accepted_file_name
from domain.file_store import FileStore, ReceivedFile, register
from domain.office import Office

FORMATS = ("xlsx", "docx", "doc", "pdf", "zip", "txt")
LARGEST_MB = 20
PLOT_SHEET = "plot_upload"
"""The workbook of plot numbers: asked for by every case type with a list of plots, not by a material (LAND-059)."""


class TemplateFile(SQLModel, table=True):
    """One version of one template file: the file, its name, who put it in force, when, and why."""

    __tablename__ = "template_file"
    __table_args__ = (UniqueConstraint("key", "version", name="uq_template_file_version"),)

    id: int | None = Field(default=None, sa_column=id_column())
    key: str = Field(sa_column=code_column())
    version: int
    digest: str = Field(sa_column=code_column())
    name: str
    size_bytes: int
    media_type: str
    at: datetime = Field(sa_column=moment_column())
    by: int | None = Field(default=None, sa_type=BIG_ID)
    by_name: str
    note: str


@dataclass(frozen=True, slots=True)
class TemplateSlot:
    """A template file that some material asks for: its key, and the materials that offer it."""

    key: str
    label: str
    used_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TemplateState:
    """A slot with the version in force; None while nobody has put a file there."""

    slot: TemplateSlot
    current: TemplateFile | None


def slots(office: Office) -> dict[str, TemplateSlot]:
    """Every template file that the case types ask for, by key; the label is that of the first material."""
    uses: dict[str, list[tuple[str, str]]] = {}
    catalogue, catalogue_keys = office.catalogue, office.catalogue.keys()
    for case_type in (edition for key in catalogue_keys for edition in catalogue.editions(key)):
        for material in case_type.materials:
            if material.template:
                uses.setdefault(material.template, []).append((material.label, case_type.title))
        if any(field.type == "plots" for field in case_type.form.fields()):
            uses.setdefault(PLOT_SHEET, []).append(("地块上传表", case_type.title))
    return {
        key: TemplateSlot(key, found[0][0], tuple(dict.fromkeys(title for _label, title in found)))
        for key, found in sorted(uses.items())
    }


def states(session: Session, office: Office) -> tuple[TemplateState, ...]:
    """Every slot with the version in force, with one query."""
    latest: dict[str, TemplateFile] = {}
    for row in session.exec(select(TemplateFile).order_by(col(TemplateFile.version))).all():
        latest[row.key] = row
    return tuple(TemplateState(slot, latest.get(key)) for key, slot in slots(office).items())


def versions(session: Session, key: str) -> list[TemplateFile]:
    """The versions of one template file, the newest (in force) first."""
    statement = select(TemplateFile).where(TemplateFile.key == key).order_by(col(TemplateFile.version).desc())
    return list(session.exec(statement).all())


def current(session: Session, key: str) -> TemplateFile:
    """The version in force. Raises NotFound while there is none."""
    found = versions(session, key)
    if not found:
        raise NotFound("这个模板还没有上传。需要模板的，请联系系统管理员。")
    return found[0]


def version_of(session: Session, key: str, version: int) -> TemplateFile:
    """One version, also one that is not in force. Raises NotFound."""
    found = next((row for row in versions(session, key) if row.version == version), None)
    if found is None:
        raise NotFound(f"这个模板没有第 {version} 版。请从版本列表中选择。")
    return found


def receive(store: FileStore, name: str, chunks: Iterable[bytes]) -> ReceivedFile:
    """Take a template file in, before the command. Raises InvalidData for name, kind or size."""
    return store.put(chunks, name, allowed=FORMATS, largest_bytes=LARGEST_MB * 1024 * 1024)


@command("template_file.put", allow=holders_of("system_admin"))
def put_version(
    work: Work, slot: TemplateSlot, content: ReceivedFile, name: str, note: str, seen_version: int
) -> TemplateFile:
    """Put a received file in force as the next version; `seen_version` is the one the page showed (0: none)."""
    before = _latest(work.session, slot.key)
    _check(before, seen_version, note)
    if before is not None and before.digest == content.digest:
        raise Conflict(f"上传的文件与第 {before.version} 版内容相同，没有保存。请核对文件。")
    register(work.session, content, work.at)
    return _kept(work, slot.key, before, content.digest, accepted_file_name(name), content.size_bytes,
                 content.file_type.media_type, note)


@command("template_file.roll_back", allow=holders_of("system_admin"))
def roll_back(work: Work, slot: TemplateSlot, version: int, note: str, seen_version: int) -> TemplateFile:
    """Put the content of an older version in force again, as a new version."""
    before = _latest(work.session, slot.key)
    _check(before, seen_version, note)
    older = version_of(work.session, slot.key, version)
    if before is None or older.digest == before.digest:
        raise Conflict(f"第 {version} 版的内容就是现在使用的内容，不需要恢复。")
    return _kept(work, slot.key, before, older.digest, older.name, older.size_bytes, older.media_type, note)


def _latest(session: Session, key: str) -> TemplateFile | None:
    return next(iter(versions(session, key)), None)


def _check(before: TemplateFile | None, seen_version: int, note: str) -> None:
    present = before.version if before else 0
    if seen_version != present:
        who = f"{before.by_name}已换成第 {present} 版" if before else "模板已被移走"
        raise Conflict(f"打开页面以后，{who}，本次没有保存。请刷新页面，核对新的内容后再换。")
    if not note.strip():
        raise InvalidData("换模板要写明改了什么。请填写说明。", {"note": "请写明改了什么"})


def _kept(
    work: Work, key: str, before: TemplateFile | None, digest: str, name: str, size: int, media_type: str, note: str
) -> TemplateFile:
    row = TemplateFile(
        key=key, version=(before.version if before else 0) + 1, digest=digest, name=name, size_bytes=size,
        media_type=media_type, at=work.at, by=work.actor.person_id, by_name=work.actor.name, note=note.strip(),
    )
    work.session.add(row)
    work.session.flush()
    work.record(f"template_file:{key}", version=row.version, digest=digest)
    return row
