"""The root of all mutations: a table of contents. A new mutation is one more declaration here."""

from strawberry.tools import create_type

from customergraph.actions import customers as actions
from customergraph.schema.mutations.inputs import CREATE_INPUT, CUSTOMER_ID, NOTES, TAG_SLUGS
from customergraph.schema.mutations.mutation import mutation
from customergraph.schema.mutations.payloads import CanceledMessagesPayload, CustomerPayload, DeletedCustomerPayload

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
    ],
    description="Everything that can be changed. Requires the scope `write`; `deleteCustomer` requires the scope"
    " `delete`. Nothing is changed unless the token has the scopes of all mutations in the operation. When a"
    " payload is null, an entry in `errors` says why, and the other mutations are still carried out.",
)
