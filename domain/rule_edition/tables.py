"""Tables of the rules workbench: editions ever in force, drafts, the files they were read from, conflicts."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, id_column, json_column, moment_column

SCHEDULED, IN_FORCE, SUPERSEDED, ROLLED_BACK, SET_ASIDE = "scheduled", "in_force", "superseded", "rolled_back", "set_aside"
FILE, PORTAL = "file", "portal"
OPEN, IN_REVIEW, APPROVED, RETURNED = "open", "in_review", "approved", "returned"
PUBLISHED, DISCARDED = "published", "discarded"
EDITABLE = (OPEN, RETURNED)
UNFINISHED = (OPEN, IN_REVIEW, APPROVED, RETURNED)


class RuleEdition(SQLModel, table=True):
    """One edition that is, was or will be in force, or was set aside; its text is never changed, no row is deleted."""

    __tablename__ = "rule_edition"
    __table_args__ = (
        Index("ix_rule_edition_track", "kind", "key", "is_demo", "effective_at", "id"),
        Index("ix_rule_edition_digest", "digest"),
        Index("ix_rule_edition_state", "state", "effective_at"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    kind: str = Field(sa_column=code_column(length=24))
    key: str = Field(sa_column=code_column())
    is_demo: bool = False
    title: str
    start: date
    """First day as the text says it."""
    until: date | None = None
    """Last day as the text says it; what a later edition ended says `ended_at`."""
    effective_at: datetime = Field(sa_column=moment_column())
    """The moment from which cases are filed under it."""
    ended_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    """The moment at which a later edition took its place."""
    state: str = Field(sa_column=code_column(length=16))
    """scheduled 待生效 | in_force 施行中 | superseded 已被取代 | rolled_back 已回退 | set_aside 未采用"""
    digest: str = Field(sa_column=code_column())
    """RuleSet.digest: what decisions cite."""
    text: str = Field(sa_column=Column(Text(), nullable=False))
    """The YAML as written, with its comments and golden cases."""
    content: str = Field(sa_column=Column(Text(), nullable=False))
    """RuleSet.content: shared numbers written out, so that the edition decides the same for ever."""
    source: str = Field(sa_column=code_column(length=16))
    """file | portal"""
    file: str = ""
    """Name of the file it was read from or written to (folder.py); empty until it is written."""
    why: str = ""
    draft_id: int | None = Field(default=None, sa_type=BIG_ID)
    author_id: int | None = Field(default=None, sa_type=BIG_ID)
    author_name: str = ""
    reviewer_id: int | None = Field(default=None, sa_type=BIG_ID)
    reviewer_name: str = ""
    published_at: datetime = Field(sa_column=moment_column())
    published_by: int | None = Field(default=None, sa_type=BIG_ID)
    publisher_name: str = ""
    replaces: str | None = Field(default=None, sa_column=code_column(nullable=True))
    """Digest of the edition in force before."""
    rolls_back_to: int | None = Field(default=None, sa_type=BIG_ID)
    """The earlier edition whose rules this one brings back."""
    written_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    """When the file came to hold it; empty while a published edition waits to be written."""
    write_fault: str = ""


class RuleDraft(SQLModel, table=True):
    """A change of one rule set on its way; one unfinished draft a set and track."""

    __tablename__ = "rule_draft"
    __table_args__ = (
        UniqueConstraint("open_key", name="uq_rule_draft_open"),
        Index("ix_rule_draft_state", "state", "id"),
        Index("ix_rule_draft_set", "kind", "key", "id"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    kind: str = Field(sa_column=code_column(length=24))
    key: str = Field(sa_column=code_column())
    is_demo: bool = False
    title: str
    open_key: str | None = Field(default=None, sa_column=code_column(length=100, nullable=True))
    """Key and track while unfinished; null afterwards, so that the next draft may be opened."""
    base_id: int | None = Field(default=None, sa_type=BIG_ID)
    base_digest: str | None = Field(default=None, sa_column=code_column(nullable=True))
    """The edition in force when it was opened; null for a new rule set."""
    rolls_back_to: int | None = Field(default=None, sa_type=BIG_ID)
    text: str = Field(sa_column=Column(Text(), nullable=False))
    version: int = 1
    state: str = Field(default=OPEN, sa_column=code_column(length=16))
    """open 起草 | in_review 待复核 | approved 已通过 | returned 已退回 | published 已发布 | discarded 已作废"""
    why: str = ""
    """What changes and on what ground, in the author's words."""
    start_on: date | None = None
    """The day on which it is to begin; null: as soon as it is published."""
    opened_at: datetime = Field(sa_column=moment_column())
    author_id: int = Field(sa_type=BIG_ID)
    author_name: str
    changed_at: datetime = Field(sa_column=moment_column())
    editor_id: int = Field(sa_type=BIG_ID)
    """Who saved last."""
    editor_name: str
    editors: list[int] = Field(default_factory=list, sa_column=json_column())
    """Everybody who ever saved it: none of them may review it."""
    lock_id: int | None = Field(default=None, sa_type=BIG_ID)
    lock_name: str = ""
    lock_since: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    lock_until: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    digest: str | None = Field(default=None, sa_column=code_column(nullable=True))
    """RuleSet.digest as of the last examination; null while it cannot be read."""
    examined_version: int | None = None
    examined_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    findings: list[dict[str, Any]] = Field(default_factory=list, sa_column=json_column())
    """[{line, key, message}] of the last examination."""
    golden: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """{cases, passed, failed: [{line, case, differences}]} of the last examination."""
    submitted_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    submitted_by: int | None = Field(default=None, sa_type=BIG_ID)
    reviewed_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    reviewer_id: int | None = Field(default=None, sa_type=BIG_ID)
    reviewer_name: str = ""
    opinion: str = ""
    replay_id: int | None = Field(default=None, sa_type=BIG_ID)
    """The job that replayed it over past decisions."""
    replay_digest: str | None = Field(default=None, sa_column=code_column(nullable=True))
    """RuleSet.digest of the text that was replayed."""
    edition_id: int | None = Field(default=None, sa_type=BIG_ID)
    """The edition it became."""
    ended_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))

    @property
    def is_examined(self) -> bool:
        """True if findings and golden cases speak of the present text."""
        return self.examined_version == self.version


class RuleFile(SQLModel, table=True):
    """What the portal last knew of one rule file: to tell who changed it since."""

    __tablename__ = "rule_file"

    id: int | None = Field(default=None, sa_column=id_column())
    name: str = Field(sa_column=code_column(length=240, unique=True))
    text_digest: str = Field(sa_column=code_column())
    """SM3 of the bytes last taken in or written; empty: the file was not there."""
    rules_digest: str = Field(default="", sa_column=code_column())
    """RuleSet.digest of those bytes: changes without them when a shared table of numbers does."""
    edition_id: int | None = Field(default=None, sa_type=BIG_ID)
    seen_at: datetime = Field(sa_column=moment_column())
    fault_digest: str = Field(default="", sa_column=code_column())
    """SM3 of the bytes that could not be taken in."""
    faults: list[dict[str, Any]] = Field(default_factory=list, sa_column=json_column())
    """[{line, key, message}] why what lies there now is not in force."""


class RuleConflict(SQLModel, table=True):
    """A file and the published edition both changed: the published one stays until a maintainer chooses."""

    __tablename__ = "rule_conflict"
    __table_args__ = (Index("ix_rule_conflict_state", "state", "id"),)

    id: int | None = Field(default=None, sa_column=id_column())
    name: str = Field(sa_column=code_column(length=240))
    kind: str = Field(sa_column=code_column(length=24))
    key: str = Field(sa_column=code_column())
    is_demo: bool = False
    file_digest: str = Field(sa_column=code_column())
    """SM3 of the file's bytes; empty: the file was removed."""
    file_text: str = Field(sa_column=Column(Text(), nullable=False))
    edition_id: int = Field(sa_type=BIG_ID)
    """The edition in force when the conflict was found."""
    found_at: datetime = Field(sa_column=moment_column())
    state: str = Field(default=OPEN, sa_column=code_column(length=16))
    """open 待处理 | file 采用文件 | kept 保留已发布 | gone 文件已改回"""
    decided_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    decided_by: int | None = Field(default=None, sa_type=BIG_ID)
    decider_name: str = ""
    why: str = ""


class RuleShelf(SQLModel, table=True):
    """One row whose version counts every change of the records, so that other processes notice it cheaply."""

    __tablename__ = "rule_shelf"

    id: int | None = Field(default=None, sa_column=id_column())
    version: int = 0
