"""Importing messages, reviews and charges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from customergraph.importing.kind import ImportKind
from customergraph.importing.references import References
from customergraph.importing.rows import CheckedRow, Reject, Saved
from customergraph.importing.upsert import Upsert
from customergraph.store import bulk, history
from customergraph.store.transactions import Write


async def save(write: Write, kind: ImportKind, rows: Sequence[CheckedRow]) -> Saved:
    """Add the rows that are new, change those whose uuid is stored, and refresh their customers' summaries."""
    references = await References.read(write)
    owners = await _Owners.read(write, rows)
    uuids = {row.values.get("uuid") for row in rows}
    upsert = Upsert(kind, "uuid", await bulk.known(write, kind.table, "uuid", uuids))
    for row in rows:
        owner = owners.of(row)
        reject = owner if isinstance(owner, Reject) else next(iter(references.unknown(row)), None)
        if reject:
            upsert.saved.rejects.append(reject)
            continue
        values = {**kind.values_to_store(row), **references.location_column(row), "customer_id": owner}
        upsert.put(row.values.get("uuid") or uuid4(), values)
    changes = await upsert.write(write)
    customer_ids = {values["customer_id"] for values in upsert.new.values()}
    for stored, columns in changes:
        customer_ids |= {stored.customer_id, columns.get("customer_id")}
    await history.refresh(write, customer_ids - {None})
    return upsert.saved


@dataclass(frozen=True, slots=True)
class _Owners:
    """The ids of the customers that rows name, by email key and by phone."""

    by_email: Mapping[Any, int]
    by_phone: Mapping[Any, int]

    @classmethod
    async def read(cls, write: Write, rows: Sequence[CheckedRow]) -> "_Owners":
        emails = await bulk.known(write, "customer", "email_key", {row.email_key for row in rows})
        phones = await bulk.known(write, "customer", "phone", {row.values.get("phone") for row in rows})
        return cls({row.email_key: row.id for row in emails}, {row.phone: row.id for row in phones})

    def of(self, row: CheckedRow) -> int | Reject:
        """Return the id of the customer whom a row names; a reject where it names none, or two."""
        by_email, by_phone = self.by_email.get(row.email_key), self.by_phone.get(row.values.get("phone"))
        if by_email is not None and by_phone is not None and by_email != by_phone:
            return Reject(row.line, "phone", "belongs to another customer than the email")
        owner = by_email or by_phone
        if owner is None:
            column = "email" if row.values.get("email") else "phone"
            return Reject(row.line, column, "no customer of the project has it")
        return owner
