"""A house over real routers: the FRR lab, the smoke test that plays one incident on it, and serving over it.

The mistake is made from the lab's side, on the router itself; what the house knows of it is what the routers say.
"""

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

from adapters.network.lab import plan as plans
from adapters.network.lab.launcher import RunningLab, running_labs, start_lab
from adapters.network.routers.access import Access
from adapters.network.routers.network import RoutersNetwork
from adapters.network.routers.vty import Vty
from api import settings as house_settings
from api.bootstrap import House, build
from api.demo_host import CAST, clear_stage
from api.identities import IDENTITIES, write_identities
from api.performance import Performance, Tell
from api.settings import Settings
from domain.diagnosis import FaultKind
from domain.errors import BadInput, NotFound
from domain.measurements import Metric

PERIOD_S = 0.5
_AFTER_S = 2.0
_SECONDS = ("start", "converge", "baseline")


def run(*, name: str = "smoke", tell: Tell | None = None, limit_s: float = 60.0) -> dict[str, Any]:
    """Play one incident on a lab to its end and return the report.

    Args:
        name: of the lab.
        tell: told of each step (its name, what happened), for progress.
        limit_s: after this time the run is given up as `unresolved`.

    Returns:
        The report of a demo (see `api.demo.run`), and `lab`: `routers`, `timers`, `seconds` (start, converge,
        baseline), `fault_to_verified_s` (None unless it was verified), and `loss`: per demand the share of pings
        lost before, during and after.

    Raises:
        Unavailable: no lab can run here; the reason says what is missing.
    """
    tell = tell or (lambda _step, _text: None)
    plan = plans.named(name)
    with tempfile.TemporaryDirectory(prefix="nocturne-smoke-") as folder, start_lab(plan) as lab:
        tell("lab", f"{len(plan.routers)} FRR routers run; OSPF: {plan.timers}")
        settings = house_settings.load(
            data=Path(folder), database="", network=f"lab:{name}", sampling_period_s=PERIOD_S
        )
        with _house(settings, lab) as (house, seconds):
            tell("lab", ", ".join(f"{step} {seconds[step]:.1f} s" for step in _SECONDS))
            return _perform(house, lab, seconds, tell, limit_s)


@contextlib.contextmanager
def served_house(settings: Settings) -> Iterator[House]:
    """Start the lab that the settings name and a house over it, with identities for its people; end both.

    Raises:
        Unavailable: no lab can run here.
        Conflict: the data folder is in use, or holds the data of a real network.
    """
    plan = plans.named(settings.network.partition(":")[2])
    clear_stage(settings.data)
    settings = settings.model_copy(update={"sampling_period_s": PERIOD_S})
    with start_lab(plan) as lab, _house(settings, lab) as (house, _seconds):
        tokens = {name: house.issuer.issue(name, {role}, person)[1] for name, role, person in CAST}
        write_identities(settings.data / IDENTITIES, tokens)
        sys.stdout.write(_welcome(settings, lab))
        sys.stdout.flush()
        try:
            yield house
        finally:
            (settings.data / IDENTITIES).unlink(missing_ok=True)


def _welcome(settings: Settings, lab: RunningLab) -> str:
    option = "" if settings.data == Path("var") else f" --data {settings.data}"
    return f"""
Nocturne runs at {settings.url} (its API: {settings.url}/docs), over {len(lab.plan.routers)} FRR routers.
OSPF: {lab.plan.timers}
Tokens of its people are in {settings.data / IDENTITIES}.

  nocturne lab break r1 eth-r2                  shut an interface, as a mistaken hand would
  nocturne inbox{option}                        what waits for you
  nocturne approve ID --because "…"{option}     say yes
  nocturne lab mend r1 eth-r2                   open it by hand instead

Ctrl-C ends it all.
"""


def configure(router: str, lines: list[str], lab: str | None = None) -> None:
    """Configure a router of a lab that runs here, as somebody at its command line would.

    Raises:
        NotFound: no lab runs here, or not this one, or it has no such router or interface.
        BadInput: several labs run here, and none is named.
        Refused: the router does not take the lines.
        Unavailable: it does not answer.
    """
    labs = running_labs()
    if not labs:
        raise NotFound("no lab runs here; start one with `nocturne serve --network lab:smoke`")
    if lab is None and len(labs) > 1:
        raise BadInput(f"several labs run here: {', '.join(labs)}; say which one with --lab")
    if lab is not None and lab not in labs:
        raise NotFound(f"there is no lab `{lab[:40]}`; here run {', '.join(labs)}")
    routers = {access.name: access for access in labs[lab or next(iter(labs))].routers}
    if router not in routers:
        raise NotFound(f"the lab has no router `{router[:40]}`; its routers are {', '.join(routers)}")
    _sure(routers[router], lines)


def _sure(access: Access, lines: list[str]) -> None:
    """Check lines before they are carried out: a mistyped name of an interface would make a new one."""
    vty = Vty(access)
    interfaces = vty.show("show interface json", daemon="zebra")[0]
    wanted = [line.removeprefix("interface ") for line in lines if line.startswith("interface ")]
    if unknown := [name for name in wanted if name not in interfaces]:
        known = ", ".join(sorted(interfaces))
        raise NotFound(f"{access.name} has no interface `{unknown[0][:40]}`; its interfaces are {known}")
    vty.check(lines)
    vty.configure(lines)


@contextlib.contextmanager
def _house(settings: Settings, lab: RunningLab) -> Iterator[tuple[House, dict[str, float]]]:
    """Yield a started house over a lab that was watched long enough to know what is usual, and how long it all took."""
    began = time.monotonic()
    with RoutersNetwork(lab.reach, period_s=settings.sampling_period_s) as network:
        network.warm_up()
        house = build(settings, network)
        try:
            house.start()
            yield house, lab.seconds | {"baseline": round(time.monotonic() - began, 3)}
        finally:
            house.close()


def _perform(house: House, lab: RunningLab, seconds: Mapping[str, float], tell: Tell, limit_s: float) -> dict[str, Any]:
    """Play the mistake, and say beside the report what the pings saw of it."""
    moments: dict[str, datetime] = {}

    def make_mistake() -> None:
        moments["fault"] = house.clock.now()
        lab.make_mistake()

    about = {"network": f"lab:{lab.plan.name}", "seed": 0, "story": "mistake"}
    report = Performance(house, about, make_mistake, tell, limit_s).perform()
    time.sleep(_AFTER_S)
    execution = report["execution"] or {}
    outcome = execution.get("outcome") or {}
    moments |= {
        name: datetime.fromisoformat(said)
        for name, said in (("acted", execution.get("acted_at")), ("verified", outcome.get("measured_at")))
        if said
    }
    verified = "verified" in moments and report["outcome"] == "restored"
    took = (moments["verified"] - moments["fault"]).total_seconds() if verified else None
    about_lab = {
        "routers": list(lab.plan.routers),
        "timers": str(lab.plan.timers),
        "seconds": dict(seconds),
        "fault_to_verified_s": took,
        "loss": _losses(house, lab, moments),
    }
    injected = [{"element": lab.culprit, "fault": str(FaultKind.INTERFACE_LOCKED)}]
    return report | {"injected": injected, "lab": about_lab}


def _losses(house: House, lab: RunningLab, moments: Mapping[str, datetime]) -> dict[str, dict[str, float | None]]:
    """Return per demand the mean share of pings lost before the fault, until we acted, and since it was verified."""
    batches = house.road.ledger.read(lambda tables: tables.batches.find())
    read = [reading for batch in batches for reading in batch.readings if reading.metric is Metric.LOSS]
    # a window of pings is a second long: what is measured lags by so much
    lag, fault = timedelta(seconds=1), moments["fault"]
    acted = moments.get("acted")
    spans = {
        "before": (datetime.min.replace(tzinfo=fault.tzinfo), fault),
        "during": (fault + lag, acted) if acted else None,
        "after": (moments["verified"], house.clock.now()) if "verified" in moments else None,
    }
    found: dict[str, dict[str, float | None]] = {}
    for demand in lab.plan.declared.demands:
        mine = [(r.event_time, r.value) for r in read if r.element == demand.id and r.value is not None]
        found[demand.id] = {name: _mean(mine, span) for name, span in spans.items()}
    return found


def _mean(values: list[tuple[datetime, float]], span: tuple[datetime, datetime] | None) -> float | None:
    inside = [value for at, value in values if span and span[0] <= at < span[1]]
    return round(fmean(inside), 4) if inside else None
