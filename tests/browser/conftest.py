"""GraphiQL's page over a project with a history, open in a browser."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from browser.visit import Visit, visit
from conftest import RunningServer
from customergraph.domain.principal import Scope
from customergraph.settings import Settings
from customergraph.web import pages
from customergraph.web.app import create_app
from factories import Tenant

Arrive = Callable[..., Visit]


@pytest.fixture
def token(acme: Tenant) -> str:
    """A token with all scopes for a project with a customer that has a history."""
    acme.add_histories(2)
    return acme.token_with(*Scope)


@pytest.fixture
def arrive() -> Iterator[Arrive]:
    """Starts a browser for an address.

    Fixtures that need the store come first: Playwright holds the thread's event loop until the test ends.
    """
    if not list(pages.STATIC.glob("bundle/page-*.js")):
        pytest.skip("the bundle is missing: install Node.js with npm, and then this package again")
    with ExitStack() as stack:
        yield lambda url, **options: stack.enter_context(visit(url, **options))


@pytest.fixture
def shown_url(database_url: str, token: str) -> Iterator[str]:
    """The address of a gateway that shows a token, as `customergraph demo` does."""
    settings = Settings(database_url=database_url)
    server = RunningServer(settings)
    server.config.app = partial(create_app, settings, shown_token=token)
    with server:
        yield server.url


@pytest.fixture
def shown(shown_url: str, arrive: Arrive) -> Visit:
    """The open page of a gateway that shows a token."""
    visited = arrive(shown_url)
    visited.open()
    return visited


@pytest.fixture
def bare(url: str, token: str, arrive: Arrive) -> Visit:  # noqa: ARG001 - the token is made before the browser starts
    """The open page of a gateway that shows no token."""
    visited = arrive(url)
    visited.open()
    return visited
