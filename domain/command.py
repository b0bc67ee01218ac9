"""The command layer: the one place that authorises, audits, writes the outbox and commits.

A command is a function `do_something(work, …)` under `@command(name, allow=…)`; callers write
`do_something(session, actor, …)`. Returning commits, raising rolls back; the audit entries are chained
in the same transaction, as its last statements.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlmodel import Session

from domain import audit, failpoint
from domain.actor import Actor
from domain.errors import NotAllowed, Refused
from domain.portal_clock import now

P = ParamSpec("P")
R = TypeVar("R")
Allow = Callable[["Work"], None]


@dataclass
class Work:
    """One unit of work: the session, who acts, the moment, and what will be written at its end."""

    session: Session
    actor: Actor
    at: datetime
    command: str
    on_behalf_of: int | None = None
    _entries: list[audit.AuditEntry] = field(default_factory=list)
    _after_commit: list[Callable[[], None]] = field(default_factory=list)
    _when_refused: list[Callable[["Work"], None]] = field(default_factory=list)

    def record(self, subject: str, **detail: Any) -> None:
        """Note an act for the audit trail; `subject` is like "case:12", `detail` has no personal data or secrets."""
        self._entries.append(
            audit.AuditEntry(
                at=self.at,
                person_id=self.actor.person_id,
                person_name=self.actor.name,
                on_behalf_of=self.on_behalf_of,
                command=self.command,
                subject=subject,
                detail=detail,
                previous="",
                digest="",
            )
        )

    def after_commit(self, act: Callable[[], None]) -> None:
        """Do something once the transaction stands (wake the runner, drop a cache)."""
        self._after_commit.append(act)

    def when_refused(self, act: Callable[["Work"], None]) -> None:
        """Keep what the rules answered if they refuse this command: done in a transaction of its own, after the roll-back."""
        self._when_refused.append(act)

    def keep_refusal(self) -> None:
        """Do what was asked for by `when_refused`, under the name of the command and the same actor."""
        if self._when_refused:
            beside = Work(self.session, self.actor, self.at, f"{self.command}.refused", self.on_behalf_of)
            for act in self._when_refused:
                act(beside)
            beside.finish()

    def finish(self) -> None:
        """Chain the audit entries and commit; then run what waits for the commit."""
        if not self._entries:
            self.record("portal")
        self.session.flush()
        failpoint.reach(f"{self.command}:before_audit")
        audit.append(self.session, self._entries)
        failpoint.reach(f"{self.command}:before_commit")
        self.session.commit()
        for act in self._after_commit:
            act()


def command(
    name: str, *, allow: Allow
) -> Callable[[Callable[Concatenate[Work, P], R]], Callable[Concatenate[Session, Actor, P], R]]:
    """Make a function of a unit of work into a command of a session and an actor."""

    def decorate(act: Callable[Concatenate[Work, P], R]) -> Callable[Concatenate[Session, Actor, P], R]:
        @functools.wraps(act)
        def run(session: Session, actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            work = Work(session, actor, now(session), name)
            try:
                allow(work)
                result = act(work, *args, **kwargs)
                work.finish()
            except Refused:
                session.rollback()
                work.keep_refusal()
                raise
            except BaseException:
                session.rollback()
                raise
            return result

        run.command_name = name  # type: ignore[attr-defined]
        return run

    return decorate


def anyone_signed_in(work: Work) -> None:
    """Any person with an account; the command itself narrows by row."""
    if work.actor.person_id is None and not work.actor.is_system:
        raise NotAllowed("请先登录，再办理这件事。")


def anybody(work: Work) -> None:
    """Everybody, signed in or not (login, public verification)."""


def holders_of(*roles: str) -> Allow:
    """Only holders of one of the roles."""

    def check(work: Work) -> None:
        work.actor.must_have(*roles)

    return check


def system_only(work: Work) -> None:
    """Only the portal itself: runner, sweeper, callbacks."""
    if not work.actor.is_system:
        raise NotAllowed("这项操作只由系统自动完成。")
