"""Laws of blast radii: spans hold what is expected, wider margins never narrow one, and JSON loses nothing."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.actions import ActionClass
from domain.blast import BlastRadius, Quantity, Span
from twin.blast.calibration import Calibration, Correction, Margin
from twin.blast.fitting import Case, fit, needed_margins

amounts = st.floats(0, 1e6, allow_nan=False)
margins = st.one_of(st.none(), st.floats(-50, 50, allow_nan=False))


@st.composite
def span(draw: st.DrawFn, quantity: Quantity) -> Span:
    low, expected, high = sorted(draw(st.tuples(amounts, amounts, amounts)))
    endless = quantity is Quantity.RECOVERY and draw(st.booleans())
    return Span(quantity=quantity, expected=expected, low=low, high=None if endless else high)


@st.composite
def radius(draw: st.DrawFn) -> BlastRadius:
    return BlastRadius(spans=tuple(draw(span(quantity)) for quantity in Quantity))


@st.composite
def correction(draw: st.DrawFn) -> Correction:
    each = (
        Margin(
            quantity=quantity,
            low=draw(margins),
            high=draw(margins),
            shift=draw(st.floats(-3, 3)) if quantity is Quantity.RECOVERY else 0.0,
        )
        for quantity in Quantity
    )
    return Correction(action_class=ActionClass.DRAIN_LINK, cases=200, margins=tuple(each))


def cases(seed: int, count: int = 60) -> list[Case]:
    """Cases in which the twin is off by chance, and now and then altogether wrong."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        expected = rng.gamma(1.0, 5.0, 5)
        spans = (Span(quantity=q, expected=e, low=e / 2, high=2 * e) for q, e in zip(Quantity, expected, strict=True))
        wrong = rng.random() < 0.05
        truth = expected * rng.lognormal(0.0, 0.5, 5) * (10 if wrong else 1)
        seen: dict[Quantity, float | None] = dict(zip(Quantity, truth.tolist(), strict=True))
        if wrong:
            seen[Quantity.RECOVERY] = None
        raw = BlastRadius(spans=tuple(spans))
        found.append(Case(action_class=ActionClass.DRAIN_LINK, raw=raw, truth=seen, group=str(number % 12)))
    return found


def widened(margin: Margin, more: float) -> Margin:
    low, high = (None if side is None else side + more for side in (margin.low, margin.high))
    return margin.but(low=low, high=high)


def within(inner: Span, outer: Span) -> bool:
    high = outer.high is None or (inner.high is not None and inner.high <= outer.high + 1e-9)
    return outer.low <= inner.low + 1e-9 and high


@given(radius(), correction())
def test_a_calibrated_span_holds_what_is_expected_and_its_sides_are_in_order(raw: BlastRadius, by: Correction) -> None:
    for moved in by.apply(raw).spans:
        assert moved.low <= moved.expected * (1 + 1e-9)
        assert moved.high is None or moved.high >= moved.expected * (1 - 1e-9)


@given(radius(), correction())
def test_counted_things_always_have_a_whole_number_in_their_span(raw: BlastRadius, by: Correction) -> None:
    for moved in by.apply(raw).spans[:3]:
        assert moved.high is None or np.floor(moved.high) >= np.ceil(moved.low)


@given(radius(), radius())
def test_the_margins_that_a_case_needs_are_those_with_which_its_spans_hold(
    raw: BlastRadius, other: BlastRadius
) -> None:
    truth: dict[Quantity, float | None] = {each.quantity: each.expected for each in other.spans}
    sides = np.maximum(needed_margins(raw, truth), -1e3).reshape(-1, 2)
    enough = tuple(
        Margin(quantity=q, low=float(low) + 1e-6, high=None if np.isinf(high) else float(high) + 1e-6)
        for q, (low, high) in zip(Quantity, sides, strict=True)
    )
    held = Correction(cases=1, margins=enough).apply(raw)

    assert all(each.holds(truth[each.quantity], slack=1e-3) for each in held.spans)


@given(radius(), correction(), st.floats(0, 5))
def test_wider_margins_never_make_a_span_narrower(raw: BlastRadius, by: Correction, more: float) -> None:
    wider = by.but(margins=tuple(widened(margin, more) for margin in by.margins))

    assert all(within(inner, outer) for inner, outer in zip(by.apply(raw).spans, wider.apply(raw).spans, strict=True))


@settings(max_examples=3)
@given(st.integers(0, 10_000))
def test_a_calibration_survives_being_written_and_read(seed: int) -> None:
    made = fit(cases(seed))

    assert Calibration.model_validate_json(made.model_dump_json()) == made
