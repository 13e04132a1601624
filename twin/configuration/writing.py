"""The text form, written; and what differs between two configurations, as an engineer reads it."""

from collections.abc import Iterator
from difflib import unified_diff

from domain.configuration import (
    AccessList,
    BgpSession,
    Configuration,
    Interface,
    Protection,
    RouterConfiguration,
    SegmentPolicy,
    StaticRoute,
)
from twin.configuration.reading import Document, parse


def write(configuration: Configuration) -> str:
    """Return the text that `parse` reads back to the same configuration."""
    lines = [line for router in configuration.routers for line in router_lines(router)]
    return "\n".join(lines) + "\n" if lines else ""


def document(configuration: Configuration) -> Document:
    """Return a configuration with line numbers, as if it had been read. Raises BadInput where it could not be."""
    return parse(write(configuration))


def diff(before: Configuration, after: Configuration) -> str:
    """Return a unified diff, one part per router that differs; empty when nothing does."""
    old = {router.router: router_lines(router) for router in before.routers}
    new = {router.router: router_lines(router) for router in after.routers}
    parts = (
        unified_diff(old.get(name, []), new.get(name, []), f"before/{name}", f"after/{name}", lineterm="")
        for name in dict.fromkeys([*old, *new])
    )
    return "".join(f"{line}\n" for part in parts for line in part)


def router_lines(router: RouterConfiguration) -> list[str]:
    """Return the lines of one router."""
    lines = [f"router {router.router}"]
    if router.description:
        lines.append(f" description {router.description}")
    if router.local_as is not None:
        lines.append(f" as {router.local_as}")
    for interface in router.interfaces:
        lines += [f" interface {interface.name}", *(f"  {line}" for line in _interface(interface))]
    for access in router.access_lists:
        lines += [f" access-list {access.name}", *(f"  {line}" for line in _entries(access))]
    lines += [f" {_session(session)}" for session in router.sessions]
    lines += [f" {_route(route)}" for route in router.routes]
    lines += [f" {_policy(policy)}" for policy in router.policies]
    return lines + [f" {_protection(protection)}" for protection in router.protections]


def _interface(interface: Interface) -> Iterator[str]:
    if interface.description:
        yield f"description {interface.description}"
    if interface.address is not None:
        yield f"address {interface.address}"
    yield f"mtu {interface.mtu}"
    if interface.vlan is not None:
        yield f"vlan {interface.vlan}"
    yield f"duplex {interface.duplex}"
    yield f"state {'up' if interface.enabled else 'down'}"
    if interface.igp is not None:
        igp, word = interface.igp, interface.igp.protocol.value
        yield f"{word} area {igp.area}"
        yield f"{word} metric {igp.metric}"
        if igp.authentication:
            yield f"{word} authentication {igp.authentication}"
        if igp.passive:
            yield f"{word} passive"
    if interface.access_in:
        yield f"access-group {interface.access_in} in"
    if interface.access_out:
        yield f"access-group {interface.access_out} out"


def _entries(access: AccessList) -> Iterator[str]:
    for entry in access.entries:
        port = "" if entry.port is None else f" port {entry.port}"
        yield f"{entry.sequence} {entry.verdict} {entry.transport} {entry.source} {entry.destination}{port}"


def _session(session: BgpSession) -> str:
    line = f"neighbor {session.peer} remote-as {session.remote_as} source {session.source}"
    if session.authentication:
        line += f" authentication {session.authentication}"
    return line if session.enabled else f"{line} shutdown"


def _route(route: StaticRoute) -> str:
    goal = "drop" if route.via is None else f"via {route.via}"
    return f"route {route.prefix} {goal}{' announced' if route.announced else ''}"


def _policy(policy: SegmentPolicy) -> str:
    via = f" via {' '.join(policy.via)}" if policy.via else ""
    return f"policy {policy.name} color {policy.color} endpoint {policy.endpoint}{via}"


def _protection(protection: Protection) -> str:
    return f"protection {protection.name} primary {' '.join(protection.primary)} backup {' '.join(protection.backup)}"
