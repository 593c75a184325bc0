"""Logs on standard error: one JSON object a line, or lines for people to read."""

import logging
import sys
import traceback
from enum import StrEnum
from types import TracebackType
from typing import Any

import structlog

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

# The keys that each line has.
LEVEL, LOGGER, TIMESTAMP, EVENT = "level", "logger", "timestamp", "event"
# Their messages have names of the program alone.
_SAFE = (AttributeError, NameError, ImportError)


class Format(StrEnum):
    """How lines are written."""

    JSON = "json"
    CONSOLE = "console"


class LoggedInFull(Exception):
    """An error whose message has no value of a customer. Of most other errors the logs have no message."""


def _trace(exc_info: ExcInfo) -> str:
    """Write an error and its causes, without the messages that may repeat what a customer is called."""
    error: BaseException | None = exc_info[1]
    parts: list[str] = []
    known: set[int] = set()
    while error is not None and id(error) not in known:
        known.add(id(error))
        frames = "".join(traceback.format_tb(error.__traceback__))
        message = f": {error}" if isinstance(error, (LoggedInFull, *_SAFE)) else ""
        parts.insert(0, f"{frames}{type(error).__module__}.{type(error).__qualname__}{message}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\nwhich led to\n\n".join(parts)


_SHARED: tuple[Any, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.ExceptionRenderer(_trace),
)


def renderer(format_: Format) -> Any:
    """Return the processor that makes the text of a line."""
    if format_ is Format.JSON:
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)


def _formatter(format_: Format) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer(format_)],
    )


def config(format_: Format) -> dict[str, Any]:
    """Return the configuration of Python's own logging, for `logging.config.dictConfig`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": _formatter, "format_": format_}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {"alembic": {"level": "WARNING"}},
    }


def configure() -> None:
    """Send the gateway's own log events through the same handlers as those of its libraries."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
