"""The diagnostics agent: says what is wrong, how sure it is, why, and what it could not check.

It introduces three rooms to each other: telemetry's picture and the case's alarms become symptoms; the twin says what
each candidate fault would bring down; the causal room scores, fuses and attributes. A learned ranker adds one column
to the scores where one serves; without it everything works. It reads and reasons only.
A fact counts only if the case holds evidence for it, so a diagnosis rests on nothing that it cannot cite.
"""

from collections.abc import Sequence
from time import perf_counter

from agents.cards import DIAGNOSTICS
from agents.ports import Tools
from causal.attribution import Attribution, Attributor
from causal.baselines import correlation_only, highest_anomaly
from causal.candidates import candidates
from causal.cut import cut
from causal.explanation import Cited, caused, not_checked
from causal.fusion import Fused, fuse, verdict, with_learned
from causal.scoring import Table, score
from causal.sight import sight
from causal.signatures import Scene
from causal.symptoms import SETTLING, Symptoms, symptoms
from causal.topology import TERMINATION_POINT, Topology
from causal.trends import Trends, trends, wanted
from domain.agents import AgentCard, Case
from domain.changes import SetAdministrative
from domain.diagnosis import Diagnosis, Verdict
from domain.errors import NocturneError
from domain.ids import new_id
from domain.models import DIAGNOSIS_SLOT, Opinion
from domain.network import Administrative, NodeKind
from twin.consequences import consequences
from twin.graph import element_graph
from twin.snapshot import Snapshot

#: How many causes are explained by paths; how many of them the causal model is asked about.
_EXPLAINED, _ATTRIBUTED = 5, 3
#: How many elements the opinion of the learned ranker names.
_OPINION = 10
_LOCKABLE = frozenset({TERMINATION_POINT, NodeKind.CELL})


class Diagnostics:
    """A `Diagnostician`. Safe to use from several threads; the same case gives the same answer but for its id."""

    card: AgentCard = DIAGNOSTICS

    def __init__(self, tools: Tools, attributor: Attributor | None = None) -> None:
        """Use `attributor`, or one of its own, for attribution; see `causal.attribution.warm_up`."""
        self._tools = tools
        self._attributor = attributor or Attributor()
        self._seen: tuple[object, Topology] | None = None

    def diagnose(self, case: Case) -> Diagnosis:
        """Return ranked causes for the case's incident, or `no_fault`, or `cannot_tell`."""
        started = perf_counter()
        cited = Cited(case)
        snapshot = self._tools.twin.snapshot()
        scene = self._scene(snapshot, symptoms(cited.picture, cited.alarms))
        provisional = case.made_at - case.incident.last_known_at < SETTLING
        table, opinion, unheard = self._heard(_scored(scene, snapshot), scene, snapshot)
        fused = fuse(table, case.picture.fresh_share)
        found = verdict(scene.symptoms, fused, settled=case.picture.at - case.incident.last_alarm_at >= SETTLING)
        scored = perf_counter()
        watched, gaps = self._trends(case, scene, fused)
        attribution = self._attribution(scene, fused, watched, found, wait=not provisional)
        causes = caused(scene, table, fused, attribution, cited, most=_EXPLAINED) if found is Verdict.CAUSE else ()
        return Diagnosis(
            id=new_id("diag", case.made_at),
            incident_id=case.incident.id,
            revision=case.incident.revision,
            verdict=found,
            causes=causes,
            candidate_set=fused.candidate_set if found is Verdict.CAUSE else (),
            not_checked=(*not_checked(case, scene, fused), *unheard, *gaps, *attribution.not_checked),
            degraded_by=case.picture.silent_sources,
            baselines=_baselines(case, scene.symptoms, watched),
            opinion=opinion,
            provisional=provisional,
            made_by=self.card.principal,
            made_at=case.made_at,
            oldest_evidence=min((evidence.event_time for evidence in case.evidence), default=None),
            seconds={"scoring": scored - started, "attribution": perf_counter() - scored},
        )

    def prepare(self) -> None:
        """Build what every diagnosis of this network needs, so that the first one does not wait for it."""
        self._topology(self._tools.twin.snapshot())

    def _topology(self, snapshot: Snapshot) -> Topology:
        inventory = snapshot.inventory
        if self._seen is None or self._seen[0] is not inventory:
            self._seen = (inventory, Topology(element_graph(inventory)))
        return self._seen[1]

    def _scene(self, snapshot: Snapshot, seen: Symptoms) -> Scene:
        topology = self._topology(snapshot)
        beside = {near for element in seen.trouble for near in (element, *topology.peer(element))} | seen.changed
        lockable = (element for element in beside if topology.kind(element) in _LOCKABLE)
        return Scene(topology, seen, frozenset(element for element in lockable if _locked(snapshot, element)))

    def _heard(self, table: Table, scene: Scene, snapshot: Snapshot) -> tuple[Table, Opinion | None, tuple[str, ...]]:
        """Return the table with what the learned ranker says, what it said by itself, and why it was not heard."""
        pinned = sight(snapshot.topology.digest, scene.symptoms, table.candidates)
        try:
            ranking = self._tools.ranker.opine(pinned)
        except NocturneError as error:
            return table, None, (f"the learned ranker was not heard: {error.reason}",)
        if ranking is None or not ranking.scores:
            return table, None, ()
        ranked = sorted(ranking.scores, key=lambda element: (-ranking.scores[element], element))[:_OPINION]
        opinion = Opinion(slot=DIAGNOSIS_SLOT, version=ranking.version, ranked=tuple(ranked), sight=pinned)
        return with_learned(table, ranking.scores), opinion, ()

    def _trends(self, case: Case, scene: Scene, fused: Fused) -> tuple[Trends, tuple[str, ...]]:
        elements = [ranked.element for ranked in fused.ranked[:_ATTRIBUTED]]
        asked = wanted(scene, elements, case.incident.opened_at, case.picture.at)
        try:
            values = self._tools.telemetry.series(asked.pairs, asked.since, asked.until)
        except NocturneError as error:
            return Trends(), (f"attribution not possible: the readings of before could not be had ({error.reason})",)
        watched = trends(scene, asked, values)
        return watched, tuple(
            f"`{e}` is silent: the causal model hears it through its neighbours" for e in watched.inferred
        )

    def _attribution(self, scene: Scene, fused: Fused, watched: Trends, found: Verdict, *, wait: bool) -> Attribution:
        if found is not Verdict.CAUSE or not watched.series:
            return Attribution()
        causes = [ranked.element for ranked in fused.ranked[:_ATTRIBUTED]]
        graph = cut(scene.topology, causes, watched.symptoms, watched.now)
        return self._attributor.attribute(graph, watched.baseline, watched.now, causes, wait=wait)


def _scored(scene: Scene, snapshot: Snapshot) -> Table:
    options = candidates(scene)
    elements = list(dict.fromkeys(option.element for option in options))
    return score(scene, options, consequences(_as_intended(snapshot, scene.locked), elements))


def _as_intended(snapshot: Snapshot, locked: frozenset[str]) -> Snapshot:
    """Return the state without the locks in question: what is down already has no consequences left."""
    unlocked = (SetAdministrative(element=e, state=Administrative.UNLOCKED) for e in sorted(locked))
    return snapshot.with_changes(tuple(unlocked)) if locked else snapshot


def _locked(snapshot: Snapshot, element: str) -> bool:
    return snapshot.value(element, "administrative") == Administrative.LOCKED


def _baselines(case: Case, seen: Symptoms, watched: Trends) -> dict[str, tuple[str, ...]]:
    ranks: dict[str, Sequence[str]] = {"highest_anomaly": highest_anomaly(case.picture)}
    worst = max(watched.symptoms, key=lambda element: seen.trouble.get(element, 0.0), default="")
    ranks["correlation_only"] = correlation_only(watched.series, worst)
    return {name: tuple(rank[:10]) for name, rank in ranks.items()}
