"""Keys for feeds that can send nothing but a fixed header (`nck_…`): made for one account, for a time, and revocable.

A key does what a machine that sends alarms does and nothing else, whatever roles its account gets later. Two keys of
one account may hold side by side, so a key is rotated without a gap: make the new one, let the old one run out.
"""

from datetime import datetime, timedelta

from adapters.identity import secrets
from adapters.identity.local import UNKNOWN
from control_plane.ports import Ledger, Written
from control_plane.tables import Tables
from domain.clock import Clock
from domain.credentials import Credential, CredentialKind
from domain.errors import BadInput, Conflict, NotAuthenticated, NotFound
from domain.identity import Principal, Role
from domain.ids import new_id
from domain.records import Entry

ONLY = frozenset({Role.FEED})
LONGEST = timedelta(days=366)
LONGEST_OVERLAP = timedelta(days=7)


class FeedKeys:
    """Makes, rotates, revokes and recognises keys."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def issue(self, account: str, label: str, holds: timedelta, *, by: str) -> tuple[Credential, str]:
        """Make a key for a feed's account and return it with its secret, which cannot be had a second time.

        Raises:
            NotFound: there is no such account, or it was revoked.
            Conflict: the account is more than a feed.
            BadInput: the time is not within a year.
        """
        key, fresh = self._made(account, label, holds, by)

        def change(tables: Tables) -> Written[Credential]:
            made = key.but(tenant=self._feed(tables, account).tenant)
            tables.credentials.add(made)
            return Written(made, (self._entry("identity.key.issued", by, made),))

        return self._ledger.do(change), fresh.text

    def rotate(self, key_id: str, overlap: timedelta, holds: timedelta, *, by: str) -> tuple[Credential, str]:
        """Make the next key of the same account and label; the old one ends after `overlap`.

        Raises:
            NotFound: there is no such key.
            Conflict: it holds no longer, so there is nothing to overlap with.
            BadInput: a time is longer than allowed.
        """
        if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
            raise BadInput(f"two keys may overlap for at most {LONGEST_OVERLAP.days} days; give less")
        old = self._kept(key_id)
        key, fresh = self._made(old.account, old.label, holds, by)

        def change(tables: Tables) -> Written[Credential]:
            now, before = self._clock.now(), tables.credentials.get(key_id)
            if before is None or not before.holds(now):
                raise Conflict(f"key `{key_id}` holds no longer; make a new one")
            made = key.but(tenant=self._feed(tables, before.account).tenant)
            tables.credentials.add(made)
            tables.credentials.swap(before, before.but(expires_at=min(before.expires_at, now + overlap)))
            return Written(made, (self._entry("identity.key.rotated", by, made, before.id),))

        return self._ledger.do(change), fresh.text

    def revoke(self, key_id: str, *, by: str) -> Credential:
        """End a key at once. Raises NotFound."""
        self._kept(key_id)

        def change(tables: Tables) -> Written[Credential]:
            before = tables.credentials.get(key_id)
            assert before is not None  # nothing leaves this shelf
            ended = before.but(revoked_at=before.revoked_at or self._clock.now())
            tables.credentials.swap(before, ended)
            return Written(ended, (self._entry("identity.key.revoked", by, ended),))

        return self._ledger.do(change)

    def authenticate(self, text: str) -> Principal:
        """Return the account whose key this is. Raises NotAuthenticated, always in the same words."""
        id, presented = secrets.parts(secrets.KEY, text)
        key, account = self._ledger.read(lambda tables: _with_account(tables, id))
        right = secrets.matches(presented, key.hash if key else None)
        now = self._clock.now()
        if not right or key is None or account is None or not key.holds(now) or not account.roles >= ONLY:
            raise NotAuthenticated(UNKNOWN)
        if key.last_used_at is None or key.last_used_at.date() != now.date():
            self._used(key, now)
        return account.but(roles=ONLY)

    def _used(self, key: Credential, now: datetime) -> None:
        def change(tables: Tables) -> Written[None]:
            if not tables.credentials.swap(key, key.but(last_used_at=now)):
                return Written(None)  # another request of this day was faster
            return Written(None, (self._entry("identity.key.used", key.account, key),))

        self._ledger.do(change)

    def _made(self, account: str, label: str, holds: timedelta, by: str) -> tuple[Credential, secrets.Fresh]:
        if not timedelta(0) < holds <= LONGEST:
            raise BadInput(f"a key holds for at most {LONGEST.days} days; give a shorter time")
        if len(label) > 128 or not label.isprintable():
            raise BadInput("a key's label has at most 128 printable characters; shorten it")
        now = self._clock.now()
        id = new_id("key", now)
        fresh = secrets.make(secrets.KEY, id)
        key = Credential(
            id=id,
            kind=CredentialKind.KEY,
            account=account,
            label=label,
            hash=fresh.hash,
            made_by=by,
            made_at=now,
            expires_at=now + holds,
        )
        return key, fresh

    def _kept(self, key_id: str) -> Credential:
        key = self._ledger.read(lambda tables: tables.credentials.get(key_id))
        if key is None or key.kind is not CredentialKind.KEY:
            raise NotFound(f"there is no key `{key_id}`; look at the list of keys")
        return key

    @staticmethod
    def _feed(tables: Tables, account: str) -> Principal:
        feed = secrets.living(tables, account)
        if feed is None:
            raise NotFound(f"there is no account `{account}` that works; look at the list of accounts")
        if feed.roles != ONLY:
            raise Conflict(f"the account `{feed.name}` is more than a feed; keys are for accounts with that role alone")
        return feed

    def _entry(self, kind: str, by: str, key: Credential, *refs: str) -> Entry:
        fields = {"label": key.label, "expires_at": key.expires_at.isoformat()}
        now = self._clock.now()
        return Entry(
            kind=kind, actor=by, refs=(key.id, key.account, *refs), fields=fields, event_time=now, tenant=key.tenant
        )


def _with_account(tables: Tables, id: str) -> tuple[Credential | None, Principal | None]:
    key = tables.credentials.get(id)
    if key is None or key.kind is not CredentialKind.KEY:
        return None, None
    return key, secrets.living(tables, key.account)
