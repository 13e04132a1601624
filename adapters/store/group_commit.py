"""Group commit: callers that write at the same time share one transaction, and one flush of the disk.

Read `run` first. Each caller puts its job into the queue. The first to come leads: it opens a transaction, runs what
waits and what comes while it is at it, and commits once. Nobody is answered before that. A job that raises is lost
alone; where it had written already, the round is run again, each job in a savepoint of its own. Then the caller that
has waited longest leads the next round. There is no thread of its own, so one caller alone pays nothing for it, and
nothing is left running when the store is closed.
"""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from time import perf_counter
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from adapters.store.engine import Database
from adapters.store.shared import SharedTransaction
from adapters.store.staging import NeedsCare
from domain.clock import Clock
from domain.errors import NocturneError, Unavailable

T = TypeVar("T")

#: A round takes no more jobs than this, and none that comes after so many seconds: its first caller waits for the last.
_MOST = 128
_OPEN_S = 0.01


class GroupCommit:
    """Runs jobs in the writing transactions of one database."""

    def __init__(self, database: Database, clock: Clock, *, open_s: float = _OPEN_S) -> None:
        self._database = database
        self._clock = clock
        self._open_s = open_s
        self._door = threading.Lock()  # guards the three below; held for moments
        self._queue: deque[_Job[Any]] = deque()
        self._led = False
        self._leader: int | None = None
        self._turn = threading.Lock()  # held for a round

    def run(self, work: Callable[[SharedTransaction], T]) -> T:
        """Run `work` in a transaction and return its result after the commit. What it raises takes back only itself.

        It may be run more than once; only the last time counts.

        Raises:
            RuntimeError: called from inside another job.
            Unavailable: the store cannot be written; of all jobs of the round, nothing was.
        """
        self._require_outside()
        job = _Job(work)
        try:
            self._enter(job)
            if not job.leads:
                job.called.acquire()
            if job.leads:
                self._lead(job)
        finally:
            if job.leads or not job.settled:
                self._leave(job)
        return job.answer()

    @property
    def waiting(self) -> int:
        """How many jobs wait for the next round."""
        return len(self._queue)

    def close(self) -> None:
        """Let go of the database after the round that is on. Every job that still waits gets Unavailable."""
        self._require_outside()
        with self._turn:
            self._database.close()

    def _require_outside(self) -> None:
        if self._leader == threading.get_ident():
            raise RuntimeError("a change may not start another one; return what it needs and call `do` again")

    def _enter(self, job: "_Job[Any]") -> None:
        with self._door:
            self._queue.append(job)
            if not self._led:
                self._led = job.leads = True

    def _leave(self, job: "_Job[Any]") -> None:
        """Hand the lead to whoever waits longest. A caller that was interrupted takes its job back, if it still can."""
        with self._door:
            if job in self._queue:
                self._queue.remove(job)
            if job.leads:
                job.leads = False
                self._led = bool(self._queue)
                if self._led:
                    self._queue[0].leads = True
                    self._queue[0].called.release()

    def _lead(self, own: "_Job[Any]") -> None:
        """Run one round and answer its callers."""
        batch: list[_Job[Any]] = []
        try:
            with self._turn:
                self._leader = threading.get_ident()
                batch += self._waiting(_MOST)
                self._write(batch)
        except BaseException as error:  # whatever it is, somebody waits for an answer
            _fail(batch, error, own)
            if own not in batch:
                raise
        finally:
            self._leader = None
            for job in batch:
                job.settled = True
                if job is not own:
                    job.called.release()

    def _write(self, batch: "list[_Job[Any]]") -> None:
        """Run a batch, and who joins it meanwhile, in one transaction; in a second one with care, if it needs that."""
        with suppress(NeedsCare):
            self._round(batch, careful=False)
            return
        for job in batch:
            job.error = None
        self._round(batch, careful=True)

    def _round(self, batch: "list[_Job[Any]]", *, careful: bool) -> None:
        alone, until = len(batch) == 1, perf_counter() + self._open_s
        with self._database.write() as connection:
            shared = SharedTransaction(connection, self._clock, careful=careful)
            for job in batch:  # which grows at its end
                if alone and job is batch[0]:
                    job.run(shared)  # the transaction is its own so far: if it raises, there is no more to take back
                else:
                    (self._run_aside if careful else self._run_lightly)(job, shared)
                self._database.require_transaction(connection)
                if job is batch[-1] and perf_counter() < until:
                    batch += self._waiting(_MOST - len(batch))
            shared.finish()

    def _run_lightly(self, job: "_Job[Any]", shared: SharedTransaction) -> None:
        """Run a job as part of the transaction; what it raises is its own, if there is nothing to take back."""
        shared.touched = True
        try:
            job.run(shared)
        except sa.exc.DBAPIError as error:
            raise NeedsCare from error
        except BaseException as error:
            if _meant_for_this_thread(error):
                raise
            if shared.touched:
                raise NeedsCare from error
            job.error = error

    def _run_aside(self, job: "_Job[Any]", shared: SharedTransaction) -> None:
        """Run a job in its savepoint; what it raises is its own, unless the whole transaction is lost with it."""
        try:
            with shared.savepoint():
                job.run(shared)
        except sa.exc.DBAPIError as error:
            if shared.doomed:
                raise
            job.error = self._database.unavailable("written", error)
        except BaseException as error:
            if shared.doomed or _meant_for_this_thread(error):
                raise
            job.error = error

    def _waiting(self, most: int) -> "list[_Job[Any]]":
        with self._door:
            return [self._queue.popleft() for _ in range(min(most, len(self._queue)))]


class _Job(Generic[T]):
    """What one caller wants done, and how it went. `called` is let go once: the job leads now, or it is settled."""

    def __init__(self, work: Callable[[SharedTransaction], T]) -> None:
        self.called = threading.Lock()
        self.called.acquire()
        self.leads = False
        self.settled = False
        self.error: BaseException | None = None
        self._work = work
        self._context = copy_context()  # it may run in another thread, and is to log as its caller
        self._result: T

    def run(self, shared: SharedTransaction) -> None:
        self._result = self._context.run(self._work, shared)

    def answer(self) -> T:
        error, self.error = self.error, None  # an error that holds its own frame would live until the next collection
        if error is None:
            return self._result
        try:
            raise error
        finally:
            del error


def _meant_for_this_thread(error: BaseException) -> bool:
    """Say whether somebody may have interrupted the leading thread, at any point and not only in the job it ran."""
    return not isinstance(error, Exception) and threading.current_thread() is threading.main_thread()


def _fail(batch: "list[_Job[Any]]", error: BaseException, own: "_Job[Any]") -> None:
    """Tell everyone that the round failed; the one who led it, or was alone in it, gets the error as it is."""
    for job in batch:
        mine = job is own and (len(batch) == 1 or not isinstance(error, Exception))
        job.error = error if mine else _told(error)


def _told(error: BaseException) -> Unavailable:
    """Return an error for one more caller: each gets its own, because raising one writes into it."""
    if isinstance(error, NocturneError):
        told = Unavailable(error.reason, code=error.error_code)
    elif not isinstance(error, Exception):
        told = Unavailable("the store was interrupted while it wrote; look what is in it before asking again")
    else:
        told = Unavailable("the changes of this moment could not be written and none of them was; try again")
    told.__cause__ = error
    return told
