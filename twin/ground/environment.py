"""The training ground as a gymnasium environment, `nocturne/Steering-v0`; import this module to register it.

An observation is the table of what is on offer, one row per action, padded with zeros; what may be done is in
`info["action_mask"]` and `action_masks()` (the convention of sb3-contrib). An action that the mask forbids changes
nothing and costs what a move costs. `info["trace"]` is a SHA-256 over everything that happened; the same seed and
actions give the same one. Nothing outside the environment is read or written.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from domain.errors import BadInput
from twin.ground.candidates import FEATURES, LIMIT, ROWS, Rows
from twin.ground.episode import MOVES, PRICE, Course, Episode
from twin.ground.places import NETWORKS, Split
from twin.ground.scenarios import Scenario, any_of, drawn
from twin.topology import Flags

ID = "nocturne/Steering-v0"


class SteeringEnv(gymnasium.Env[Rows, np.int64]):
    """See the module. Actions are rows of the table; action 0 stops."""

    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 1}

    def __init__(self, split: Split = "learn", limit: int = MOVES, render_mode: str | None = None) -> None:
        """Draw scenarios from one split.

        Args:
            split: `learn`, `tune` or `unseen`; see `twin.ground.places`.
            limit: the most moves of an episode.
            render_mode: "ansi" for a line of text, or None.

        Raises:
            BadInput: there is no such split, or no move is allowed.
        """
        if split not in NETWORKS or limit < 1:
            raise BadInput(
                f"there is no split `{split}` with {limit} moves; choose of {', '.join(NETWORKS)}, 1 or more"
            )
        self.split, self.limit, self.render_mode = split, limit, render_mode
        self.observation_space = spaces.Box(-LIMIT, LIMIT, (ROWS, len(FEATURES)), np.float32)
        self.action_space = spaces.Discrete(ROWS)
        self._scenario: Scenario | None = None
        self._episode: Episode | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Rows, dict[str, Any]]:
        """Begin an episode: of `options["scenario"]` where it is given, else of one that is drawn."""
        super().reset(seed=seed)
        self._scenario = (options or {}).get("scenario") or any_of(self.split, self.np_random)
        happened = drawn(self._scenario)
        self._episode = Episode(Course(happened.snapshot, happened.closed), self.limit)
        return self._seen(), self._info()

    def step(self, action: np.int64) -> tuple[Rows, float, bool, bool, dict[str, Any]]:
        """Make a move; truncated when the limit is reached, terminated when the action is to stop.

        Raises:
            BadInput: the episode has not begun, or is over.
        """
        episode = self._running()
        if episode.over:
            raise BadInput("the episode is over; reset the environment")
        row, forbidden = int(action), not self.action_masks()[action]
        reward = -PRICE if forbidden else episode.take(row)
        if forbidden:
            episode.waste()
        stopped = row == 0
        return self._seen(), reward, stopped, episode.over and not stopped, self._info(forbidden=forbidden)

    def action_masks(self) -> Flags:
        """Return (ROWS,) which actions the shield lets through now; padding never is."""
        mask = np.zeros(ROWS, np.bool_)
        allowed = self._running().table.allowed
        mask[: len(allowed)] = allowed
        return mask

    def render(self) -> str | None:
        """Return a line on where the episode stands, in mode "ansi"."""
        if self.render_mode != "ansi":
            return None
        episode = self._running()
        return f"{self._scenario}: fullest link {episode.before:.1%} before, {episode.worst:.1%} now"

    @property
    def episode(self) -> Episode:
        """The episode in progress. Raises BadInput before the first reset."""
        return self._running()

    def _running(self) -> Episode:
        if self._episode is None:
            raise BadInput("no episode has begun; reset the environment first")
        return self._episode

    def _seen(self) -> Rows:
        rows = np.zeros((ROWS, len(FEATURES)), np.float32)
        features = self._running().table.features
        rows[: len(features)] = features
        return rows

    def _info(self, *, forbidden: bool = False) -> dict[str, Any]:
        episode, scenario = self._running(), self._scenario
        assert scenario is not None
        return {
            "action_mask": self.action_masks(),
            "forbidden": forbidden,
            "network": scenario.network,
            "hour": scenario.hour,
            "trouble": scenario.trouble.value,
            "before": episode.before,
            "reached": episode.reached,
            "trace": episode.trace,
        }


if ID not in gymnasium.registry:
    gymnasium.register(ID, entry_point="twin.ground.environment:SteeringEnv")
