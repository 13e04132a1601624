"""The service layer of the policy book: show it, load another, put that in force, explain and compare."""

from collections.abc import Mapping
from datetime import datetime

from control_plane import refusals
from control_plane.approvals.matters import readable
from control_plane.horizon import Horizon, no_proposal
from control_plane.judging import ask, brief
from control_plane.policy import activation, windows
from control_plane.policy.history import History, under_policy
from control_plane.policy.in_force import in_force
from control_plane.rights import need
from control_plane.road import Road
from control_plane.tables import Tables
from domain.base import Word
from domain.errors import BadInput, Refused
from domain.identity import HOUSE, Permission, Principal
from domain.keeping import PolicyBook, PolicyInForce, PolicyNotice
from domain.planned_work import ChangeWindow, Freeze
from policies.engine import BOOK, SCHEMA, Book
from policies.explaining import Explanation, Named, explain
from policies.linting import Finding, lint
from policies.reading import check_texts


class Offered(Word):
    """A book that is loaded and not in force, with the notice that must be read before it can be."""

    version: str
    loaded_at: datetime | None
    loaded_by: str
    notice: PolicyNotice
    notice_digest: str


class PolicyView(Word):
    """The book in force and what waits to follow it. `loaded`: the version that this process judges by."""

    version: str
    loaded: str
    since: datetime | None
    by: str
    rules: tuple[Named, ...]
    findings: tuple[Finding, ...]
    offered: tuple[Offered, ...]
    note: str


@refusals.recorded
class PolicyDesk:
    """Commands and queries of the policy book."""

    def __init__(self, road: Road) -> None:
        self._road = road

    # --- look ---

    def current(self, who: Principal) -> PolicyView:
        """Return the book in force and, to who sees all of the house, the books that wait with their notices.

        A notice names decisions of every tenant and region.
        """
        need(who, Permission.READ)
        row, stored = self._road.ledger.read(lambda tables: (in_force(tables), tables.policy_books.find()))
        book = self._road.book
        version = row.version if row else book.version
        all_seen = Horizon(self._road.live, who).everywhere and who.tenant == HOUSE
        return PolicyView(
            version=version,
            loaded=book.version,
            since=row.since if row else None,
            by=row.by if row else "",
            rules=tuple(
                Named(id=rule.id, because=rule.because, file=rule.file, articles=rule.articles)
                for rule in book.written.values()
            ),
            findings=lint(book),
            offered=tuple(
                _offered(one, one.notice) for one in stored if all_seen and one.notice and one.notice.against == version
            ),
            note=note(row, book),
        )

    def explain(self, who: Principal, proposal_id: str) -> Explanation:
        """Return which rules say what of a proposal at each number of signatures. Raises NotFound, Conflict."""
        need(who, Permission.READ)

        def read(tables: Tables) -> Explanation:
            proposal = tables.proposals.get(proposal_id)
            if proposal is None or not Horizon(self._road.live, who).proposal(tables, proposal):
                raise no_proposal(proposal_id)
            about = brief(self._road, tables, proposal)
            return explain(self._road.book, ask(about, self._road.clock.now()), about.signatures)

        return self._road.ledger.read(read)

    def diff(self, who: Principal, files: Mapping[str, str], since: datetime | None = None) -> History:
        """Return which recorded decisions that the caller may see would change under another book.

        Raises:
            BadInput: the book is refused.
        """
        need(who, Permission.READ_RECORD)
        history = under_policy(self._road.ledger, self._book(files), since=since, tenant=who.tenant)
        horizon = Horizon(self._road.live, who)
        seen = self._road.ledger.read(lambda t: tuple(one for one in history.changed if horizon.named(t, one.ref)))
        return history.but(changed=seen)

    def windows(self, who: Principal) -> tuple[tuple[ChangeWindow, ...], tuple[Freeze, ...]]:
        """Return the change windows and freezes that are not over, the first to end first."""
        need(who, Permission.READ)
        now = self._road.clock.now()
        declared, freezes = self._road.ledger.read(
            lambda t: (t.change_windows.find(tenant=who.tenant), t.freezes.find(tenant=who.tenant))
        )
        open_windows = [one for one in declared if one.ends_at >= now and one.withdrawn_at is None]
        standing = [one for one in freezes if one.ends_at >= now and one.withdrawn_at is None]
        return (
            tuple(sorted(open_windows, key=lambda one: (one.ends_at, one.id))),
            tuple(sorted(standing, key=lambda one: (one.ends_at, one.id))),
        )

    # --- change ---

    def load(self, who: Principal, files: Mapping[str, str]) -> PolicyBook:
        """Check a book and store it with its notice; it is not in force by that. A bad one leaves all as it is.

        Raises:
            Refused: the caller may not.
            BadInput: the book is refused; names file and rule.
        """
        self._may_keep(who)
        try:
            return activation.load(self._road, self._book(files), who.name)
        except BadInput as error:
            activation.refuse(self._road, error.reason, who.name)
            raise

    def activate(self, who: Principal, version: str, notice_digest: str, because: str) -> PolicyBook:
        """Put a loaded book in force; `notice_digest` says which notice the caller has read.

        Raises:
            Refused: the caller may not.
            NotFound: no such book is loaded.
            Conflict: it is in force, or the notice is not the one of this book against the book in force.
        """
        self._may_keep(who)
        reason = readable(because)
        return activation.activate(self._road, version, notice_digest, who.name, reason, **who.on_behalf_of)

    def declare_window(
        self, who: Principal, region: str, starts_at: datetime, ends_at: datetime, because: str
    ) -> ChangeWindow:
        """Declare a time in which a region takes changes (see `windows.declare_window`)."""
        return windows.declare_window(self._road, who, region, starts_at, ends_at, because)

    def withdraw_window(self, who: Principal, id: str, because: str) -> ChangeWindow:
        """Take a change window back (see `windows.withdraw_window`)."""
        return windows.withdraw_window(self._road, who, id, because)

    def withdraw_freeze(self, who: Principal, id: str, because: str) -> Freeze:
        """End a freeze before its time (see `windows.withdraw_freeze`)."""
        return windows.withdraw_freeze(self._road, who, id, because)

    # --- how it is done ---

    @staticmethod
    def _may_keep(who: Principal) -> None:
        need(who, Permission.KEEP_POLICY)
        if who.tenant != HOUSE:
            raise Refused(f"the policy book is one for all tenants; `{who.name}` keeps the accounts of one of them")

    @staticmethod
    def _book(files: Mapping[str, str]) -> Book:
        check_texts(files)
        return Book(files, (BOOK / SCHEMA).read_text("utf-8"))


def note(row: PolicyInForce | None, book: Book) -> str:
    """Return what is to be said of the book's state in one sentence, or nothing."""
    if row is not None and row.version != book.version:
        return f"book {row.version[:16]} is in force and this process has {book.version[:16]}: it holds everything"
    if row is not None and row.refused:
        return f"old book kept because {row.refused}"
    return ""


def health(road: Road) -> dict[str, str]:
    """Return the version that this process judges by and what is wrong with that, for whoever watches."""
    return {"version": road.book.version, "note": note(road.ledger.read(in_force), road.book)}


def _offered(book: PolicyBook, written: PolicyNotice) -> Offered:
    return Offered(
        version=book.id,
        loaded_at=book.loaded_at,
        loaded_by=book.loaded_by,
        notice=written,
        notice_digest=written.digest,
    )
