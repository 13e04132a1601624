"""What all words share: they are frozen, refuse fields they do not know, and keep time in UTC."""

from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict


def as_utc(moment: datetime) -> datetime:
    """Return `moment` in UTC.

    Raises:
        ValueError: `moment` is naive, so nobody can say when it was, or lies outside the calendar in UTC.
    """
    if moment.tzinfo is None:
        raise ValueError("a time needs a zone: write it with an offset, for example `2026-01-31T12:00:00Z`")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("this time is outside the years 1 to 9999 in UTC; give another") from None


Utc = Annotated[datetime, AfterValidator(as_utc)]


class Word(BaseModel):
    """A frozen value. NaN and infinities are refused; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def but(self, **changes: Any) -> Self:
        """Return a validated copy with some fields changed."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**(fields | changes))


class Stored(Word):
    """A word that has an identity of its own and a place on a shelf of the store."""

    id: str
