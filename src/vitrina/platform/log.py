"""Structured logs: one JSON object per line on standard output, each with its request's id.

``structlog`` loggers and the standard library's (uvicorn, botocore, SQLAlchemy) end in the same
lines. Use keywords, never a formatted sentence: ``log.info("order.placed", number=order.number)``.
"""

import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

import structlog

# The request being answered; empty outside one. A thread that works for a request inherits it.
request_id: ContextVar[str] = ContextVar("request_id", default="")

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(level: Literal["debug", "info", "warning", "error"]) -> None:
    """Send every log line of this process from ``level`` up to standard output."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _add_time_and_request,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(_StandardOutput()),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=_LEVELS[level], handlers=[_ToStructlog()], force=True)
    for server in ("uvicorn", "uvicorn.error"):
        # Uvicorn has set these up for itself before it calls the application's factory.
        logging.getLogger(server).handlers.clear()
        logging.getLogger(server).propagate = True
    logging.getLogger("uvicorn.access").propagate = False  # platform.web.access does that
    # Vendors tell their own story at debug and info; what they warn of is worth a line.
    for vendor in ("botocore", "boto3", "urllib3", "s3transfer", "asyncio"):
        logging.getLogger(vendor).setLevel(logging.WARNING)


class _StandardOutput:
    """Whatever standard output is at the moment: loggers outlive a redirection."""

    def write(self, text: str) -> None:
        sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


def _add_time_and_request(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    event["time"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    if current := request_id.get():
        event.setdefault("request_id", current)
    return event


class _ToStructlog(logging.Handler):
    """Hands the standard library's records to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            log = structlog.get_logger()
            details = {"exc_info": record.exc_info} if record.exc_info else {}
            name = _name_of(record.levelno)
            getattr(log, name)(record.getMessage(), logger=record.name, **details)
        except Exception:
            self.handleError(record)


def _name_of(level: int) -> str:
    return next((name for name, least in reversed(_LEVELS.items()) if level >= least), "debug")
