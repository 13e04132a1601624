"""The hidden side of the plant, for demos, tests and benches: make a fault, and learn afterwards what was true."""

from typing import Any

from adapters.network.emulated.client import Door
from domain.actions import Action
from domain.diagnosis import FaultKind


class Umpire:
    """Speaks to a plant with the umpire's token. The product never has one."""

    def __init__(self, url: str, token: str, *, timeout_s: float = 10.0) -> None:
        self._door = Door(url, timeout_s=timeout_s, headers={"X-Umpire-Token": token})

    def choose_fault(self, seed: int, kind: FaultKind | str | None = None) -> tuple[FaultKind, str]:
        """Return a kind and an element for `inject`: visible, mostly repairable, the same for the same seed.

        Raises:
            Refused: the network has nothing that could break so.
        """
        path = "/umpire/choose"
        drawn = self._door.get(path, seed=seed) if kind is None else self._door.get(path, seed=seed, kind=str(kind))
        return FaultKind(drawn["kind"]), str(drawn["element"])

    def inject(
        self,
        kind: FaultKind | str,
        element: str | None = None,
        *,
        self_heals_after: float | None = None,
        executor: str = "honest",
        size: float | None = None,
    ) -> None:
        """Let a fault begin.

        Args:
            kind: what goes wrong.
            element: where; None draws one.
            self_heals_after: seconds after which it ends by itself.
            executor: `lying` lets all executors say "done" and do nothing while this fault stands.
            size: share lost (`link_degraded`) or factor (`congestion`); None draws or works it out.

        Raises:
            Refused: the fault cannot befall this element, or did already.
        """
        self._door.post(
            "/umpire/inject",
            kind=str(kind),
            element=element,
            self_heals_after=self_heals_after,
            executor=executor,
            size=size,
        )

    def truth(self) -> list[dict[str, Any]]:
        """Return every fault there was: element, fault, at, healed_at, by, size, grey and executor.

        `healed_at` is None while it stands; `by` is `itself`, `crew`, `calm` or the key of the action.
        """
        faults: list[dict[str, Any]] = self._door.get("/umpire/truth")["faults"]
        return faults

    def journal(self) -> list[dict[str, Any]]:
        """Return every effect that really happened: key, action, target, at, changed, arguments."""
        lines: list[dict[str, Any]] = self._door.get("/umpire/journal")["lines"]
        return lines

    def advance(self, seconds: float) -> None:
        """Let time pass on a driven plant: everything that falls due happens at its moment, in order.

        Raises:
            Refused: the plant lives by the machine's clock, or `seconds` is no span of up to an hour.
        """
        self._door.post("/umpire/advance", seconds=seconds)

    def suffering(self) -> dict[str, Any]:
        """Return what really suffers now; looking changes nothing.

        `cells` that do not serve, `demands` that lose more than 1 % (each `demand`, `mbps` offered and the share
        `lost`), `customers` of the services that rest on either, and `lost_mbps` of all demands.
        """
        found: dict[str, Any] = self._door.get("/umpire/suffering")
        return found

    def calm(self) -> None:
        """End every fault."""
        self._door.post("/umpire/calm")

    def by_hand(self, key: str, action: Action) -> None:
        """Have somebody at the devices do this, past the house: as after a crew's work, when a drain is taken back.

        Raises:
            Refused: no device does it.
        """
        self._door.post("/send", key=key, action=action.model_dump(mode="json"))

    def lose_answers(self, count: int = 1) -> None:
        """Let the answers of the next `count` accepted actions get lost: they are done, and nobody hears of it."""
        self._door.post("/umpire/lose-answers", count=count)

    def close(self) -> None:
        """Let go of the connections."""
        self._door.close()
