"""The twin's state for outside viewers: as plain data, and as a scene in Universal Scene Description (usda text).

In the scene, nodes are spheres at their places (degrees east, degrees north), links are lines; green is idle, red is
full, grey does not work. Colours are `displayColor` primvars, which any viewer shows; a prim carries its element's id.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from domain.network import Node
from twin.evaluate import Prediction

_GREY = (0.5, 0.5, 0.5)
_RADIUS, _WIDTH = 0.05, 0.02


def scene(prediction: Prediction, shown: Callable[[str], bool] = lambda _: True) -> dict[str, Any]:
    """Return nodes with their places, links with their utilisation and loss, and what works.

    Args:
        prediction: the state.
        shown: says of an element whether it is to be in it; a link also needs both its nodes.
    """
    inventory = prediction.topology.inventory
    points = {point.id: point.node for point in inventory.termination_points}
    nodes = [node for node in inventory.nodes if shown(node.id)]
    there = {node.id for node in nodes}
    links = []
    for link in inventory.links:
        ends = points[link.source], points[link.destination]
        if shown(link.id) and there.issuperset(ends):
            arc = 2 * prediction.topology.link_at[link.id]
            links.append(
                {
                    "id": link.id,
                    "source": ends[0],
                    "destination": ends[1],
                    "works": prediction.available(link.id),
                    "capacity_mbps": link.capacity_mbps,
                    "utilisation": round(prediction.utilisation(link.id), 4),
                    "loss": round(float(prediction.arc_loss[arc : arc + 2].max()), 4),
                }
            )
    return {
        "name": inventory.name,
        "nodes": [
            {
                "id": node.id,
                "kind": node.kind.value,
                "region": node.region,
                "place": place,
                "works": prediction.available(node.id),
            }
            for node, place in zip(nodes, _places(nodes), strict=True)
        ],
        "links": links,
    }


def usd(data: Mapping[str, Any]) -> str:
    """Return what `scene` returned as usda text; with it, how far the twin is off, where that was said (`believed`)."""
    at = {node["id"]: node["place"] for node in data["nodes"]}
    lines = [
        "#usda 1.0",
        "(",
        '    defaultPrim = "Network"',
        '    upAxis = "Z"',
        ")",
        "",
        'def Xform "Network"',
        "{",
        f"    custom string nocturne:name = {_quoted(data['name'])}",
        *_origin(data.get("believed")),
    ]
    for number, node in enumerate(data["nodes"]):
        east, north = node["place"]
        colour = (0.2, 0.4, 0.9) if node["works"] else _GREY
        lines += [
            f'    def Sphere "{_prim("node", number, node["id"])}"',
            "    {",
            f"        double radius = {_RADIUS}",
            f"        double3 xformOp:translate = ({east}, {north}, 0)",
            '        uniform token[] xformOpOrder = ["xformOp:translate"]',
            *_told(colour, node["id"]),
            f"        custom string nocturne:kind = {_quoted(node['kind'])}",
            "    }",
        ]
    for number, link in enumerate(data["links"]):
        ends = ", ".join(f"({east}, {north}, 0)" for east, north in (at[link["source"]], at[link["destination"]]))
        lines += [
            f'    def BasisCurves "{_prim("link", number, link["id"])}"',
            "    {",
            '        uniform token type = "linear"',
            "        int[] curveVertexCounts = [2]",
            f"        point3f[] points = [{ends}]",
            f'        float[] widths = [{_WIDTH}] (interpolation = "constant")',
            *_told(_heat(link["utilisation"]) if link["works"] else _GREY, link["id"]),
            f"        custom double nocturne:utilisation = {link['utilisation']}",
            "    }",
        ]
    return "\n".join([*lines, "}", ""])


def _origin(believed: Mapping[str, Any] | None) -> list[str]:
    if believed is None:
        return []
    said = {"at": believed["at"], "source": believed["source"], "fidelity": believed["fidelity"]["reason"]}
    return [f"    custom string nocturne:{name} = {_quoted(str(text))}" for name, text in said.items()]


def _told(colour: tuple[float, float, float], id: str) -> list[str]:
    return [
        f"        color3f[] primvars:displayColor = [({', '.join(f'{part:.3f}' for part in colour)})]",
        f"        custom string nocturne:id = {_quoted(id)}",
    ]


def _heat(utilisation: float) -> tuple[float, float, float]:
    full = min(1.0, utilisation)
    return full, 1.0 - full, 0.1


def _places(nodes: list[Node]) -> list[tuple[float, float]]:
    """Return where each node is drawn; those without a position stand on a circle around the others."""
    unknown = [node.id for node in nodes if node.longitude is None or node.latitude is None]
    known = [
        (node.longitude, node.latitude) for node in nodes if node.longitude is not None and node.latitude is not None
    ]
    east = sum(place[0] for place in known) / len(known) if known else 0.0
    north = sum(place[1] for place in known) / len(known) if known else 0.0
    far = 1.0 + max((math.hypot(place[0] - east, place[1] - north) for place in known), default=0.0)
    turn = {id: 2 * math.pi * number / len(unknown) for number, id in enumerate(unknown)}
    return [
        (round(east + far * math.cos(turn[node.id]), 6), round(north + far * math.sin(turn[node.id]), 6))
        if node.longitude is None or node.latitude is None
        else (node.longitude, node.latitude)
        for node in nodes
    ]


def _prim(kind: str, number: int, id: str) -> str:
    """Return a prim's name: letters, digits and underscores, and unique by its number."""
    return f"{kind}_{number}_{re.sub('[^A-Za-z0-9_]', '_', id)}"


def _quoted(text: str) -> str:
    """Return a text as usda reads it: escapes as in JSON, which are those of usda for everything printable."""
    return json.dumps("".join(letter if letter.isprintable() else " " for letter in text), ensure_ascii=False)
