"""Grounds, their history and disagreements in a terminal."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.views.text import plain, quoted
from control_plane.autonomy.acceptance import Acceptance
from control_plane.autonomy.realised import Coverage
from control_plane.autonomy.views import Disagreements, GroundPage, GroundView
from domain.autonomy import Hindsight
from domain.keeping import Review
from domain.rehearsal import Rehearsal

_LEVELS = {0: "0 advises", 1: "1 acts where harmless", 2: "2 acts where narrow"}


def grounds(rows: Sequence[GroundView]) -> RenderableType:
    """Return the table of grounds."""
    if not rows:
        return Text("Nothing is recorded yet: autonomy is earned by plans that were signed and worked.")
    table = _table("ground", "level", "clean", "at most wrong", "allowed", "clean ones to go", "waiver until")
    for row in rows:
        table.add_row(
            Text(plain(row.ground, 160), no_wrap=True),
            Text(_LEVELS[int(row.level)]),
            Text(f"{row.outcomes - row.failures} of {row.outcomes}"),
            Text(f"{row.bound:.1%}"),
            Text("–" if row.limit is None else f"{row.limit:.0%}"),
            Text("never" if row.clean_outcomes_to_go is None else str(row.clean_outcomes_to_go)),
            Text("" if row.waiver_ends_at is None else f"{row.waiver_ends_at:%Y-%m-%d %H:%M}"),
        )
    return table


def ground(page: GroundPage) -> RenderableType:
    """Return one ground with its history."""
    moves = _table("when (UTC)", "from", "to", "by", "evidence", "because")
    for move in page.moves:
        moves.add_row(
            Text(f"{move.made_at:%Y-%m-%d %H:%M:%S}"),
            Text(str(int(move.previous))),
            Text(str(int(move.level)) if move.moved else "refused"),
            Text(plain(move.actor, 60)),
            Text(f"{move.outcomes - move.failures} of {move.outcomes}, at most {move.bound:.1%}"),
            Text(plain(move.because, 200)),
        )
    waivers = _table("waiver", "level", "signed by", "until (UTC)", "ended (UTC)", "because")
    for waiver in page.waivers:
        waivers.add_row(
            Text(waiver.id, no_wrap=True),
            Text(str(int(waiver.level))),
            Text(plain(waiver.person, 60)),
            Text(f"{waiver.ends_at:%Y-%m-%d %H:%M}"),
            Text("" if waiver.revoked_at is None else f"{waiver.revoked_at:%Y-%m-%d %H:%M}"),
            Text(quoted(waiver.because, 200)),
        )
    credits = _table("known (UTC)", "plan", "counts as", "alone", "what came of it")
    for credit in page.credits:
        said = "clean" if credit.clean else "failure" if credit.counts else "nothing"
        credits.add_row(
            Text(f"{credit.known_at:%Y-%m-%d %H:%M:%S}"),
            Text(credit.proposal_id, no_wrap=True),
            Text(said),
            Text("alone" if credit.alone else "signed"),
            Text(plain(credit.because, 160)),
        )
    return Group(
        grounds([page.view]),
        Text(f"\nsince {page.view.since:%Y-%m-%d %H:%M:%S} UTC: {plain(page.view.because, 300)}"),
        _heading("Levels"),
        moves,
        _heading("Waivers"),
        waivers,
        _heading("Credits"),
        credits,
    )


def hindsight(rehearsal: Rehearsal, found: Hindsight) -> Iterable[RenderableType]:
    """Return what a person signs on who lets an agent act alone: the evidence, and the past had it had the level."""
    claim = found.claim
    table = _table("evidence", "")
    rows = {
        "outcomes": f"{claim.outcomes - claim.failures} clean of {claim.outcomes}",
        "at most wrong": f"{claim.bound:.2%} (allowed: {claim.limit:.0%})",
        "chance to get here while worse": f"{claim.chance:.3g}",
        "levels lost before": str(claim.demotions),
        "past plans looked at": str(found.looked_at),
        "it would have acted alone on": f"{found.alone}, of which {found.alone_wrong} went wrong",
        "they ended": ", ".join(f"{count} {plain(end, 60)}" for end, count in found.ended.items()) or "–",
    }
    for name, value in rows.items():
        table.add_row(Text(name), Text(value))
    yield table
    yield Text("the evidence is enough" if rehearsal.sound else "the evidence is not enough")
    for reason in rehearsal.reasons:
        yield Text(f"  {plain(reason, 400)}")


def disagreements(found: Disagreements) -> RenderableType:
    """Return what people and agents disagreed on, and how often per agent."""
    if not found.rows:
        return Text("Nobody has disagreed with an agent yet.")
    table = _table("when (UTC)", "agent", "person", "choice", "because", "what came of it")
    for row in found.rows:
        table.add_row(
            Text(f"{row.made_at:%Y-%m-%d %H:%M:%S}"),
            Text(plain(row.requester, 60)),
            Text(plain(row.person, 60)),
            Text(plain(row.choice, 20)),
            Text(quoted(row.because, 160)),
            Text(plain(row.outcome, 160) or "not known yet"),
        )
    rates = _table("agent", "people said no", "share", "95 %")
    for rate in found.rates:
        rates.add_row(
            Text(plain(rate.requester, 60)),
            Text(f"{rate.disagreements}, of {rate.decided} decided"),
            Text("–" if rate.share is None else f"{rate.share:.1%}"),
            Text(f"{rate.low:.1%} – {rate.high:.1%}"),
        )
    return Group(table, _heading("How often"), rates)


def acceptance(rows: Sequence[Acceptance], held: Coverage) -> RenderableType:
    """Return how often people accept what agents ask for, and how often the twin's intervals held."""
    table = _table("agent", "action", "accepted", "share", "95 %", "")
    for row in rows:
        table.add_row(
            Text(plain(row.agent, 60)),
            Text(row.action),
            Text(f"{row.accepted} of {row.decided}"),
            Text(f"{row.share:.1%}"),
            Text(f"{row.low:.1%} – {row.high:.1%}"),
            Text("has dropped" if row.dropped else ""),
        )
    share = "nothing was measured yet" if held.share is None else f"{held.share:.1%} ({held.low:.1%} – {held.high:.1%})"
    twin = Text(f"\nintervals of the twin: {held.inside} of {held.n} held, {share}; they claim {held.claimed:.0%}")
    return Group(table if rows else Text("People have decided on nothing yet."), twin)


def reviews(rows: Sequence[Review]) -> RenderableType:
    """Return the reviews that are owed."""
    if not rows:
        return Text("No review is owed.")
    table = _table("review", "execution", "due (UTC)")
    for row in rows:
        table.add_row(Text(row.id, no_wrap=True), Text(plain(row.ref, 100)), Text(f"{row.due_at:%Y-%m-%d %H:%M}"))
    return table


def _heading(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(Text(first), no_wrap=True)
    for name in others:
        table.add_column(Text(name), overflow="fold")
    return table
