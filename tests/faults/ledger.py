"""Writers that record the answers to their changes, to be compared with what the store has."""

from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import stores
from factories import Tenant
from faults.expectations import COUNT
from graphql_client import GraphQLClient
from mutations import CREATE

WRITERS = 16
READERS = 4
# The words in each kind of error, and its `extensions.done`.
WORDS: dict[str, bool | None] = {"is not done": False, "Look before repeating it": None, "is done": True}


@dataclass(frozen=True, slots=True)
class Entry:
    """A change that a writer sent: its name, and whether the answer says that it was made."""

    name: str
    done: bool | None


@dataclass(slots=True)
class Ledger:
    """The answers to writers and readers; `codes` counts the codes of errors."""

    entries: list[Entry] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)

    def check(self, tenant: Tenant, allowed: AbstractSet[str] = frozenset({"STORE_UNAVAILABLE"})) -> None:
        """Compare with the store: it has each change that was reported as done, and none reported as not done."""
        names = stores.rows(tenant.database_url, "SELECT first_name FROM customer")
        stored = Counter(name for (name,) in names)
        assert set(self.codes) <= allowed, self.codes
        assert [entry for entry in self.entries if entry.done is True and stored[entry.name] != 1] == []
        assert [entry for entry in self.entries if entry.done is False and stored[entry.name] != 0] == []
        assert max(stored.values()) == 1


def ledger_while(tenant: Tenant, disturb: Callable[[], None]) -> Ledger:
    """Let writers and readers work while something disturbs the store; returns their ledger."""
    ledger, stop = Ledger(), Event()
    token = tenant.client.http.headers["authorization"].removeprefix("Bearer ")
    with ThreadPoolExecutor(WRITERS + READERS) as pool:
        workers = [pool.submit(_write, tenant.base_url, token, number, ledger, stop) for number in range(WRITERS)]
        workers += [pool.submit(_read, tenant.base_url, token, ledger, stop) for _ in range(READERS)]
        try:
            disturb()
        finally:
            stop.set()
        for future in workers:
            future.result()
    return ledger


def _write(url: str, token: str, number: int, ledger: Ledger, stop: Event) -> None:
    with closing(GraphQLClient(url, token)) as client:
        count = 0
        while not stop.is_set():
            count += 1
            name = f"writer {number} change {count}"
            answer = client.answer(CREATE, input={"firstName": name})
            ledger.entries.append(Entry(name, _done(answer.get("errors", ()), ledger)))


def _done(errors: Sequence[dict[str, Any]], ledger: Ledger) -> bool | None:
    """Return what an answer says of the change."""
    if not errors:
        return True
    (error,) = errors
    ledger.codes[error["extensions"]["code"]] += 1
    done: bool | None = next(done for words, done in WORDS.items() if words in error["message"])
    assert error["extensions"]["done"] == done, error
    return done


def _read(url: str, token: str, ledger: Ledger, stop: Event) -> None:
    with closing(GraphQLClient(url, token)) as client:
        while not stop.is_set():
            ledger.codes.update(error["extensions"]["code"] for error in client.answer(COUNT).get("errors", ()))
