"""Tables of a filing: the case, its tasks, its history, its materials, its decisions, its links."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, decimal_column, id_column, json_column, moment_column


class Case(SQLModel, table=True):
    """One filing of one case type, under the edition it was filed with."""

    __tablename__ = "case_file"
    __table_args__ = (
        Index("ix_case_type_status", "case_type", "status", "id"),
        Index("ix_case_district", "district_code", "status", "id"),
        Index("ix_case_applicant", "applicant_id", "id"),
        Index("ix_case_due", "status", "due_on", "id"),
        # The columns that lists are sorted by, and those by which a person is tied to a case: with each of them
        # indexed a page of a million cases is read in order instead of being sorted (domain/case/inbox.py).
        Index("ix_case_due_on", "due_on", "id"),
        Index("ix_case_submitted", "submitted_at", "id"),
        Index("ix_case_changed", "changed_at", "id"),
        Index("ix_case_closed", "closed_at", "id"),
        Index("ix_case_title", "title", "id"),
        Index("ix_case_creator", "created_by", "id", "status"),
        Index("ix_case_town", "town_code", "status", "id"),
        Index("ix_case_light", "light", "district_code", "id"),
        # The lamps beside a district's list are counted from this index alone.
        Index("ix_case_district_light", "district_code", "status", "light", "id"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    number: str | None = Field(default=None, sa_column=code_column(length=80, nullable=True, unique=True))
    draft_number: str = Field(sa_column=code_column(length=40, unique=True))
    case_type: str = Field(sa_column=code_column())
    edition: str = Field(sa_column=code_column(length=10))
    """First day of the case type's edition, as YYYY-MM-DD."""
    title: str = ""
    status: str = Field(default="draft", sa_column=code_column(length=16))
    """draft 草稿 | open 在办 | correction 补正 | suspended 停表 | closed 已结束"""
    outcome: str | None = Field(default=None, sa_column=code_column(length=24, nullable=True))
    """granted 准予 | refused 不予 | withdrawn 撤回 | terminated 终止 | done 办结; only on a closed case"""
    district_code: str | None = Field(default=None, sa_column=code_column(length=12, nullable=True))
    town_code: str | None = Field(default=None, sa_column=code_column(length=12, nullable=True))
    organisation_id: int | None = Field(default=None, sa_type=BIG_ID, index=True)
    applicant_id: int | None = Field(default=None, sa_type=BIG_ID)
    created_by: int | None = Field(default=None, sa_type=BIG_ID)
    values: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """Form values by field key; a repeated section is a list of such documents."""
    prefilled: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """Source, original value and date by field key, for values that a system filled in."""
    steps: str = ""
    """Keys of the steps now in hand, joined by commas, for lists."""
    due_on: date | None = None
    light: str = Field(default="", sa_column=code_column(length=8))
    light_words: str = ""
    created_at: datetime = Field(sa_column=moment_column())
    changed_at: datetime = Field(sa_column=moment_column())
    submitted_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    accepted_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    closed_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    version: int = 1
    """Counts up with every change; a page that holds an older one is told so."""
    is_demo: bool = False


class Task(SQLModel, table=True):
    """One step of one case in one pair of hands."""

    __tablename__ = "task"
    __table_args__ = (
        # Whose hands a case went through is answered from these alone: an experienced official has thousands of
        # tasks, and each of them read by itself is a page of the disk (domain/case/scope.py, domain/case/inbox.py).
        Index("ix_task_queue", "status", "role", "district_code", "reserved_for", "case_id"),
        Index("ix_task_assignee", "assignee_id", "status", "case_id"),
        Index("ix_task_case", "case_id", "id"),
        Index("ix_task_reserved", "reserved_for", "status", "case_id"),
        Index("ix_task_done_by", "done_by", "case_id", "status"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id")
    step: str = Field(sa_column=code_column())
    kind: str = Field(default="step", sa_column=code_column(length=16))
    """step | countersign 会签 | assist 委派"""
    role: str = Field(sa_column=code_column())
    district_code: str | None = Field(default=None, sa_column=code_column(length=12, nullable=True))
    organisation_id: int | None = Field(default=None, sa_type=BIG_ID)
    status: str = Field(default="ready", sa_column=code_column(length=16))
    """ready 待认领 | held 办理中 | waiting 等会签 | done | returned | cancelled"""
    assignee_id: int | None = Field(default=None, sa_type=BIG_ID)
    reserved_for: int | None = Field(default=None, sa_type=BIG_ID)
    """Only this person may take it (transferred, delegated, countersign); None: anyone of the role."""
    parent_id: int | None = Field(default=None, sa_type=BIG_ID)
    """The task that waits for this one (countersign, delegation)."""
    order_no: int = 0
    """Place in a sequential countersign; the next one becomes ready when this is done."""
    branch: str = ""
    """Key of the parallel branch this task belongs to; joined by the step that says `join`."""
    came_from: int | None = Field(default=None, sa_type=BIG_ID)
    action: str | None = Field(default=None, sa_column=code_column(nullable=True))
    opinion: str = ""
    draft_opinion: str = ""
    created_at: datetime = Field(sa_column=moment_column())
    claimed_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    done_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    done_by: int | None = Field(default=None, sa_type=BIG_ID)
    urged_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    version: int = 1


class CaseEvent(SQLModel, table=True):
    """One line of a case's history 经过: who did what at which step, with which opinion, to whom it went."""

    __tablename__ = "case_event"
    __table_args__ = (Index("ix_case_event_case", "case_id", "id"),)

    id: int | None = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id")
    task_id: int | None = Field(default=None, sa_type=BIG_ID)
    at: datetime = Field(sa_column=moment_column())
    person_id: int | None = Field(default=None, sa_type=BIG_ID)
    person_name: str
    on_behalf_of: str | None = None
    """Name of the absent colleague whose authority was used."""
    operation: str = Field(sa_column=code_column())
    """An operation of the workflow (submit, approve, return, transfer, suspend …) or a system act."""
    label: str
    step: str | None = Field(default=None, sa_column=code_column(nullable=True))
    to_step: str | None = Field(default=None, sa_column=code_column(nullable=True))
    opinion: str = ""
    duration_s: int | None = None
    """How long the task was in hand, in seconds."""
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    is_public: bool = False
    """True if the applicant sees it on the tracking page."""


class CaseVersion(SQLModel, table=True):
    """The form as it stood at a submission or correction, so that a reviewer sees what changed since."""

    __tablename__ = "case_version"
    __table_args__ = (UniqueConstraint("case_id", "version_no", name="uq_case_version"),)

    id: int | None = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id")
    version_no: int
    reason: str = Field(sa_column=code_column())
    """submitted | corrected | step | erratum | migrated"""
    at: datetime = Field(sa_column=moment_column())
    person_id: int | None = Field(default=None, sa_type=BIG_ID)
    values: dict[str, Any] = Field(sa_column=json_column())


class CaseCorrection(SQLModel, table=True):
    """A request for correction 补正: tied to fields and materials, only those are unlocked."""

    __tablename__ = "case_correction"

    id: int | None = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id", index=True)
    task_id: int = Field(sa_type=BIG_ID)
    asked_at: datetime = Field(sa_column=moment_column())
    asked_by: int | None = Field(default=None, sa_type=BIG_ID)
    items: list[dict[str, Any]] = Field(sa_column=json_column())
    """[{"field" | "material": key, "what": words}]"""
    note: str = ""
    answered_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))


class CaseIndex(SQLModel, table=True):
    """One searchable value of a case, typed, so that lists filter and sort in the database."""

    __tablename__ = "case_index"
    __table_args__ = (
        Index("ix_case_index_text", "field", "text_value", "case_id"),
        Index("ix_case_index_number", "field", "number_value", "case_id"),
        Index("ix_case_index_date", "field", "date_value", "case_id"),
        Index("ix_case_index_case", "case_id"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id")
    field: str = Field(sa_column=code_column(length=80))
    text_value: str | None = Field(default=None, sa_column=code_column(length=200, nullable=True))
    number_value: Decimal | None = Field(default=None, sa_column=decimal_column(nullable=True))
    date_value: date | None = None


class CaseLink(SQLModel, table=True):
    """Two cases that belong together: parent and child, original and erratum, permit and cancellation."""

    __tablename__ = "case_link"
    __table_args__ = (UniqueConstraint("from_id", "to_id", "relation", name="uq_case_link"),)

    id: int | None = Field(default=None, sa_column=id_column())
    from_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id", index=True)
    to_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id", index=True)
    relation: str = Field(sa_column=code_column(length=24))
    """child | erratum | cancellation | related"""
    created_at: datetime = Field(sa_column=moment_column())


class Material(SQLModel, table=True):
    """One uploaded file of a case, in a slot of its resource tree 资源树; replaced, never overwritten."""

    __tablename__ = "material"
    __table_args__ = (Index("ix_material_case", "case_id", "slot", "id"),)

    id: int | None = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id")
    slot: str = Field(sa_column=code_column())
    name: str
    digest: str = Field(sa_column=code_column())
    size: int
    media_type: str = Field(sa_column=code_column(length=100))
    version_no: int = 1
    uploaded_at: datetime = Field(sa_column=moment_column())
    uploaded_by: int | None = Field(default=None, sa_type=BIG_ID)
    step: str | None = Field(default=None, sa_column=code_column(nullable=True))
    replaced_by: int | None = Field(default=None, sa_type=BIG_ID)
    removed_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    read: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """What the server read from it (pages, points, CRS …), shown beside the file."""


class StoredDecision(SQLModel, table=True):
    """A decision of a rule set about a case, with everything needed to explain and repeat it."""

    __tablename__ = "decision"
    __table_args__ = (
        Index("ix_decision_case", "case_id", "id"),
        Index("ix_decision_set", "rule_set", "decided_on"),
        # A replay reads the decisions of a set in order; an edition is asked which decisions it gave.
        Index("ix_decision_replay", "rule_set", "id"),
        Index("ix_decision_digest", "digest", "case_id", "id"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    case_id: int | None = Field(default=None, sa_type=BIG_ID)
    task_id: int | None = Field(default=None, sa_type=BIG_ID)
    subject: str = Field(default="", sa_column=code_column(length=80))
    moment: str = Field(default="", sa_column=code_column(length=24))
    """start | form | submit | leave | nightly | document | view | observe"""
    kind: str = Field(sa_column=code_column(length=24))
    rule_set: str = Field(sa_column=code_column())
    edition: str = Field(sa_column=code_column(length=24))
    digest: str = Field(sa_column=code_column())
    outcome: str = Field(sa_column=code_column(length=40))
    message: str = ""
    decided_on: date
    at: datetime = Field(sa_column=moment_column())
    person_id: int | None = Field(default=None, sa_type=BIG_ID)
    document: dict[str, Any] = Field(sa_column=json_column())
    """Decision.to_json() of the rule engine."""


class CaseSnapshot(SQLModel, table=True):
    """The case as decided, frozen at its last step: form, flow, documents, decisions, editions."""

    __tablename__ = "case_snapshot"

    id: int | None = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id", unique=True)
    at: datetime = Field(sa_column=moment_column())
    digest: str = Field(sa_column=code_column())
    """SM3 of the stored file that holds the snapshot document."""


class SavedFilter(SQLModel, table=True):
    """A person's named search of the case list."""

    __tablename__ = "saved_filter"
    __table_args__ = (UniqueConstraint("person_id", "page", "name", name="uq_saved_filter"),)

    id: int | None = Field(default=None, sa_column=id_column())
    person_id: int = Field(sa_type=BIG_ID, foreign_key="person.id")
    page: str = Field(sa_column=code_column(length=24))
    name: str
    query: str
    """The query string of the list's URL, without box and page."""
    is_default: bool = False
    """True if the list opens with it; at most one a person and page."""
    created_at: datetime = Field(sa_column=moment_column())
