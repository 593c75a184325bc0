"""Whether operations are traced: the libraries for it come with an extra of the package, and are loaded only then."""

from importlib import import_module
from typing import Any

from customergraph.errors import SETTING_PREFIX, CommandRefused
from customergraph.settings import Settings


def loaded(settings: Settings) -> Any:
    """Return the module `tracing`, None where the settings do not ask for it.

    Raises CommandRefused where the extra is not installed.
    """
    if not settings.tracing:
        return None
    try:
        return import_module("customergraph.web.tracing")
    except ModuleNotFoundError:
        reason = "the libraries are missing: pip install 'customergraph[tracing]'"
        raise CommandRefused(f"setting {SETTING_PREFIX}TRACING: {reason}") from None


def tracing(settings: Settings) -> Any:
    """Return the `Tracing` of a worker; None where nothing is traced."""
    module = loaded(settings)
    return module.Tracing(settings.database_url.partition("+")[0]) if module else None
