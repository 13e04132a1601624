import subprocess
import sys

import networkx as nx
import numpy as np
import pytest

from domain.errors import BadInput, Gone
from domain.models import Sight
from twin import gnn
from twin.generator import operator_network
from twin.graph import element_graph
from twin.incidents import IncidentGenerator
from twin.ranker import FEATURES, KINDS, SEEN, SHAPES, Floats, Grid, Ranker, grid, seen


def lesson(on: Grid, truth: str, *others: str) -> gnn.Lesson:
    """A case whose culprit is in more trouble than the other candidates."""
    trouble = {truth: 0.9} | dict.fromkeys(others, 0.3)
    return gnn.Lesson(on, Sight(inventory_digest="d", trouble=trouble, candidates=(*others, truth)), truth)


@pytest.fixture(scope="module")
def ring() -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from((f"node:{n}", {"kind": "router"}) for n in range(6))
    graph.add_nodes_from((f"link:{n}", {"kind": "link"}) for n in range(6))
    for n in range(6):
        graph.add_edge(f"node:{n}", f"link:{n}", kind="contains")
        graph.add_edge(f"link:{n}", f"node:{(n + 1) % 6}", kind="adjacency")
    return graph


@pytest.fixture(scope="module")
def lessons(ring: nx.DiGraph) -> list[gnn.Lesson]:
    on = grid(ring)
    return [lesson(on, f"link:{n}", f"node:{n}", f"link:{(n + 3) % 6}") for n in range(6)]


@pytest.fixture(scope="module")
def weights(lessons: list[gnn.Lesson]) -> dict[str, Floats]:
    return gnn.fit(lessons, seed=3, steps=25)


def test_reading_the_module_does_not_import_torch() -> None:
    look = "import sys, twin.gnn; print([name for name in ('torch', 'torch_geometric') if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_grid_says_of_each_element_what_no_case_changes(ring: nx.DiGraph) -> None:
    on = grid(ring)

    place = on.place["link:2"]
    assert on.still.shape == (12, len(FEATURES) - len(SEEN))
    assert on.still[place, 2 + KINDS.index("link")] == 1.0
    assert on.still[place, :2] == pytest.approx(np.log1p([1, 1]))
    assert [on.place["node:2"], place] in on.edges.T.tolist()


def test_an_unknown_kind_counts_as_none() -> None:
    graph = nx.DiGraph()
    graph.add_node("thing:1", kind="teapot")

    assert grid(graph).still[0, 2:].sum() == 0.0


def test_what_is_seen_marks_trouble_silence_health_and_what_nobody_saw(ring: nx.DiGraph) -> None:
    on = grid(ring)
    sight = Sight(
        inventory_digest="d", trouble={"node:1": 0.5, "node:99": 1.0}, silent=("node:2", "x"), healthy=("node:3",)
    )

    rows = seen(on, sight)

    assert rows[on.place["node:1"]].tolist() == [0.5, 0, 0, 0]
    assert rows[on.place["node:2"]].tolist() == [0, 1, 0, 0]
    assert rows[on.place["node:3"]].tolist() == [0, 0, 1, 0]
    assert rows[on.place["node:4"]].tolist() == [0, 0, 0, 1]
    assert rows[:, :3].sum() == 2.5


def test_the_same_lessons_and_seed_give_the_same_weights(lessons, weights) -> None:
    again = gnn.fit(lessons, seed=3, steps=25)
    other = gnn.fit(lessons, seed=4, steps=25)

    assert {name: value.tobytes() for name, value in again.items()} == {n: v.tobytes() for n, v in weights.items()}
    assert any((other[name] != value).any() for name, value in weights.items())
    assert {value.dtype for value in weights.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("elements", [40, 200])
def test_the_ranker_says_what_the_trained_network_says(weights, elements: int) -> None:
    import torch

    network = gnn._network()
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    graph = element_graph(operator_network(3, elements))
    names, rng = sorted(graph), np.random.default_rng(elements)
    trouble = {str(name): float(rng.random()) for name in rng.choice(names, 12, replace=False)}
    sight = Sight(inventory_digest="d", trouble=trouble, silent=tuple(names[:5]), candidates=tuple(names))

    with torch.inference_mode():
        expected = network(*gnn._inputs(grid(graph), [sight]))[0].numpy()

    scores = Ranker(weights).scores(grid(graph), sight)
    assert [scores[name] for name in graph] == pytest.approx(expected.tolist(), abs=1e-4)
    assert {name: value.shape for name, value in weights.items()} == SHAPES


def test_training_leaves_the_global_generators_as_they_were(lessons) -> None:
    import torch

    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)

    gnn.fit(lessons, seed=5, steps=2)

    assert torch.equal(torch.rand(3), expected)
    assert not torch.are_deterministic_algorithms_enabled()


def test_it_learns_what_the_lessons_have_in_common(ring: nx.DiGraph, weights) -> None:
    on, ranker = grid(ring), Ranker(weights)
    unseen = lesson(on, "link:4", "node:0", "link:2")

    scores = ranker.scores(on, unseen.sight)

    assert max(scores, key=scores.__getitem__) == "link:4"


def test_names_mean_nothing_to_it(ring: nx.DiGraph, weights) -> None:
    ranker = Ranker(weights)
    names = {name: f"other:{place}" for place, name in enumerate(reversed(list(ring)))}
    renamed = nx.relabel_nodes(ring, names)
    sight = Sight(
        inventory_digest="d",
        trouble={"link:1": 0.7, "node:2": 0.4},
        silent=("link:2",),
        candidates=("link:1", "node:2"),
    )
    elsewhere = Sight(
        inventory_digest="d",
        trouble={names[e]: level for e, level in sight.trouble.items()},
        silent=(names["link:2"],),
        candidates=tuple(names[e] for e in sight.candidates),
    )

    here, there = ranker.scores(grid(ring), sight), ranker.scores(grid(renamed), elsewhere)

    assert {names[e]: score for e, score in here.items()} == pytest.approx(there, abs=1e-5)


def test_which_way_an_arrow_points_matters(ring: nx.DiGraph, weights) -> None:
    sight = Sight(inventory_digest="d", trouble={"link:1": 0.7}, candidates=("link:1", "node:1", "node:2"))
    ranker = Ranker(weights)

    along = ranker.scores(grid(ring), sight)
    against = ranker.scores(grid(ring.reverse()), sight)

    assert along != pytest.approx(against, abs=1e-6)


def test_only_candidates_that_the_graph_holds_are_ranked(ring: nx.DiGraph, weights) -> None:
    sight = Sight(inventory_digest="d", trouble={}, candidates=("link:1", "link:gone"))

    assert set(Ranker(weights).scores(grid(ring), sight)) == {"link:1"}
    assert Ranker(weights).scores(grid(ring), Sight(inventory_digest="d", trouble={})) == {}


def test_a_training_ends_when_it_is_told_to(lessons) -> None:
    done: list[int] = []

    with pytest.raises(Gone, match="stopped"):
        gnn.fit(lessons, seed=1, steps=50, progress=done.append, stop=lambda: len(done) == 3)

    assert done == [1, 2, 3]


def test_lessons_without_their_truth_among_the_candidates_teach_nothing(ring: nx.DiGraph) -> None:
    on = grid(ring)
    hopeless = gnn.Lesson(on, Sight(inventory_digest="d", trouble={}, candidates=("node:1",)), "node:2")

    with pytest.raises(BadInput, match="no lesson"):
        gnn.fit([hopeless], seed=1, steps=1)


@pytest.mark.parametrize("spoil", ["missing", "strange", "shape"])
def test_weights_of_another_network_are_refused(weights, spoil: str) -> None:
    spoilt = dict(weights)
    first = next(iter(spoilt))
    if spoil == "missing":
        del spoilt[first]
    if spoil == "strange":
        spoilt["extra"] = np.zeros(1, np.float32)
    if spoil == "shape":
        spoilt[first] = spoilt[first][:1]

    with pytest.raises(BadInput, match="not those of this ranker"):
        Ranker(spoilt)


def test_every_kind_of_element_of_a_generated_network_is_known() -> None:
    graph = element_graph(operator_network(1, 60))

    assert {kind for _, kind in graph.nodes(data="kind")} <= set(KINDS)


def test_generated_incidents_come_from_their_generator_alone() -> None:
    network = IncidentGenerator(operator_network(2, 60))

    first = list(network.incidents(5, np.random.default_rng(7)))
    again = list(network.incidents(5, np.random.default_rng(7)))
    others = list(network.incidents(5, np.random.default_rng(8)))

    assert first == again
    assert [one.element for one in first] != [one.element for one in others]
    for incident in first:
        assert incident.alarms
        assert incident.element in network.places[incident.fault]
        assert not incident.picture.healthy & {one.element for one in incident.picture.anomalies}


def test_a_grey_culprit_shows_nothing_itself() -> None:
    network = IncidentGenerator(operator_network(2, 60))
    found = [i for i in network.incidents(80, np.random.default_rng(9)) if i.grey and i.element.startswith("node:")]

    assert found
    for incident in found:
        loud = [one for one in incident.picture.anomalies if one.element == incident.element and abs(one.score) > 8]
        assert loud == []
