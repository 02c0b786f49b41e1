"""Structured logs: one JSON object per line on standard output, each with its request's id.

Use keywords, never a formatted sentence: ``log.info("order.placed", number=order.number)``. What
the standard library's loggers say (uvicorn, botocore, SQLAlchemy) ends in the same lines.

Why not structlog: importing it takes rich and pygments along, a quarter of a second of CPU and
6 MB for every process that starts (docs/decisions/0005-own-log.md).
"""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

# The request being answered; empty outside one. A thread that works for a request inherits it.
request_id: ContextVar[str] = ContextVar("request_id", default="")

_OWN = "vitrina"


class Logger:
    """Writes events, named with dots, with their details."""

    __slots__ = ("_logger",)

    def __init__(self) -> None:
        self._logger = logging.getLogger(_OWN)

    def debug(self, event: str, **details: Any) -> None:
        self._write(logging.DEBUG, event, details)

    def info(self, event: str, **details: Any) -> None:
        self._write(logging.INFO, event, details)

    def warning(self, event: str, **details: Any) -> None:
        self._write(logging.WARNING, event, details)

    def error(
        self, event: str, *, exc_info: BaseException | bool | None = None, **details: Any
    ) -> None:
        self._write(logging.ERROR, event, details, exc_info)

    def exception(self, event: str, **details: Any) -> None:
        """As ``error``, with the traceback of the exception being handled."""
        self._write(logging.ERROR, event, details, exc_info=True)

    def _write(
        self,
        level: int,
        event: str,
        details: dict[str, Any],
        exc_info: BaseException | bool | None = None,
    ) -> None:
        if self._logger.isEnabledFor(level):
            # One attribute of a name of ours: `extra` refuses names the record has already.
            self._logger.log(level, "%s", event, extra={"details": details}, exc_info=exc_info)


def get_logger() -> Logger:
    """A logger; where its lines go is decided by ``configure``."""
    return Logger()


def configure(level: Literal["debug", "info", "warning", "error"]) -> None:
    """Send every log line of this process from ``level`` up to standard output."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler, _JsonLines):
            root.removeHandler(handler)
    root.addHandler(_JsonLines())
    root.setLevel(level.upper())
    for server in ("uvicorn", "uvicorn.error"):
        # Uvicorn has set these up for itself before it calls the application's factory.
        logging.getLogger(server).handlers.clear()
        logging.getLogger(server).propagate = True
    logging.getLogger("uvicorn.access").propagate = False  # platform.web.access does that
    # Vendors tell their own story at debug and info; what they warn of is worth a line.
    for vendor in ("pyvips", "botocore", "boto3", "urllib3", "s3transfer", "asyncio"):
        logging.getLogger(vendor).setLevel(logging.WARNING)


class _JsonLines(logging.Handler):
    """Writes records to whatever standard output is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(_as_json(record, self.formatter or _PLAIN) + "\n")
            sys.stdout.flush()
        except Exception:
            self.handleError(record)


_PLAIN = logging.Formatter()


def _as_json(record: logging.LogRecord, formatter: logging.Formatter) -> str:
    line: dict[str, Any] = {
        "event": record.getMessage(),
        "level": record.levelname.lower(),
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
    }
    if current := request_id.get():
        line["request_id"] = current
    if record.name != _OWN:
        line["logger"] = record.name
    for name, value in getattr(record, "details", {}).items():
        line.setdefault(name, value)
    if record.exc_info:
        line["exception"] = formatter.formatException(record.exc_info)
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=str)
