"""The demo's story over many seeds and networks: what was diagnosed, how it ended, and whether that was honest.

    python -m tests.scenarios.matrix [--seeds 10] [--networks SPEC …] [--stories any …] [--reports FILE]

One row per run. A hit in the column `1` or `3` names the injected element itself among the first one or three
causes; `~` also takes the other end of its link, or the link for an end of it. The totals stand beside those of the
baselines. The run fails when an executor that lies ended as `restored`, a fault that heals by itself did not end as
`not_ours`, or an audit did not verify.
"""

from api.threads import limit_threads

limit_threads()

import argparse  # noqa: E402  # numpy must not come in before the line above
import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterable, Iterator, Sequence  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from api import demo  # noqa: E402
from api.networks import inventory_of  # noqa: E402
from domain.incidents import Resolution  # noqa: E402
from domain.network import Inventory  # noqa: E402

NETWORKS = ("topohub:topozoo/Abilene", "topohub:backbone/europe", "generated:200")
_HEADER = (
    f"{'network':<26}{'seed':>4}  {'story':<12} {'fault':<17} {'element':<30} 1 3 ~  {'outcome':<12} audit  {'s':>4}"
)


@dataclass(frozen=True)
class Run:
    """One story and what can be said of it. `ranked` are the diagnosed elements, the likeliest first."""

    network: str
    seed: int
    story: str
    fault: str
    element: str
    ranked: tuple[str, ...]
    relaxed: frozenset[str]
    baselines: dict[str, tuple[str, ...]]
    outcome: str
    verified: bool
    seconds: float

    @property
    def faults(self) -> list[str]:
        """What must never be: the reasons why this run fails the matrix."""
        checks = {
            "a lying executor ended as restored": self.story != "lying" or self.outcome != Resolution.RESTORED,
            f"a fault that healed by itself ended as {self.outcome}": self.story != "self-healing"
            or self.outcome == Resolution.NOT_OURS,
            "the audit does not verify": self.verified,
        }
        return [reason for reason, holds in checks.items() if not holds]

    def hit(self, most: int, ranked: Sequence[str] | None = None) -> bool:
        """Say whether the injected element is among the first `most`."""
        return self.element in (self.ranked if ranked is None else ranked)[:most]

    def near_hit(self, most: int) -> bool:
        """Say whether the injected element, the other end of its link or the link is among the first `most`."""
        return bool(self.relaxed.intersection(self.ranked[:most]))

    def row(self) -> str:
        marks = ["x" if hit else "." for hit in (self.hit(1), self.hit(3), self.near_hit(1))]
        audit = "ok" if self.verified else "BAD"
        return (
            f"{self.network:<26}{self.seed:>4}  {self.story:<12} {self.fault:<17} {self.element[:30]:<30} "
            f"{' '.join(marks)}  {self.outcome:<12} {audit:<5} {self.seconds:>5.1f}"
        )


@dataclass
class Totals:
    """Counts over runs, ours beside the baselines'."""

    runs: list[Run] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        count = len(self.runs)
        yield f"{'nocturne':<20} top-1 {self._share(1)}  top-3 {self._share(3)}  top-1 relaxed {self._near(1)}"
        for name in sorted({name for run in self.runs for name in run.baselines}):
            yield f"{name:<20} top-1 {self._share(1, name)}  top-3 {self._share(3, name)}"
        outcomes = [f"{run.story} → {run.outcome}" for run in self.runs]
        for ending in sorted(set(outcomes)):
            yield f"{ending:<36} {outcomes.count(ending):>3} of {count}"

    def _share(self, most: int, baseline: str = "") -> str:
        hits = sum(run.hit(most, run.baselines.get(baseline, ()) if baseline else None) for run in self.runs)
        return f"{hits:>3}/{len(self.runs)}"

    def _near(self, most: int) -> str:
        return f"{sum(run.near_hit(most) for run in self.runs):>3}/{len(self.runs)}"


def play(network: str, seed: int, story: str = "any") -> tuple[Run, dict[str, Any]]:
    """Play one story; return what can be said of it, and the whole report."""
    started = time.monotonic()
    report = demo.run(network=network, seed=seed, story=story)
    return told(report, inventory_of(network, seed), time.monotonic() - started), report


def told(report: dict[str, Any], inventory: Inventory, seconds: float) -> Run:
    """Return what can be said of a report."""
    truth, diagnosis = report["injected"][0], report["diagnosis"] or {"ranked": [], "baselines": {}}
    return Run(
        network=report["network"],
        seed=report["seed"],
        story=report["story"],
        fault=truth["fault"],
        element=truth["element"],
        ranked=tuple(cause["element"] for cause in diagnosis["ranked"]),
        relaxed=_same_link(inventory, truth["element"]),
        baselines={name: tuple(ranked) for name, ranked in diagnosis["baselines"].items()},
        outcome=report["outcome"],
        verified=report["audit"]["verified"],
        seconds=seconds,
    )


def _same_link(inventory: Inventory, element: str) -> frozenset[str]:
    """Return the element with the other names of its link: the link itself and both ends of it."""
    for link in inventory.links:
        names = (link.id, link.source, link.destination)
        if element in names:
            return frozenset(names)
    return frozenset({element})


def perform(networks: Iterable[str], seeds: Iterable[int], stories: Sequence[str], reports: Path | None) -> list[Run]:
    """Play every combination, printing a row for each."""
    runs = []
    _say(_HEADER)
    for network in networks:
        for seed in seeds:
            for story in stories:
                run, report = play(network, seed, story)
                runs.append(run)
                _say("  ".join([run.row(), *run.faults]))
                if reports is not None:
                    with reports.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(report) + "\n")
    return runs


def main() -> int:
    """Run the matrix; return 1 when a run ended as none may."""
    parser = argparse.ArgumentParser(description="The demo's story over seeds and networks.")
    parser.add_argument("--seeds", type=int, default=10, help="how many, from 1 on")
    parser.add_argument("--networks", nargs="+", default=NETWORKS, metavar="SPEC")
    parser.add_argument("--stories", nargs="+", default=("any",), choices=(*demo.STORIES, "any"))
    parser.add_argument("--reports", type=Path, help="append every whole report to this file, one JSON per line")
    asked = parser.parse_args()
    runs = perform(asked.networks, range(1, asked.seeds + 1), asked.stories, asked.reports)
    _say("")
    for line in Totals(runs).lines():
        _say(line)
    bad = [run for run in runs if run.faults]
    for run in bad:
        _say(f"FAILED: {run.network} seed {run.seed}: {'; '.join(run.faults)}")
    return 1 if bad else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
