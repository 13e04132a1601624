"""Which faults are worth asking about: the troubled elements, their near ancestors, and the links and ports beside.

The cut is made before the twin is asked for consequences, because that is the dear part: every element is weighed by
its own signature and by how much trouble lies downstream of it, and the best few dozen stay.
"""

from collections import defaultdict
from dataclasses import dataclass

from causal.signatures import Scene, faults_of, match
from causal.topology import DEMAND, LINK, SERVICE, TERMINATION_POINT
from domain.diagnosis import FaultKind

#: How many hops against the arrows a cause is looked for (power → router → port → link → demand is four).
HOPS = 4
#: Trouble below this is noise; it is not followed upstream.
FAINT = 0.08
_DECAY = 0.8


@dataclass(frozen=True)
class Candidate:
    """A fault that may be the cause. `match` (0–1) says how well the evidence at the element looks like it."""

    element: str
    fault: FaultKind
    match: float


def candidates(scene: Scene, most: int = 40) -> tuple[Candidate, ...]:
    """Return the faults worth scoring, at `most` elements, best signature and reach first.

    An element that can have several kinds of fault gives one candidate per kind whose signature is not nil, or its
    likeliest kind when none is: a grey fault has no signature at all.
    """
    reach = _reach(scene)
    total = sum(scene.symptoms.trouble.values()) or 1.0
    found = {element: _faults(scene, element) for element in reach}
    worth = {
        element: 2.0 * max(candidate.match for candidate in options) + reach[element] / total
        for element, options in found.items()
        if options
    }
    best = sorted(worth, key=lambda element: (-worth[element], element))[:most]
    return tuple(candidate for element in best for candidate in found[element])


def _faults(scene: Scene, element: str) -> list[Candidate]:
    kinds = faults_of(scene.topology.kind(element))
    options = [Candidate(element, fault, match(scene, element, fault)) for fault in kinds]
    telling = [option for option in options if option.match > 0.02]
    if scene.topology.kind(element) == DEMAND:
        return telling
    return telling or options[:1]


def _reach(scene: Scene) -> dict[str, float]:
    """Return how much trouble each possible culprit has downstream, nearer trouble counting more."""
    reach: dict[str, float] = defaultdict(float)
    for element, trouble in scene.symptoms.trouble.items():
        if trouble < FAINT or element not in scene.topology:
            continue
        for cause, hops in scene.topology.upstream(element, HOPS).items():
            reach[cause] += trouble * _DECAY**hops
    for element in _beside(scene, reach):
        reach.setdefault(element, 0.0)
    return {element: weight for element, weight in reach.items() if scene.topology.kind(element) != SERVICE}


def _beside(scene: Scene, reach: dict[str, float]) -> list[str]:
    """Return what arrows do not reach: links of troubled ports and their ends, changed elements, surging demands."""
    topology, symptoms = scene.topology, scene.symptoms
    links = [
        link for element in reach if topology.kind(element) == TERMINATION_POINT for link in topology.links(element)
    ]
    links += [element for element in reach if topology.kind(element) == LINK]
    ends = [end for link in links for end in topology.ends(link)]
    told = [element for element in sorted(symptoms.changed) if element in topology]
    surging = [element for element in symptoms.readings if topology.kind(element) == DEMAND]
    return [*links, *ends, *told, *surging]
