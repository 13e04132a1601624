"""The table of all checks, and the one function that runs them before a push.

What a configuration already has is reported as a warning; it blocks only what a push brings, or leaves in a part that
it touches. Every line of the table has an example that fails and one that passes among the tests.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from domain.configuration import (
    ConfigurationFinding,
    ConfigurationLine,
    FindingSeverity,
    ProtectedFlow,
    PushPolicy,
    PushReport,
)
from domain.network import Inventory
from twin.configuration.filters import acl_redundant, acl_shadowed
from twin.configuration.flows import flow_blocked, flow_open
from twin.configuration.headroom import blast_radius, n1_headroom
from twin.configuration.link_checks import (
    duplex_mismatch,
    igp_area_mismatch,
    igp_authentication_mismatch,
    igp_exposed,
    igp_metric_asymmetry,
    igp_one_sided,
    interface_unknown,
    ip_duplicate,
    link_one_sided,
    mtu_mismatch,
    subnet_mismatch,
    subnet_overlap,
    vlan_mismatch,
)
from twin.configuration.order import Way, step_hits
from twin.configuration.protection_checks import protection_broken, protection_down, srlg_shared
from twin.configuration.reading import Document
from twin.configuration.reference_checks import (
    prefix_conflict,
    prefixes,
    reference_unknown,
    route_unresolved,
    session_mismatch,
    session_one_sided,
)
from twin.configuration.view import NOTHING, Hit, Push, View, Where
from twin.configuration.wiring import Wiring
from twin.configuration.writing import diff

#: A finding shows so many lines at most.
_MOST_LINES = 12


def _steps_loop(way: Way) -> Iterator[Hit]:
    yield from step_hits(way.push, way, loops=True)


def _steps_black_hole(way: Way) -> Iterator[Hit]:
    yield from step_hits(way.push, way, loops=False)


def _withdrawn(way: Way) -> Iterator[Hit]:
    old, new = prefixes(way.push.before), prefixes(way.push.after)
    for prefix, (router, name) in old.items():
        if prefix not in new:
            place = (router, "interface", name, "address") if name else (router, "route", prefix, "")
            yield Hit(prefix, f"nobody announces {prefix} any more; `{router}` did", (place,))


@dataclass(frozen=True)
class Check:
    """One line of the table: it looks at a configuration (`state`), at `flows` in it, or at the way to it (`push`)."""

    id: str
    title: str
    remedy: str
    state: Callable[[View], Iterator[Hit]] | None = None
    flows: Callable[[View, tuple[ProtectedFlow, ...]], Iterator[Hit]] | None = None
    push: Callable[[Way], Iterator[Hit]] | None = None
    severity: FindingSeverity = FindingSeverity.ERROR


#: What is told beside a finding is what to do.
CHECKS: tuple[Check, ...] = (
    Check("CFG-INTERFACE-UNKNOWN", "interface without a port", "correct the name of the interface", interface_unknown),
    Check("CFG-IP-DUPLICATE", "one address twice", "give one of them a free address", ip_duplicate),
    Check("CFG-SUBNET-OVERLAP", "overlapping subnets", "give one of them a free subnet", subnet_overlap),
    Check("CFG-SUBNET-MISMATCH", "subnets differ across a link", "put both ends into one subnet", subnet_mismatch),
    Check("CFG-MTU-MISMATCH", "MTU differs across a link", "set the same MTU at both ends", mtu_mismatch),
    Check("CFG-VLAN-MISMATCH", "VLAN differs across a link", "set the same VLAN at both ends", vlan_mismatch),
    Check("CFG-DUPLEX-MISMATCH", "duplex differs across a link", "set the same duplex at both ends", duplex_mismatch),
    Check("CFG-LINK-ONE-SIDED", "one end is up", "set both ends up, or both down", link_one_sided),
    Check("CFG-IGP-ONE-SIDED", "one end speaks the IGP", "configure the IGP at both ends, or at none", igp_one_sided),
    Check("CFG-IGP-EXPOSED", "customers may join the IGP", "make the interface passive", igp_exposed),
    Check(
        "CFG-IGP-METRIC", "IGP metric differs by direction", "set the same metric at both ends", igp_metric_asymmetry
    ),
    Check("CFG-IGP-AREA", "IGP area differs across a link", "put both ends into one area", igp_area_mismatch),
    Check(
        "CFG-IGP-AUTH", "IGP key differs across a link", "set the same key at both ends", igp_authentication_mismatch
    ),
    Check("CFG-SESSION-ONE-SIDED", "one side has the session", "configure both sides, or none", session_one_sided),
    Check("CFG-SESSION-MISMATCH", "the sides disagree", "set what the other side has", session_mismatch),
    Check("CFG-REFERENCE-UNKNOWN", "names what is not there", "correct the name, or define it", reference_unknown),
    Check("CFG-ROUTE-UNRESOLVED", "next hop out of reach", "name a neighbour that is up", route_unresolved),
    Check("CFG-PREFIX-CONFLICT", "network of another router", "correct the prefix", prefix_conflict),
    Check("CFG-ACL-SHADOWED", "entry never matches", "move it before those that cover it", acl_shadowed),
    Check(
        "CFG-ACL-REDUNDANT", "entry says nothing new", "take it away", acl_redundant, severity=FindingSeverity.WARNING
    ),
    Check("CFG-FLOW-BLOCKED", "protected flow does not arrive", "permit it on all its ways", flows=flow_blocked),
    Check("CFG-FLOW-OPEN", "forbidden flow gets through", "deny it where it comes in", flows=flow_open),
    Check("CFG-SRLG-SHARED", "primary and backup share a risk", "choose a way that shares none", srlg_shared),
    Check(
        "CFG-PROTECTION-BROKEN", "protected way is none", "write links from this router to the end", protection_broken
    ),
    Check(
        "CFG-PROTECTION-DOWN",
        "protected way is down",
        "bring its links up, or choose another way",
        protection_down,
        severity=FindingSeverity.WARNING,
    ),
    Check("CFG-STEP-LOOP", "packets circle on the way", "push in an order that is safe", push=_steps_loop),
    Check("CFG-STEP-BLACK-HOLE", "packets are lost on the way", "push in a safe order", push=_steps_black_hole),
    Check("CFG-N1-HEADROOM", "no room after a failure", "leave traffic where it has room", push=n1_headroom),
    Check("CFG-BLAST-RADIUS", "more is touched than allowed", "split the push", push=blast_radius),
    Check(
        "CFG-PREFIX-WITHDRAWN",
        "prefix of nobody",
        "announce it elsewhere, if it is still in use",
        push=_withdrawn,
        severity=FindingSeverity.WARNING,
    ),
)


def check(
    before: Document | None,
    after: Document,
    inventory: Inventory,
    policy: PushPolicy | None = None,
    order: tuple[str, ...] | None = None,
) -> PushReport:
    """Say what a push would bring. Pure.

    Args:
        before: what is in force; None for the first configuration.
        after: what is to be in force.
        inventory: routers, links, shared risks and believed traffic.
        policy: limits and protected flows.
        order: in which routers are pushed; None asks for a safe one.

    Raises:
        BadInput: a router is not in the inventory, or the order does not fit the changes.
    """
    wiring = Wiring(inventory)
    old = NOTHING if before is None else before
    for document in (old, after):
        wiring.check_routers(document)
    push = Push(View(old, wiring), View(after, wiring), order, policy or PushPolicy())
    way = Way(push)
    given = way.given
    findings = [finding for line in CHECKS for finding in _findings(line, push, way)]
    findings.sort(key=lambda finding: (not finding.blocks, finding.severity, not finding.new, finding.id))
    safe = given if way.is_safe(given) and not (way.wide and order is None) else way.safe_order
    return PushReport(findings=tuple(findings), order=safe, diff=diff(old.configuration, after.configuration))


def _findings(line: Check, push: Push, way: Way) -> Iterator[ConfigurationFinding]:
    if line.push is not None:
        for hit in line.push(way):
            yield _finding(line, push, hit, new=True)
        return
    hits = list(_look(line, push.after, push.policy))
    known = {hit.subject for hit in _look(line, push.before, push.policy)} if hits else set()
    for hit in hits:
        yield _finding(line, push, hit, new=hit.subject not in known)


def _look(line: Check, view: View, policy: PushPolicy) -> Iterator[Hit]:
    if line.flows is not None:
        return line.flows(view, policy.flows)
    assert line.state is not None
    return line.state(view)


def _finding(line: Check, push: Push, hit: Hit, *, new: bool) -> ConfigurationFinding:
    touched = any(place[:3] in push.touched for place in hit.places)
    return ConfigurationFinding(
        id=line.id,
        severity=line.severity if new or touched else FindingSeverity.WARNING,
        subject=hit.subject,
        message=hit.message,
        remedy=line.remedy,
        lines=_lines(push, hit.places),
        new=new,
        blocks=line.severity is FindingSeverity.ERROR and (new or touched),
    )


def _lines(push: Push, places: tuple[Where, ...]) -> tuple[ConfigurationLine, ...]:
    lines = dict.fromkeys(push.after.document.line(*place) for place in places)
    return tuple(line for line in lines if line.number)[:_MOST_LINES]
