"""The root of all mutations: a table of contents. A new mutation is one more declaration here."""

from typing import Any

from strawberry.tools import create_type

from customergraph.actions import batches
from customergraph.actions import customers as actions
from customergraph.actions.act import Act
from customergraph.schema.mutations.inputs import (
    BY,
    CHARGES,
    CREATE_INPUT,
    CUSTOMER_ID,
    CUSTOMERS,
    MESSAGES,
    NOTES,
    REVIEWS,
    TAG_SLUGS,
    UPDATE_INPUT,
)
from customergraph.schema.mutations.mutation import Argument, mutation
from customergraph.schema.mutations.payloads import (
    CanceledMessagesPayload,
    ChargesPayload,
    CustomerPayload,
    CustomersPayload,
    DeletedCustomerPayload,
    MessagesPayload,
    Payload,
    ReviewsPayload,
)


def _recording(name: str, act: Act[Any, Any], payload: type[Payload], items: Argument) -> Any:
    description = (
        f"Add {name.removeprefix('record').lower()} whose uuid is unknown and change the others, all or none."
        " The same call again changes nothing."
    )
    return mutation(name, act, payload, items, description=description)


Mutation = create_type(
    "Mutation",
    [
        mutation(
            "createCustomer",
            actions.create,
            CustomerPayload,
            CREATE_INPUT,
            description="Adds a customer. Email and phone are each unique in the project.",
        ),
        mutation(
            "deleteCustomer",
            actions.delete,
            DeletedCustomerPayload,
            CUSTOMER_ID,
            description="Deletes a customer permanently, with its messages, charges and tag assignments."
            " Its reviews stay in the project, without a customer.",
        ),
        mutation(
            "archiveCustomer",
            actions.archive,
            CanceledMessagesPayload,
            CUSTOMER_ID,
            description="Hides a customer from lists, and cancels its unsent messages. It is safe to repeat.",
        ),
        mutation(
            "unarchiveCustomer",
            actions.unarchive,
            CustomerPayload,
            CUSTOMER_ID,
            description="Brings an archived customer back; canceled messages stay canceled.",
        ),
        mutation(
            "updateCustomerNotes",
            actions.update_notes,
            CustomerPayload,
            CUSTOMER_ID,
            NOTES,
            description="Replaces the internal notes of a customer.",
        ),
        mutation(
            "unsubscribeCustomer",
            actions.unsubscribe,
            CanceledMessagesPayload,
            CUSTOMER_ID,
            description="Stops all outreach to a customer, and cancels its unsent messages. It is safe to repeat.",
        ),
        mutation(
            "resubscribeCustomer",
            actions.resubscribe,
            CustomerPayload,
            CUSTOMER_ID,
            description="Allows outreach to a customer again.",
        ),
        mutation(
            "cancelCustomerUnsentMessages",
            actions.cancel_unsent_messages,
            CanceledMessagesPayload,
            CUSTOMER_ID,
            description="Cancels a customer's unsent messages, and changes nothing else.",
        ),
        mutation(
            "updateCustomerTags",
            actions.update_tags,
            CustomerPayload,
            CUSTOMER_ID,
            TAG_SLUGS,
            description="Replaces all tags of a customer with those in `tagSlugs`.",
        ),
        mutation(
            "updateCustomer",
            actions.update,
            CustomerPayload,
            CUSTOMER_ID,
            UPDATE_INPUT,
            description="Change some of a customer's fields: an absent one keeps its value, null clears it.",
        ),
        mutation(
            "upsertCustomers",
            batches.upsert_customers,
            CustomersPayload,
            CUSTOMERS,
            BY,
            description="Add the customers that are unknown and change the others, all or none."
            " The same call again changes nothing.",
        ),
        _recording("recordMessages", batches.record_messages, MessagesPayload, MESSAGES),
        _recording("recordReviews", batches.record_reviews, ReviewsPayload, REVIEWS),
        _recording("recordCharges", batches.record_charges, ChargesPayload, CHARGES),
    ],
    description="Everything that can be changed. Requires the scope `write`; `deleteCustomer` requires the scope"
    " `delete`. Nothing is changed unless the token has the scopes of all mutations in the operation. When a"
    " payload is null, an entry in `errors` says why, and the other mutations are still carried out.",
)
