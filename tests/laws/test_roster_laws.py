"""Laws of the roster: whoever comes and goes, nothing that is pending is forgotten, and nobody gains a right by it."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.roster.holding import IN_CHARGE, Held, Kind, Matter, Watcher, change_watch, hold, ladder
from domain.identity import Role, Scope

START = datetime(2026, 1, 12, tzinfo=UTC)
REGIONS = ("north", "south", "west")
DOMAINS = ("ran", "transport", "core")
SIGNING = (Role.APPROVER, Role.ENGINEER, Role.CHANGE_MANAGER, Role.ML_ENGINEER)
ROLES = (*SIGNING, Role.OPERATOR, Role.TENANT_OWNER)
SHARE = 0.25


def drawn_watcher(rng: np.random.Generator, number: int) -> Watcher:
    regions = frozenset({"*"}) if rng.random() < 0.3 else frozenset(rng.choice(REGIONS, 2).tolist())
    domains = frozenset({"*"}) if rng.random() < 0.3 else frozenset(rng.choice(DOMAINS, 2).tolist())
    person = f"person{number % 17}"
    role = ROLES[int(rng.integers(len(ROLES)))]
    return Watcher(f"account{number}", person, role, int(rng.integers(1, 4)), Scope(regions=regions, domains=domains))


def drawn_matter(rng: np.random.Generator, number: int, now: datetime) -> Matter:
    until = now + timedelta(seconds=float(rng.uniform(60, 7200))) if rng.random() < 0.8 else None
    regions = tuple(dict.fromkeys(rng.choice(REGIONS, int(rng.integers(1, 3))).tolist()))
    barred = frozenset({f"person{int(rng.integers(17))}"})
    role = SIGNING[int(rng.integers(len(SIGNING)))]
    domains = (str(rng.choice(DOMAINS)),)
    return Matter(f"prop_{number}", Kind.DECIDE, (role,), regions, domains, "a plan", now, until, barred)


def looked_after(held: Held, watch: list[Watcher]) -> bool:
    """Somebody who is on call has it, or it is escalated to whoever keeps the roster: one of the two, always."""
    return bool(held.by) != held.escalated and set(held.by) <= set(watch)


def test_in_ten_thousand_changes_of_shift_no_request_is_orphaned(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = [drawn_watcher(rng, n) for n in range(60)]
    now, watch, matters, born = START, people[:6], [], 0
    handed = orphaned = escalated = 0
    for _change in range(10_000):
        now += timedelta(seconds=float(rng.exponential(120)))
        matters = [m for m in matters if (m.until is None or now < m.until) and rng.random() > 0.4]
        for _ in range(int(rng.integers(0, 3))):
            born += 1
            matters.append(drawn_matter(rng, born, now))
        before = list(watch)
        watch = [w for w in watch if rng.random() > 0.3] + [
            people[number] for number in rng.integers(0, len(people), int(rng.integers(0, 3)))
        ]
        moves = change_watch(matters, before, watch, now, SHARE)
        told = {(id, account) for account, ids in moves.moved.items() for id in ids}
        for matter in matters:
            held = hold(matter, watch, now, SHARE)
            then = {w.account for w in hold(matter, before, now, SHARE).by}
            new = {w.account for w in held.by} - then
            orphaned += not looked_after(held, watch) or (held.escalated and matter.id not in moves.escalated)
            orphaned += any((matter.id, account) not in told for account in new)
        handed += len(told)
        escalated += len(moves.escalated)

    assert orphaned == 0
    assert min(handed, escalated) > 1000  # so that both happened, often


def test_nobody_is_handed_what_they_may_not_act_on(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = [drawn_watcher(rng, n) for n in range(200)]
    for round in range(1000):
        before, after = ([people[n] for n in rng.integers(0, len(people), 5)] for _ in range(2))
        matters = [drawn_matter(rng, n, START) for n in range(5)]
        moves = change_watch(matters, before, after, START + timedelta(seconds=round), SHARE)
        by_account = {w.account: w for w in after}
        for account, ids in moves.moved.items():
            watcher = by_account[account]
            for matter in (m for m in matters if m.id in ids):
                assert all(watcher.scope.covers(region=region) for region in matter.regions)
                assert all(watcher.scope.covers(region="", domain=domain) for domain in matter.domains)
                assert watcher.role in {role for rung in ladder(matter.roles) for role in rung.roles}
                assert watcher.role not in matter.roles or watcher.person not in matter.barred


@given(st.integers(0, 2**32 - 1), st.floats(0, 7200), st.floats(0, 7200))
@settings(max_examples=200)
def test_time_only_ever_adds_people(seed: int, earlier: float, later: float) -> None:
    rng = np.random.default_rng(seed)
    watch = [drawn_watcher(rng, n) for n in range(8)]
    matter = drawn_matter(rng, 1, START)
    first, second = sorted((earlier, later))

    then = hold(matter, watch, START + timedelta(seconds=first), SHARE)
    now = hold(matter, watch, START + timedelta(seconds=second), SHARE)

    assert then.rung <= now.rung
    assert {w.account for w in then.by} <= {w.account for w in now.by}


@given(st.sampled_from(SIGNING))
def test_every_ladder_ends_with_who_is_in_charge(role: Role) -> None:
    assert ladder((role,))[-1].roles == (IN_CHARGE,)
