"""What another book would change, said in plain words before anybody can put it in force."""

from datetime import datetime

from control_plane.policy.history import under_policy
from control_plane.ports import Ledger
from domain.keeping import PolicyNotice
from policies.engine import Book
from policies.linting import Weight, lint
from policies.rules import WrittenRule

#: So many recorded decisions, the newest, are asked again for a notice.
_LOOK_BACK = 1000


def notice(ledger: Ledger, now: Book, then: Book, *, since: datetime | None = None) -> PolicyNotice:
    """Compare the book in force with another one: their rules, and what the past would have been."""
    before, after = now.written, then.written
    history = under_policy(ledger, then, since=since, most=_LOOK_BACK)
    return PolicyNotice(
        against=now.version,
        added=tuple(_said(after[id]) for id in sorted(after.keys() - before.keys())),
        removed=tuple(_said(before[id]) for id in sorted(before.keys() - after.keys())),
        changed=tuple(
            _difference(before[id], after[id])
            for id in sorted(before.keys() & after.keys())
            if before[id][1:] != after[id][1:]
        ),
        warnings=tuple(
            f"{finding.rule or 'the book'}: {finding.reason}"
            for finding in lint(then)
            if finding.weight is not Weight.NOTE
        ),
        decisions=tuple(f"{one.ref}: {one.was} would be {one.would_be} ({one.reason})" for one in history.changed),
        asked=history.asked,
    )


def told(what: PolicyNotice) -> str:
    """Return a notice as lines of text."""
    lines = [
        *(f"new rule {line}" for line in what.added),
        *(f"rule taken out {line}" for line in what.removed),
        *(f"rule changed {line}" for line in what.changed),
        *(f"warning: {line}" for line in what.warnings),
        f"{len(what.decisions)} of {what.asked} recorded decisions would have come out otherwise",
        *(f"  {line}" for line in what.decisions),
    ]
    return "\n".join(lines)


def _said(rule: WrittenRule) -> str:
    return f"`{rule.id}` ({'permits' if rule.permits else 'forbids'}): {rule.because}"


def _difference(old: WrittenRule, new: WrittenRule) -> str:
    parts = [f"`{new.id}`: {new.because}"]
    if old.because != new.because:
        parts.append(f"it said: {old.because}")
    if {**old.form, "annotations": {}} != {**new.form, "annotations": {}}:
        parts.append("when it applies is changed")
    if old.articles != new.articles:
        parts.append(f"articles: {', '.join(new.articles) or 'none'}")
    if old.file != new.file:
        parts.append(f"it moved from {old.file} to {new.file}")
    return "; ".join(parts)
