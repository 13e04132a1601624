"""Books of the past: each that was ever in force is kept by its version."""

from control_plane.ports import Ledger
from control_plane.replay.replaying import Books
from domain.errors import BadInput, NotFound
from policies.engine import Book


def kept_books(ledger: Ledger) -> Books:
    """Return a function that finds the book of a version, and keeps it at hand.

    It raises NotFound for a version that was never in force here, BadInput where what is kept of it was altered.
    """
    at_hand: dict[str, Book] = {}

    def of(version: str) -> Book:
        if version not in at_hand:
            kept = ledger.read(lambda tables: tables.policy_books.get(version))
            if kept is None:
                raise NotFound(f"the policy book `{version[:16]}` is not kept here; name its folder with --under")
            book = Book(kept.files, kept.schema_text)
            if book.version != version:
                raise BadInput(f"the policy book that is kept as `{version[:16]}` was altered; verify the audit chain")
            at_hand[version] = book
        return at_hand[version]

    return of
