"""Whose a message, a review or a charge is, of the customers that entries name."""

from collections.abc import Mapping, Sequence
from typing import Any, Self
from uuid import UUID

from customergraph.domain.contact import mailbox
from customergraph.domain.entry import Entry
from customergraph.domain.mistakes import Mistakes
from customergraph.domain.owner import NOBODY, UNKNOWN_CUSTOMER
from customergraph.errors import UserErrorCode
from customergraph.store import customers
from customergraph.store.transactions import Write

# The values of an entry that name a customer.
NAMES = ("customer_id", "email", "phone")
_UNKNOWN = {"customer_id": UNKNOWN_CUSTOMER, "email": NOBODY, "phone": NOBODY}


class Owners:
    """The customers that entries name, locked in the order of their ids."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._by: Mapping[str, Mapping[Any, Any]] = {
            "customer_id": {key: row for row in rows for key in (row.id, row.uuid)},
            "email": {row.email_key: row for row in rows},
            "phone": {row.phone: row for row in rows},
        }

    @classmethod
    async def read(cls, write: Write, entries: Sequence[Entry], ids: set[int]) -> Self:
        """Read and lock the customers that entries name, and those with these ids."""
        keys: dict[str, set[Any]] = {"id": set(ids), "uuid": set(), "email_key": set(), "phone": set()}
        for entry in entries:
            for name in NAMES:
                if (value := entry.values.get(name)) is not None:
                    column, key = _key(name, value)
                    keys[column].add(key)
        return cls(await customers.locked_by(write, keys, identities_only=True))

    def knows(self, entry: Entry) -> bool:
        """Return whether a name of the entry is that of a customer."""
        return any(
            (value := entry.values.get(name)) is not None and self._by[name].get(_key(name, value)[1]) is not None
            for name in NAMES
        )

    def named(self, entry: Entry, mistakes: Mistakes, *, email_may_be_new: bool) -> int | None:
        """Return the id of the customer that an entry names; None where it names none.

        Adds a mistake for each name that leads to nobody, and for one that leads to another customer than the
        first. With `email_may_be_new`, the phone of a customer without an email names it beside any email.
        """
        given = {name: entry.values[name] for name in NAMES if entry.values.get(name) is not None}
        found = {name: self._by[name].get(_key(name, value)[1]) for name, value in given.items()}
        if email_may_be_new and found.get("email", ()) is None:
            by_phone = found.get("phone")
            if by_phone is not None and by_phone.email is None:
                del found["email"]
        for name, customer in found.items():
            if customer is None:
                mistakes.add((*entry.field, name), UserErrorCode.NOT_FOUND, _UNKNOWN[name])
        return self._only([(name, customer.id) for name, customer in found.items() if customer], entry, mistakes)

    def _only(self, found: Sequence[tuple[str, int]], entry: Entry, mistakes: Mistakes) -> int | None:
        if not found:
            return None
        first, id_ = found[0]
        for name, other in found[1:]:
            if other != id_:
                reason = f"belongs to another customer than the {_WORDS[first]}"
                mistakes.add((*entry.field, name), UserErrorCode.INVALID, reason)
        return id_


_WORDS = {"customer_id": "id", "email": "email"}


def _key(name: str, value: Any) -> tuple[str, Any]:
    """Return the column of a customer that has the key, and the key in the form in which it is compared."""
    if name == "customer_id":
        return ("uuid" if isinstance(value, UUID) else "id"), value
    return ("email_key", mailbox(value)) if name == "email" else (name, value)
