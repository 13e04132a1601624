"""The environment keeps gymnasium's conventions, its masks keep the shield's word, and the same seed gives the same."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from domain.errors import BadInput
from twin.ground.checks import violations
from twin.ground.environment import ID, SteeringEnv
from twin.ground.places import HOURS, NETWORKS
from twin.ground.scenarios import Scenario, Trouble, drawn

SCENARIO = Scenario("topozoo/Sprint", 18, Trouble.LINK, 1)


def play(env: SteeringEnv, seed: int, scenario: Scenario | None = None) -> list[str]:
    """Play by chance within the mask; return the traces."""
    rng = np.random.default_rng(seed)
    options = {"scenario": scenario} if scenario else None
    _, info = env.reset(seed=seed, options=options)
    traces, over = [info["trace"]], False
    while not over:
        action = rng.choice(np.flatnonzero(info["action_mask"]))
        _, _, stopped, out_of_moves, info = env.step(action)
        traces.append(info["trace"])
        over = stopped or out_of_moves
    return traces


@pytest.mark.filterwarnings("error")
def test_the_checker_of_gymnasium_finds_nothing() -> None:
    env = gymnasium.make(ID, split="tune", limit=3, disable_env_checker=True).unwrapped

    check_env(env)


def test_the_same_seed_gives_the_same_trace_and_another_seed_another() -> None:
    first, again = (play(SteeringEnv("learn", 3), 5) for _ in range(2))

    assert first == again
    assert len(set(first)) == len(first)
    assert play(SteeringEnv("learn", 3), 6)[0] != first[0]


def test_an_environment_stays_in_its_split() -> None:
    env = SteeringEnv("tune", 1)

    for seed in range(4):
        _, info = env.reset(seed=seed)
        assert info["network"] in NETWORKS["tune"]
        assert info["hour"] in HOURS["tune"]


def test_the_reward_is_what_a_move_takes_off_the_worst_link_less_its_price() -> None:
    env = SteeringEnv("learn", 1)
    _, info = env.reset(seed=1, options={"scenario": SCENARIO})
    before = info["before"]

    action = 1 + int(env.episode.table.after[1:].argmin())
    _, reward, _, _, info = env.step(np.int64(action))

    assert info["reached"] < before
    assert reward == pytest.approx(np.log(before / info["reached"]) - 0.002)


def test_to_stop_ends_the_episode_and_costs_nothing() -> None:
    env = SteeringEnv("learn", 3)
    env.reset(seed=1, options={"scenario": SCENARIO})

    _, reward, stopped, out_of_moves, info = env.step(np.int64(0))

    assert (reward, stopped, out_of_moves, info["reached"]) == (0.0, True, False, info["before"])
    with pytest.raises(BadInput, match="reset the environment"):
        env.step(np.int64(0))


def test_an_action_that_the_mask_forbids_changes_nothing_and_costs_a_move() -> None:
    env = SteeringEnv("learn", 2)
    _, info = env.reset(seed=1, options={"scenario": SCENARIO})
    forbidden = np.int64(np.flatnonzero(~info["action_mask"])[-1])

    _, reward, _, out_of_moves, info = env.step(forbidden)

    assert info["forbidden"]
    assert (reward, out_of_moves, info["reached"]) == (-0.002, False, info["before"])
    assert env.episode.moves == ()
    assert env.step(forbidden)[3]


def test_nothing_that_the_mask_allows_violates_what_the_shield_promises() -> None:
    scenarios = [
        Scenario("topozoo/Aconet", 18, Trouble.SURGE, 3),
        Scenario("operator/101", 18, Trouble.SHARED_RISK, 1),
    ]
    tried = 0
    for scenario in scenarios:
        happened, env = drawn(scenario), SteeringEnv("learn", 2)
        _, info = env.reset(options={"scenario": scenario})
        for action in np.flatnonzero(info["action_mask"])[1:]:
            env.reset(options={"scenario": scenario})
            env.step(action)
            assert violations(happened.snapshot, env.episode.moves, happened.closed) == ()
            tried += 1
    assert tried > 15


def test_what_is_asked_before_the_first_reset_or_of_no_split_is_refused() -> None:
    with pytest.raises(BadInput, match="reset the environment first"):
        SteeringEnv("learn").action_masks()
    with pytest.raises(BadInput, match="no split `all`"):
        SteeringEnv("all")  # type: ignore[arg-type]
