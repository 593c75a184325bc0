"""How a message, a review or a charge names the customer whose it is: by an id, an email or a phone."""

from uuid import UUID

from customergraph.domain import identity
from customergraph.domain.contact import email, phone
from customergraph.domain.entry import by_rules
from customergraph.domain.identity import Kind
from customergraph.errors import UserErrorCode, ValueRefused

UNKNOWN_CUSTOMER = "names no customer of this project"
NOBODY = "belongs to no customer of this project"
NEEDED = "is needed for a new entry, or an email or a phone of the customer"
NOT_ITS_OWN = "is that of another customer's entry"


def customer_id(value: str) -> int | UUID:
    """Read a global id, an integer id or a uuid."""
    identity_ = identity.parsed(value, Kind.CUSTOMER)
    if identity_ is None:
        raise ValueRefused(UserErrorCode.NOT_FOUND, UNKNOWN_CUSTOMER)
    return identity_


OWNER_CHECKS = by_rules({"customer_id": customer_id, "email": email, "phone": phone})
