"""Laws of earned autonomy that hold for any row of outcomes, and whatever anybody asks for."""

import contextlib
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.autonomy.hands import AutonomyHands
from control_plane.autonomy import record
from control_plane.autonomy.desk import AutonomyDesk
from control_plane.autonomy.standing import level_on
from control_plane.road import Road
from domain.actions import ActionClass, SetAutonomy
from domain.autonomy import GOALS, TERMS, Band, Ground, Level, Standing, standing_id
from domain.clock import ManualClock
from domain.errors import BadInput, NocturneError
from domain.identity import NetworkDomain, Permission, Principal, Role
from policies.permissions import permissions
from stats.anytime import Watch, log_wealth, upper_bound
from tests.stage import make_stage

UNHURRIED = settings(deadline=None)
NOW = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)

counts = st.tuples(st.integers(0, 2_000), st.integers(0, 2_000)).map(lambda pair: (max(pair), min(pair)))
limits = st.floats(0.001, 0.9)
grounds = st.builds(
    Ground,
    agent=st.sampled_from(["agent:provisioning", "agent:oversight"]),
    action=st.sampled_from(ActionClass),
    domain=st.sampled_from(NetworkDomain),
    band=st.sampled_from(Band),
)


def fresh(ground: Ground) -> Standing:
    return Standing(id=standing_id("default", ground.key), ground=ground.key, since=NOW, because="new")


@UNHURRIED
@given(counts)
def test_a_clean_outcome_never_raises_the_bound_and_a_failure_never_lowers_it(pair: tuple[int, int]) -> None:
    outcomes, failures = pair
    bound = upper_bound(outcomes, failures)

    assert upper_bound(outcomes + 1, failures) <= bound + 1e-8
    assert upper_bound(outcomes + 1, failures + 1) >= bound - 1e-8
    assert bound >= failures / max(outcomes, 1) - 1e-8


@UNHURRIED
@given(counts, limits)
def test_the_bet_on_the_next_outcome_is_fair_at_the_limit(pair: tuple[int, int], limit: float) -> None:
    """The wealth expected after the next outcome is what it is now, so nobody gets rich by looking on."""
    outcomes, failures = pair
    now = log_wealth(outcomes, failures, limit)
    failed, clean = log_wealth(outcomes + 1, failures + 1, limit), log_wealth(outcomes + 1, failures, limit)
    expected = limit * 2.718281828459045 ** (failed - now) + (1 - limit) * 2.718281828459045 ** (clean - now)

    assert abs(expected - 1.0) < 1e-6


@UNHURRIED
@given(st.lists(st.booleans(), max_size=60), limits)
def test_the_bet_on_a_rise_is_fair_at_the_limit(failures: list[bool], limit: float) -> None:
    watch = Watch()
    for failure in failures:
        watch = watch.after(failure, limit)
    expected = limit * watch.after(True, limit).e_value + (1 - limit) * watch.after(False, limit).e_value

    assert abs(expected - watch.e_value) <= 1e-6 * max(1.0, watch.e_value)


@UNHURRIED
@given(grounds, st.lists(st.tuples(st.booleans(), st.booleans()), max_size=200))
def test_a_level_stands_only_where_it_was_earned(ground: Ground, story: list[tuple[bool, bool]]) -> None:
    """However failures and people who sign at once follow each other."""
    standing = fresh(ground)
    for failure, alone in story:
        standing = record.counted(standing, failure=failure)
        if why := record.lost(standing, failure=failure, alone=alone):
            standing = record.fallen(standing, why, NOW)
        elif record.earned(standing, ground):
            assert standing.bound <= TERMS[ground.goal].error_limit
            standing = record.raised(standing, ground.goal, "signed", "prop", NOW)
        assert standing.level <= ground.goal
        if failure and alone:
            assert standing.level is Level.ADVISE


@UNHURRIED
@given(grounds)
def test_only_grounds_of_the_network_below_the_wide_band_can_be_earned(ground: Ground) -> None:
    network = {NetworkDomain.RAN, NetworkDomain.TRANSPORT, NetworkDomain.CORE, NetworkDomain.POWER}

    assert (ground.goal > 0) == (ground.domain in network and ground.band is not Band.WIDE)
    assert ground.goal <= GOALS[ground.band]
    assert Ground.parse(ground.key) == ground


@UNHURRIED
@given(st.text(max_size=80))
def test_no_text_but_a_key_names_a_ground(text: str) -> None:
    with contextlib.suppress(BadInput):
        assert Ground.parse(text).key == text


roles = st.frozensets(st.sampled_from(Role), max_size=3)
commands = st.lists(
    st.tuples(st.sampled_from(["waive", "lower", "revoke", "review", "send"]), roles, grounds, st.integers(0, 2)),
    max_size=12,
)


def level_now(road: Road, ground: Ground) -> Level:
    return road.ledger.read(lambda tables: level_on(tables, "default", ground, road.clock.now()))


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(commands)
def test_without_evidence_only_a_waiver_of_somebody_who_may_raises_a_level(story: list[tuple]) -> None:  # type: ignore[type-arg]
    clock = ManualClock(NOW)
    road = make_stage(clock).road
    desk, hands = AutonomyDesk(road), AutonomyHands(road.ledger, clock)
    lent: set[str] = set()
    for number, (name, held, ground, level) in enumerate(story):
        who = Principal(id=f"acc_{number}", name=f"who-{number}", person=f"person {number}", roles=held)
        with contextlib.suppress(NocturneError):
            if name == "waive":
                desk.waive(who, ground.key, level, clock.now() + timedelta(days=1), "because")
                assert Permission.WAIVE in permissions(who)
                lent.add(ground.key)
            elif name == "lower":
                desk.lower(who, ground.key, "because")
                lent.discard(ground.key)
            elif name == "revoke":
                desk.revoke(who, "waiver_1", "because")
            elif name == "review":
                desk.review(who, "rev_1", right=False, because="because")
            else:
                hands.send(
                    f"key{number}", SetAutonomy(target=standing_id("default", ground.key), level=level, previous=0)
                )
        assert level_now(road, ground) is Level.ADVISE or ground.key in lent
