"""Serving the gateway in worker processes, for the commands `demo` and `serve`."""

from functools import partial
from importlib.metadata import version
from typing import Any

import structlog

from customergraph import logs
from customergraph.errors import CommandRefused
from customergraph.gateway.trusted import TrustedDocuments
from customergraph.settings import Settings, unknown_settings
from customergraph.store.database import without_password
from customergraph.web import tracing_extra
from customergraph.web.app import create_app
from customergraph.web.entrance import Entrance
from customergraph.web.garbage import freeze_startup_objects
from customergraph.web.listening import Listener
from customergraph.web.metrics_port import Exposition, exposing
from customergraph.web.server import configuration
from customergraph.web.workers import Supervisor

_log = structlog.get_logger()


def serve(settings: Settings, *, shown_token: str | None = None) -> None:
    """Serve until a signal says to stop; `shown_token` stands ready in GraphiQL.

    A single worker has a supervisor too, which replaces it. Raises CommandRefused where no server can listen, or no
    worker can start, and for a bad trusted document.
    """
    logs.configure()
    # Workers read it again, also when they are replaced: only here a refusal is the command's.
    TrustedDocuments.of(settings)
    tracing_extra.loaded(settings)
    listener = Listener.on(settings.host, settings.port)
    with exposing(settings) as exposition:
        values = settings.model_dump() | {"host": listener.host}
        config = configuration(partial(_application, values, shown_token, exposition), settings)
        _log_start(settings, listener)
        forget = exposition.forget if exposition else None
        Supervisor(config, listener, settings.workers, settings.drain, forget).run()


def _log_start(settings: Settings, listener: Listener) -> None:
    for name, nearest in unknown_settings():
        _log.warning("unknown_setting", setting=name, nearest=nearest)
    _log.info("starting", version=version("customergraph"), store=without_password(settings.database_url))
    _log.info("limits", **{name: getattr(settings, name) for name in Settings.model_fields if _is_limit(name)})
    addresses = [own.getsockname()[:2] for own in listener.sockets]
    _log.info("listening", addresses=addresses, workers=settings.workers, metrics_port=settings.metrics_port)


def _is_limit(name: str) -> bool:
    return name in {"bucket_size", "bucket_refill", "deadline", "pool_size"} or name.endswith(("_limit", "_timeout"))


def _application(values: dict[str, Any], shown_token: str | None, exposition: Exposition | None) -> Entrance:
    """Make the application in the process that serves it.

    A worker that replaces another may be of a newer version, which has other settings.
    """
    try:
        metrics = exposition.metrics() if exposition else None
        app = create_app(Settings(**values), shown_token=shown_token, metrics=metrics)
    except CommandRefused as refusal:
        # In a worker that was to replace another one.
        _log.error("start_refused", reason=str(refusal))
        raise SystemExit(1) from None
    freeze_startup_objects()
    return app
