"""The embedded messenger: a line in the log for each notice, so that it can be picked up by whatever reads the log."""

import structlog

from domain.roster import Notice

_log = structlog.get_logger("notices")


class LogMessenger:
    """The `Messenger` port on the log. The text of a notice is data: it is a field, never the line itself."""

    def send(self, notice: Notice) -> None:
        _log.info(
            "notice",
            id=notice.id,
            kind=notice.kind,
            to=notice.to_account,
            role=notice.role,
            ref=notice.ref,
            text=notice.text,
            deadline=notice.deadline.isoformat() if notice.deadline else "",
        )
