"""Structured logs: one JSON object per line on standard error.

JSON escapes every control character, so text from outside can neither forge a line nor drive a terminal.
What looks like a secret is taken out, by the name of its field or by its form.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from domain.clock import Clock

_SECRET_NAMES = re.compile(r"token|secret|password|authorization|cookie|credential", re.IGNORECASE)
#: Our tokens, keys and proofs, signed tokens of others (JWT), and whatever stands behind `Bearer` or `Basic`.
_SECRET_FORMS = re.compile(r"nc[tkf]_[\w-]+|eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)*|(?<=[Bb]earer )\S+|(?<=[Bb]asic )\S+")
_HIDDEN = "(hidden)"
_LONGEST = 8000


def configure(level: str, clock: Clock) -> None:
    """Send everything that is logged, by us or by a library, through the same steps to standard error."""
    steps: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        lambda _logger, _name, event: event | {"at": clock.now().isoformat()},
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    structlog.configure(
        processors=[*steps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _StandardError()
    render: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(),
    ]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=render, foreign_pre_chain=steps))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("httpx").setLevel(logging.WARNING)  # one line per poll of the network tells nothing


class _StandardError(logging.Handler):
    """Writes to whatever standard error is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            sys.stderr.write(self.format(record) + "\n")
        except (OSError, ValueError):  # nobody listens any more; a log line must not end what it tells of
            self.handleError(record)


def without_secrets(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take secrets out of a log event; long text is cut."""
    return {
        name: value if name.startswith("_") else _HIDDEN if _SECRET_NAMES.search(name) else _cleaned(value)
        for name, value in event.items()
    }


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRET_FORMS.sub(_HIDDEN, value)[:_LONGEST]
    if isinstance(value, dict):
        return {str(k): _HIDDEN if _SECRET_NAMES.search(str(k)) else _cleaned(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _SECRET_FORMS.sub(_HIDDEN, str(value))[:_LONGEST]
