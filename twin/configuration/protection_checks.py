"""Checks of protected ways: that each is a way at all, and that primary and backup share no risk."""

from collections.abc import Iterator

from domain.configuration import Protection
from domain.network import Link
from twin.configuration.view import Hit, View


def protection_broken(view: View) -> Iterator[Hit]:
    """Yield each protected way that is no unbroken way, or leads elsewhere than the other."""
    for name, protection in _protections(view):
        why = _broken(view, name, protection)
        if why:
            subject = f"{name} {protection.name}"
            yield Hit(subject, f"`{protection.name}` of `{name}`: {why}", ((name, "protection", protection.name, ""),))


def protection_down(view: View) -> Iterator[Hit]:
    """Yield each protection with a link in it that is down or set up differently at its ends."""
    dead = {wire.link.id for wire in view.wires if not wire.carries}
    for name, protection in _protections(view):
        lost = sorted(dead.intersection((*protection.primary, *protection.backup)))
        if lost:
            message = f"`{protection.name}` of `{name}` uses `{lost[0]}`, which is down"
            yield Hit(f"{name} {protection.name}", message, ((name, "protection", protection.name, ""),))


def srlg_shared(view: View) -> Iterator[Hit]:
    """Yield each protection whose ways fail together: one link in both, or one shared-risk group."""
    links = {link.id: link for link in view.inventory.links}
    for name, protection in _protections(view):
        twice = sorted(set(protection.primary) & set(protection.backup))
        shared = sorted(_risks(links, protection.primary) & _risks(links, protection.backup))
        if twice or shared:
            what = ", ".join(f"`{each}`" for each in (*twice, *shared)[:4])
            message = f"primary and backup of `{protection.name}` at `{name}` both depend on {what}"
            yield Hit(f"{name} {protection.name}", message, ((name, "protection", protection.name, ""),))


def _protections(view: View) -> Iterator[tuple[str, Protection]]:
    for name, router in view.routers.items():
        for protection in router.protections:
            yield name, protection


def _risks(links: dict[str, Link], way: tuple[str, ...]) -> set[str]:
    return {srlg for link in way if link in links for srlg in links[link].srlgs}


def _broken(view: View, router: str, protection: Protection) -> str:
    """Return what is wrong with the ways; empty when nothing is."""
    ends = {link.id: (a, b) for link, a, b in view.wiring.links}
    goals = []
    for word, way in (("primary", protection.primary), ("backup", protection.backup)):
        here = router
        for link in way:
            if link not in ends:
                return f"its {word} way names `{link}`, which is no link between routers"
            if here not in ends[link]:
                return f"its {word} way is torn: `{link}` does not begin at `{here}`"
            a, b = ends[link]
            here = b if here == a else a
        goals.append(here)
    return "" if goals[0] == goals[1] else f"its ways lead to `{goals[0]}` and to `{goals[1]}`"
