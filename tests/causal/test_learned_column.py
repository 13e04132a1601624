import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from causal.candidates import Candidate
from causal.fusion import BOUND, fuse, with_learned
from causal.scoring import Table
from domain.diagnosis import FaultKind

ELEMENTS = ("node:a", "node:b", "link:c")
LOGITS = st.dictionaries(st.sampled_from(ELEMENTS), st.floats(-1e4, 1e4), max_size=3)


def table() -> Table:
    rows = tuple(Candidate(element, FaultKind.NODE_DOWN, 0.5) for element in ELEMENTS)
    rows += (Candidate("node:a", FaultKind.PROCESS_HUNG, 0.4),)
    return Table(rows, {"match": np.array([0.5, 0.5, 0.5, 0.4])}, (), np.zeros((4, 0)))


def said(logits: dict[str, float]) -> list[float]:
    return with_learned(table(), logits).columns["learned"].tolist()


def test_without_a_ranking_the_table_stays_as_it_was() -> None:
    plain = table()

    assert with_learned(plain, {}) is plain


@given(LOGITS.filter(bool))
def test_what_is_said_is_bounded(logits: dict[str, float]) -> None:
    assert all(-BOUND <= value <= BOUND for value in said(logits))


@given(LOGITS.filter(bool), st.floats(-100, 100))
def test_only_differences_between_logits_count(logits: dict[str, float], shift: float) -> None:
    moved = {element: value + shift for element, value in logits.items()}

    assert np.allclose(said(logits), said(moved), atol=1e-6)


def test_a_ranker_that_knows_no_difference_says_nothing() -> None:
    column = said(dict.fromkeys(ELEMENTS, 7.0))

    assert np.allclose(column, 0.0)


def test_what_it_says_nothing_of_is_neither_likelier_nor_less() -> None:
    column = said({"node:b": 2.0, "node:x": 0.0})

    assert (column[0], column[2], column[3]) == (0.0, 0.0, 0.0)
    assert column[1] > 0


@given(LOGITS.filter(lambda logits: len(logits) == 3))
def test_a_higher_logit_never_lowers_a_rank(logits: dict[str, float]) -> None:
    ranked = [one.element for one in fuse(with_learned(table(), logits)).ranked if one.element != "node:a"]
    higher = max(("node:b", "link:c"), key=lambda element: logits[element])

    assert ranked[0] == higher or np.isclose(said(logits)[1], said(logits)[2])
