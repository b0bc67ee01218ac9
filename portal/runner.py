"""The runner: the threads that work by themselves beside the requests, and their heartbeats.

One process runs them at a time, which a lock on the database makes sure of; a second portal on the same database
serves its pages and waits for the lock.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import domain.exchange_handlers.all
import domain.job_handlers  # noqa: F401  (both register what they hold)
from domain import job as jobs
from domain import map_drawing, rule_trouble, sweep
from domain.actor import SYSTEM
from domain.errors import PortalError
from domain.exchange import attempt, outbox, results
from domain.exchange.delivery import partners_with_deliveries
from domain.exchange.tables import OutboxMessage
from domain.failpoint import reach
from domain.ledger import warning
from domain.observation import intake, judging
from domain.office import Office
from domain.portal_clock import now
from domain.rule_edition import files, publication, shelf
from domain.waking import leave, listen
from portal.database import Database
from portal.runner_lock import RunnerLock

IDLE_SECONDS = 5.0
STOP_SECONDS = 10.0
PAUSE_AFTER_FAULT_SECONDS = 10.0
BEAT_SECONDS = 15.0
SWEEP_LOOK_SECONDS = 30.0
RULES_LOOK_SECONDS = 30.0
READINGS_LOOK_SECONDS = 15.0
SHELF_LOOK_SECONDS = 1.0
log = logging.getLogger(__name__)


@dataclass
class Duty:
    """What one thread does over and over: `step` does a piece of it and says whether more is waiting."""

    name: str
    step: Callable[[], bool]
    queue: str | None = None
    idle_seconds: float = IDLE_SECONDS


class DutyThread(threading.Thread):
    """Repeats a duty until it is told to stop; a fault is logged and the duty goes on after a pause."""

    def __init__(self, duty: Duty, is_stopping: threading.Event) -> None:
        super().__init__(name=f"runner-{duty.name}", daemon=True)
        self.duty = duty
        self.beat_at = time.monotonic()
        self.fault: str | None = None
        self._is_stopping = is_stopping
        self._woken = threading.Event()

    def wake(self) -> None:
        """Look at once."""
        self._woken.set()

    def run(self) -> None:
        if self.duty.queue:
            listen(self.duty.queue, self._woken)
        while not self._is_stopping.is_set():
            self._woken.clear()
            wait = self._step()
            self.beat_at = time.monotonic()
            if wait:
                self._woken.wait(wait)
        if self.duty.queue:
            leave(self.duty.queue, self._woken)

    def _step(self) -> float:
        """One piece of the duty; how long to wait before the next, in seconds."""
        try:
            has_more = self.duty.step()
        except Exception as error:
            self.fault = type(error).__name__
            log.exception("duty %s failed", self.duty.name)
            return PAUSE_AFTER_FAULT_SECONDS
        self.fault = None
        return 0.0 if has_more else self.duty.idle_seconds


class Runner:
    """Jobs, deliveries and sweeps of one portal process."""

    def __init__(self, database: Database, office: Office) -> None:
        self.database = database
        self.office = office
        self._is_stopping = threading.Event()
        self._lock = RunnerLock(database)
        self._threads: list[DutyThread] = []
        self._running_job: int | None = None
        self._rules_seen: int | None = None
        self._starter: threading.Thread | None = None
        self._watch: DutyThread | None = None

    def start(self) -> None:
        """Begin as soon as no other process runs the duties of this database; returns at once."""
        self._is_stopping.clear()
        # Every process watches for rules that another one published, whether or not it runs the duties.
        self._watch = DutyThread(Duty("rule-shelf", self._watch_rules, None, SHELF_LOOK_SECONDS), self._is_stopping)
        self._watch.start()
        self._starter = threading.Thread(target=self._begin, name="runner-start", daemon=True)
        self._starter.start()

    def stop(self) -> None:
        """End all threads; a job that runs is put back at its next step."""
        self._is_stopping.set()
        watching = [self._watch] if self._watch is not None else []
        for thread in [*self._threads, *watching]:
            thread.wake()
        deadline = time.monotonic() + STOP_SECONDS
        for thread in [self._starter, *watching, *self._threads]:
            if thread is not None:
                thread.join(max(0.1, deadline - time.monotonic()))
        self._threads = []
        self._lock.release()

    def work_off(self) -> None:
        """Do in this thread what waits now: jobs, messages, results that are due. For `portal demo`, which runs no threads."""
        while self._work_at_job():
            pass
        for partner in partners_with_deliveries():
            while self._deliver_next(partner):
                pass
        while self._ask_for_result():
            pass
        while self._judge_readings():
            pass
        while self._work_at_job():
            pass

    def health(self) -> dict[str, Any]:
        """For /healthz: whether this process runs the duties, and when each was last seen alive."""
        now = time.monotonic()
        duties = {
            thread.duty.name: {"seconds_since_beat": round(now - thread.beat_at), "fault": thread.fault}
            for thread in self._threads
        }
        is_running = bool(duties) and all(thread.is_alive() and thread.fault is None for thread in self._threads)
        return {"ok": is_running, "is_running": bool(duties), "duties": duties}

    def _begin(self) -> None:
        while not self._lock.take():
            if self._is_stopping.wait(IDLE_SECONDS):
                return
        self._recover()
        self._threads = [DutyThread(duty, self._is_stopping) for duty in self._duties()]
        for thread in self._threads:
            thread.start()

    def _duties(self) -> list[Duty]:
        """One thread for jobs, one for each partner's messages, one asking for results, one for readings, one for what comes by the clock."""
        duties = [
            Duty("jobs", self._work_at_job, jobs.QUEUE),
            Duty("heartbeat", self._beat, None, BEAT_SECONDS),
            Duty("sweep", self._sweep, None, SWEEP_LOOK_SECONDS),
            Duty("observations", self._judge_readings, intake.QUEUE, READINGS_LOOK_SECONDS),
            Duty("rules", self._keep_rules, shelf.QUEUE, RULES_LOOK_SECONDS),
        ]
        if self.office.partners_connected:
            duties += [Duty(f"outbox-{name}", self._delivering(name), outbox.QUEUE, 2.0) for name in partners_with_deliveries()]
            duties.append(Duty("results", self._ask_for_result, None, 2.0))
        return duties

    def _recover(self) -> None:
        """Put right what the process before left half-way."""
        with self.database.reading() as session:
            has_jobs, has_messages = jobs.is_left_running(session), outbox.is_left_sending(session)
        if has_jobs:
            with self.database.writing() as session:
                log.warning("jobs cut off by the last stop: %s", jobs.recover(session, SYSTEM))
        if has_messages:
            with self.database.writing() as session:
                log.warning("messages cut off by the last stop: %s", outbox.recover(session, SYSTEM))

    def _delivering(self, partner: str) -> Callable[[], bool]:
        return lambda: self._deliver_next(partner)

    def _deliver_next(self, partner: str) -> bool:
        """Claim, call outside any transaction, settle: a crash in between sends it again under the same key."""
        with self.database.reading() as session:
            if not outbox.has_due(session, partner):
                return False
        with self.database.writing() as session:
            message = outbox.claim(session, SYSTEM, partner)
            at = now(session)
        if message is not None:
            reach("outbox:claimed")
            self._deliver(message, at)
        return True

    def _deliver(self, message: OutboxMessage, at: datetime) -> None:
        made = attempt.make(self.office, message, at)
        reach("outbox:answered")
        try:
            with self.database.writing() as session:
                outbox.settle(session, SYSTEM, message.id, made)
        except Exception:
            with self.database.writing() as session:
                outbox.postpone(session, SYSTEM, message.id)
            raise

    def _ask_for_result(self) -> bool:
        return results.ask_next(self.database, self.office)

    def _sweep(self) -> bool:
        """The nightly sweep, once a day of the portal, and the drawing of layers that changed; jobs, so that they can be watched."""
        for duty in (sweep, map_drawing):
            with self.database.reading() as session:
                if not duty.is_due(session):
                    continue
            with self.database.writing() as session:
                duty.begin(session, SYSTEM)
        return False

    def _judge_readings(self) -> bool:
        return judging.judge_next(self.database)

    def _keep_rules(self) -> bool:
        """Scheduled editions that have begun, rule files kept in step with the records, and what is wrong with rules."""
        with self.database.reading() as session:
            is_due = publication.is_due(session)
        if is_due:
            with self.database.writing() as session:
                publication.start_due(session, SYSTEM)
        files.sync(self.database, self.office)
        self._act_on_new_rules()
        rule_trouble.keep(self.database, self.office)
        return False

    def _act_on_new_rules(self) -> None:
        """What the portal says by itself goes by new rules at once: districts stop and resume; cases ask when they are next handled."""
        with self.database.reading() as session:
            found = shelf.version(session)
        if found == self._rules_seen:
            return
        with self.database.writing() as session:
            warning.refresh_all(session, SYSTEM)
        self._rules_seen = found

    def _watch_rules(self) -> bool:
        with self.database.reading() as session:
            shelf.refresh(session)
        return False

    def _work_at_job(self) -> bool:
        with self.database.reading() as session:
            if not jobs.has_due(session):
                return False
        with self.database.writing() as session:
            job = jobs.claim(session, SYSTEM)
        if job is not None:
            self._running_job = job.id
            try:
                self._run_job(job)
            finally:
                self._running_job = None
        return True

    def _run_job(self, job: jobs.Job) -> None:
        try:
            result = jobs.run(job, self.database, self.office, self._is_stopping.is_set)
        except jobs.JobCancelled:
            self._end_job(jobs.end_cancelled, job)
        except jobs.JobInterrupted:
            self._end_job(jobs.interrupt, job)
        except PortalError as error:
            self._end_job(jobs.fail, job, error.message)
        except Exception:
            log.exception("job %s of kind %s failed", job.id, job.kind)
            self._end_job(jobs.fail, job, "作业因程序错误中止，没有产生结果。请联系系统管理员，并告知作业编号。")
        else:
            self._end_job(jobs.finish, job, result)

    def _end_job(self, end: Callable[..., Any], job: jobs.Job, *arguments: Any) -> None:
        with self.database.writing() as session:
            end(session, SYSTEM, job.id, *arguments)

    def _beat(self) -> bool:
        """Say that the job in hand is worked at; end all duties if another process has taken the lock over."""
        if not self._lock.keep():
            log.critical("another process runs the duties of this database now; this one ends its own")
            self._is_stopping.set()
            return False
        job_id = self._running_job
        if job_id is not None:
            with self.database.writing() as session:
                jobs.beat(session, job_id)
        return False
