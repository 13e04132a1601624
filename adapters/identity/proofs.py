"""Fresh proofs: who shows the account's token once more gets a secret of a few minutes (`ncf_…`) that says so.

What can hurt badly asks for one (breaking glass), so that a session left open, or a script that forwards somebody's
requests, is not enough. The local issuer has no second factor, so the proof is as good as the token is kept. With an
identity provider the moment of the last login comes from there (`auth_time`), with whatever factors it asks for.
"""

from datetime import timedelta

from adapters.identity import secrets
from adapters.identity.local import UNKNOWN, LocalIssuer
from control_plane.ports import Ledger, Written
from control_plane.tables import Tables
from domain.clock import Clock
from domain.credentials import Credential, CredentialKind
from domain.errors import NotAuthenticated
from domain.identity import Principal
from domain.ids import new_id
from domain.records import Entry

HOLDS = timedelta(minutes=5)


class FreshProofs:
    """Exchanges an account's token for a proof, and recognises proofs."""

    def __init__(self, local: LocalIssuer, ledger: Ledger, clock: Clock) -> None:
        self._local = local
        self._ledger = ledger
        self._clock = clock

    def prove(self, who: Principal, token: str) -> tuple[Credential, str]:
        """Return a proof that `who` is here now.

        Raises:
            NotAuthenticated: the token is not this account's.
        """
        account = self._local.authenticate(token)
        if account.id != who.id:
            raise NotAuthenticated(UNKNOWN)
        now = self._clock.now()
        id = new_id("proof", now)
        fresh = secrets.make(secrets.PROOF, id)
        proof = Credential(
            id=id,
            tenant=account.tenant,
            kind=CredentialKind.PROOF,
            account=account.id,
            hash=fresh.hash,
            made_by=account.name,
            made_at=now,
            expires_at=now + HOLDS,
        )

        def change(tables: Tables) -> Written[Credential]:
            tables.credentials.add(proof)
            refs = (proof.id, account.id)
            made = Entry(
                kind="identity.account.proved", actor=account.name, refs=refs, event_time=now, tenant=account.tenant
            )
            return Written(proof, (made,))

        return self._ledger.do(change), fresh.text

    def authenticate(self, text: str) -> Principal:
        """Return the account whose proof this is, with the moment of it. Raises NotAuthenticated."""
        id, presented = secrets.parts(secrets.PROOF, text)
        proof, account = self._ledger.read(lambda tables: _with_account(tables, id))
        right = secrets.matches(presented, proof.hash if proof else None)
        if not right or proof is None or account is None or not proof.holds(self._clock.now()):
            raise NotAuthenticated(UNKNOWN)
        return account.but(authenticated_at=proof.made_at)


def _with_account(tables: Tables, id: str) -> tuple[Credential | None, Principal | None]:
    proof = tables.credentials.get(id)
    if proof is None or proof.kind is not CredentialKind.PROOF:
        return None, None
    token = tables.secrets.get(proof.account)
    if token is None or token.made_at > proof.made_at:
        return None, None  # whoever renews a token that leaked ends the proofs that were had with it
    return proof, secrets.living(tables, proof.account)
