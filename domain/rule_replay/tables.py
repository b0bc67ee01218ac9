"""Tables of replays: what was replayed, every answer that would differ, and the counts by district, officer and month."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from domain.columns import BIG_ID, code_column, id_column, json_column, moment_column

OUTCOME, RULE, WORDS, UNABLE = "outcome", "rule", "words", "unable"
SORTS = (OUTCOME, RULE, WORDS, UNABLE)
DISTRICT, OFFICER, MONTH = "district", "officer", "month"
GROUPINGS = (DISTRICT, OFFICER, MONTH)


class RuleReplay(SQLModel, table=True):
    """One text of a rule set replayed over the decisions of the past."""

    __tablename__ = "rule_replay"
    __table_args__ = (Index("ix_rule_replay_draft", "draft_id", "id"),)

    id: int | None = Field(default=None, sa_column=id_column())
    draft_id: int = Field(sa_type=BIG_ID)
    kind: str = Field(sa_column=code_column(length=24))
    key: str = Field(sa_column=code_column())
    title: str
    digest: str = Field(sa_column=code_column())
    """RuleSet.digest of the text that is replayed."""
    content: str = Field(sa_column=Column(Text(), nullable=False))
    """RuleSet.content of it: what is decided with, whatever becomes of the draft."""
    base_digest: str | None = Field(default=None, sa_column=code_column(nullable=True))
    """The edition in force when it was asked for; null for a rule set without one."""
    job_id: int = Field(sa_type=BIG_ID)
    asked_by: int | None = Field(default=None, sa_type=BIG_ID)
    asked_by_name: str
    asked_at: datetime = Field(sa_column=moment_column())
    ended_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    until_id: int = Field(sa_type=BIG_ID)
    """The last decision that existed when it was asked for."""
    at_id: int = Field(default=0, sa_type=BIG_ID)
    """The last decision compared: a replay that was cut off goes on behind it."""
    total: int = 0
    """How many decisions there are to compare."""
    compared: int = 0
    changed: int = 0
    """Answers that differ in any way: outcome, deciding rule or words."""
    outcome_changed: int = 0
    rule_changed: int = 0
    reworded: int = 0
    unable: int = 0
    """Decisions whose facts do not fit the draft; each is listed with the reason."""
    stricter: int = 0
    """Passed then, would be stopped now."""
    looser: int = 0
    """Stopped then, would pass now."""


class RuleReplayChange(SQLModel, table=True):
    """One past decision to which the draft would give another answer, or none."""

    __tablename__ = "rule_replay_change"
    __table_args__ = (
        Index("ix_rule_replay_change_list", "replay_id", "sort", "id"),
        Index("ix_rule_replay_change_district", "replay_id", "district_code", "id"),
        Index("ix_rule_replay_change_officer", "replay_id", "officer_id", "id"),
        Index("ix_rule_replay_change_month", "replay_id", "month", "id"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    replay_id: int = Field(sa_type=BIG_ID)
    decision_id: int = Field(sa_type=BIG_ID)
    case_id: int | None = Field(default=None, sa_type=BIG_ID)
    subject: str = Field(default="", sa_column=code_column(length=80))
    """What was decided about: case:<id>, or ledger:<area>:<year>."""
    district_code: str = Field(default="", sa_column=code_column(length=12))
    officer_id: int | None = Field(default=None, sa_type=BIG_ID)
    officer_name: str = ""
    month: str = Field(sa_column=code_column(length=7))
    decided_on: date
    sort: str = Field(sa_column=code_column(length=8))
    """outcome 结论变 | rule 依据变 | words 只是措辞变 | unable 不能回放"""
    before_outcome: str = Field(sa_column=code_column(length=40))
    before_rule: str | None = Field(default=None, sa_column=code_column(nullable=True))
    before_message: str = ""
    base_outcome: str | None = Field(default=None, sa_column=code_column(length=40, nullable=True))
    """What the edition in force would answer today: tells the draft's doing from that of editions since."""
    after_outcome: str | None = Field(default=None, sa_column=code_column(length=40, nullable=True))
    after_rule: str | None = Field(default=None, sa_column=code_column(nullable=True))
    after_message: str = ""
    """What would be said; of what cannot be replayed, why."""


class RuleReplayGroup(SQLModel, table=True):
    """The counts of one district, officer or month in a replay."""

    __tablename__ = "rule_replay_group"
    __table_args__ = (UniqueConstraint("replay_id", "grouping", "value", name="uq_rule_replay_group"),)

    id: int | None = Field(default=None, sa_column=id_column())
    replay_id: int = Field(sa_type=BIG_ID)
    grouping: str = Field(sa_column=code_column(length=8))
    """district | officer | month"""
    value: str = Field(sa_column=code_column(length=40))
    """District code, id of the officer, YYYY-MM; empty where there is none."""
    label: str = ""
    """Name of the officer as it was at the replay."""
    compared: int = 0
    changed: int = 0
    unable: int = 0
    stricter: int = 0
    looser: int = 0
    transitions: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """Changed outcomes: how often, by "before>after"."""
