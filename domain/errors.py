"""Every error that a caller can meet. Each class fixes its code and its HTTP status.

NocturneError
├── BadInput            400  what was sent is malformed or impossible
│   └── TooLarge        413  larger or deeper than this door takes
├── NotAuthenticated    401  nobody knows who is asking
├── Refused             403  known, and not allowed
│   └── ToolRefused     403  an agent reached for a tool that its card does not list
├── NotFound            404  there is no such thing, or not for this caller
├── Conflict            409  true a moment ago, not any more
│   ├── Stale           409  the network changed under a plan; names the changed facts
│   └── IllegalMove     409  the state machine has no such transition
├── Gone                410  it expired
├── TooManyTries        429  wrong tokens, one after the other; says when to try again
└── Unavailable         503  a part that is needed does not answer; try again
"""

from typing import ClassVar


class NocturneError(Exception):
    """Base of the tree. `reason` is one lower-case sentence that says what to do next."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"

    def __init__(self, reason: str, *, code: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error_code = code or self.code

    def body(self) -> dict[str, str]:
        """Return the body that every door shows: `{code, reason}`."""
        return {"code": self.error_code, "reason": self.reason}


class BadInput(NocturneError):
    status, code = 400, "bad_input"


class TooLarge(BadInput):
    status, code = 413, "too_large"


class NotAuthenticated(NocturneError):
    status, code = 401, "not_authenticated"


class Refused(NocturneError):
    """`recorded`: the refusal is in the record already, and is not recorded again on its way out."""

    status, code = 403, "refused"
    recorded = False


class ToolRefused(Refused):
    code = "tool_refused"


class NotFound(NocturneError):
    status, code = 404, "not_found"


class Conflict(NocturneError):
    status, code = 409, "conflict"


class Stale(Conflict):
    code = "stale"


class IllegalMove(Conflict):
    code = "illegal_move"


class Gone(NocturneError):
    status, code = 410, "gone"


class TooManyTries(NocturneError):
    status, code = 429, "too_many_tries"

    def __init__(self, reason: str, *, wait_s: int) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Unavailable(NocturneError):
    status, code = 503, "unavailable"
