"""Customers that share a mailbox: only an older version let them in.

That version compared only the texts of addresses. An upgrade keeps all its rows: of two customers with one
mailbox, the later gets a different key, and `db check` names it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Text, func, select

from customergraph.store.batches import among
from customergraph.store.tables import customer
from customergraph.store.tenancy import in_project
from customergraph.store.transactions import Transaction

MAX_NAMED = 20
# No email address contains it, so the key equals that of no other customer.
_MARK = "\n"

_HOLDERS = select(customer.c.id, customer.c.email_key).where(
    in_project(customer), among(customer.c.email_key, "keys", Text)
)
_SHARING = in_project(customer), customer.c.email_key.like(f"%{_MARK}%")
_NAMED = select(customer.c.id, customer.c.email_key).where(*_SHARING).order_by(customer.c.id).limit(MAX_NAMED)
_COUNT = select(func.count().label("total")).select_from(customer).where(*_SHARING)


async def keep_apart(transaction: Transaction, rows: Sequence[Any], keys: Mapping[int, dict[str, Any]]) -> None:
    """Change the new `email_key` of each row whose mailbox another row has."""
    new_keys = {row.id: keys[row.id]["email_key"] for row in rows if row.email_key != keys[row.id]["email_key"]}
    holders = await _holders(transaction, [key for key in new_keys.values() if key is not None])
    for id_, key in new_keys.items():
        if key is not None and holders.setdefault(key, id_) != id_:
            keys[id_]["email_key"] = f"{key}{_MARK}{id_}"


async def _holders(transaction: Transaction, keys: Sequence[str]) -> dict[str, int]:
    rows = await transaction.rows(_HOLDERS, {"keys": keys}) if keys else ()
    return {row.email_key: row.id for row in rows}


async def shared(transaction: Transaction) -> list[str]:
    """Return a line for each customer that shares another's mailbox, up to `MAX_NAMED`, and how many more there are."""
    rows = {row.id: row.email_key.partition(_MARK)[0] for row in await transaction.rows(_NAMED)}
    holders = await _holders(transaction, list(rows.values()))
    lines = [
        f"customer {id_} has the mailbox of customer {holders[key]}" for id_, key in rows.items() if key in holders
    ]
    more = await transaction.value(_COUNT) - len(rows)
    return [*lines, f"{more} more customers have the mailbox of another"] if more else lines
