import re
from pathlib import Path

import pytest

from adapters.identity.local import LocalIssuer
from adapters.memory import MemoryLedger
from adapters.store.ledger import SqlLedger
from domain.clock import ManualClock
from domain.errors import BadInput, Conflict, NotAuthenticated, NotFound
from domain.identity import Role


def test_a_token_leads_to_its_account(issuer: LocalIssuer) -> None:
    ana, ana_token = issuer.issue("ana", {Role.APPROVER, Role.VIEWER}, "Ana")
    feed, feed_token = issuer.issue("feed", [Role.FEED])

    assert issuer.authenticate(ana_token) == ana
    assert issuer.authenticate(feed_token) == feed
    assert (ana.name, ana.person, ana.roles) == ("ana", "Ana", {Role.APPROVER, Role.VIEWER})
    assert issuer.named("feed") == feed
    assert issuer.named("nobody") is None


def test_a_token_has_256_random_bits_and_names_its_account(issuer: LocalIssuer) -> None:
    tokens = [issuer.issue(f"account {n}", [Role.VIEWER]) for n in range(50)]

    for account, token in tokens:
        assert re.fullmatch(rf"nct_{account.id}_[A-Za-z0-9_-]{{43}}", token)
        assert issuer.authenticate(token) == account
    assert len({token[-43:] for _, token in tokens}) == 50


def test_every_other_text_is_refused_in_the_same_words(issuer: LocalIssuer) -> None:
    account, token = issuer.issue("ana", [Role.VIEWER])
    other, _ = issuer.issue("approver_b", [Role.VIEWER])
    secret = token[-43:]
    wrong = [
        "",
        "nct_",
        secret,
        token[:-1],
        token + "A",
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token.upper(),
        f"nct_{other.id}_{secret}",
        f"nct_{account.id}{secret}",
        f"nct__{secret}",
        f"nct_acc_unknown_{secret}",
        token.replace("nct_", "NCT_"),
        f"{token}\n",
        f"nct_{'x' * 10_000}_{secret}",
        f"nct_ü\ud800_{secret}",
    ]

    reasons = set()
    for text in wrong:
        with pytest.raises(NotAuthenticated) as refused:
            issuer.authenticate(text)
        reasons.add(refused.value.reason)
    assert len(reasons) == 1
    assert secret not in reasons.pop()


def test_a_revoked_token_ends_and_a_renewed_one_works(issuer: LocalIssuer) -> None:
    account, first = issuer.issue("ana", [Role.VIEWER])

    second = issuer.renew(account.id)
    with pytest.raises(NotAuthenticated):
        issuer.authenticate(first)
    assert issuer.authenticate(second) == account

    issuer.revoke(account.id)
    with pytest.raises(NotAuthenticated):
        issuer.authenticate(second)
    assert issuer.authenticate(issuer.renew(account.id)) == account


def test_an_unknown_account_cannot_be_revoked(issuer: LocalIssuer) -> None:
    with pytest.raises(NotFound, match="acc_1"):
        issuer.revoke("acc_1")


def test_a_name_is_given_once(issuer: LocalIssuer, ledger: MemoryLedger) -> None:
    issuer.issue("ana", [Role.VIEWER])

    with pytest.raises(Conflict, match="`ana`"):
        issuer.issue("ana", [Role.APPROVER], "Ana")
    assert ledger.read(lambda tables: (tables.principals.count(), tables.secrets.count())) == (1, 1)


@pytest.mark.parametrize(
    ("name", "roles", "person"),
    [
        ("", [Role.VIEWER], ""),
        ("x" * 129, [Role.VIEWER], ""),
        ("two\nlines", [Role.VIEWER], ""),
        ("nothing", [], ""),
        ("agent:x", [Role.AGENT, Role.APPROVER], "Ana"),
        ("faceless", [Role.APPROVER], ""),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(
    issuer: LocalIssuer, ledger: MemoryLedger, name: str, roles: list[Role], person: str
) -> None:
    with pytest.raises(BadInput):
        issuer.issue(name, roles, person)
    assert ledger.records() == []


def test_accounts_are_recorded_and_secrets_are_kept_nowhere(tmp_path: Path, clock: ManualClock) -> None:
    ledger = SqlLedger(tmp_path / "nocturne.db", clock)
    issuer = LocalIssuer(ledger, clock)
    account, first = issuer.issue("ana", [Role.VIEWER, Role.APPROVER], "Ana", by="root")
    second = issuer.renew(account.id)
    issuer.revoke(account.id)

    records = ledger.records(ref=account.id)
    ledger.close()
    everything = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert [record.kind.rpartition(".")[2] for record in records] == ["issued", "renewed", "revoked"]
    assert records[0].actor == "root"
    assert records[0].fields["roles"].value == ["approver", "viewer"]
    assert account.id.encode() in everything
    assert first[-43:].encode() not in everything
    assert second[-43:].encode() not in everything


def test_an_account_that_acts_for_another_ends_with_it_and_follows_its_changes(issuer: LocalIssuer) -> None:
    ana, _ = issuer.issue("ana", {Role.OPERATOR}, "Ana")
    helper, token = issuer.issue("helper", {Role.AGENT}, behind=ana.id)

    assert issuer.authenticate(token).chain == ("helper", "ana")
    assert helper.behind == ana
    issuer.revoke(ana.id)
    with pytest.raises(NotAuthenticated):
        issuer.authenticate(token)
    issuer.renew(ana.id)
    assert issuer.authenticate(token).behind == ana


def test_nobody_acts_for_an_account_of_another_tenant_or_for_none(issuer: LocalIssuer) -> None:
    ana, _ = issuer.issue("ana", {Role.OPERATOR}, "Ana", tenant="north")
    for behind in (ana.id, "acc_nobody"):
        with pytest.raises(NotFound, match="act for"):
            issuer.issue("helper", {Role.AGENT}, behind=behind)


def test_no_agent_has_a_role_that_signs(issuer: LocalIssuer) -> None:
    for role in (Role.APPROVER, Role.ENGINEER, Role.CHANGE_MANAGER, Role.ML_ENGINEER, Role.AUDITOR):
        with pytest.raises(BadInput, match="agent"):
            issuer.issue("helper", {Role.AGENT, role}, "Ana")
