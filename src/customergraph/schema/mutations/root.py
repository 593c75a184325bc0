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
            description="Removes a customer for good, with its messages, charges and tag assignments."
            " Its reviews stay in the project, without a customer.",
        ),
        mutation(
            "archiveCustomer",
            actions.archive,
            CanceledMessagesPayload,
            CUSTOMER_ID,
            description="Hides a customer from lists, and cancels its unsent messages. Repeating it is harmless.",
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
            description="Stops all outreach to a customer, and cancels its unsent messages. Repeating it is harmless.",
        ),
        mutation(
            "resubscribeCustomer",
            actions.resubscribe,
            CustomerPayload,
            CUSTOMER_ID,
            description="Lets outreach to a customer resume.",
        ),
        mutation(
            "cancelCustomerUnsentMessages",
            actions.cancel_unsent_messages,
            CanceledMessagesPayload,
            CUSTOMER_ID,
            description="Cancels a customer's unsent messages, and touches nothing else.",
        ),
        mutation(
            "updateCustomerTags",
            actions.update_tags,
            CustomerPayload,
            CUSTOMER_ID,
            TAG_SLUGS,
            description="Replaces all tags of a customer by the given ones.",
        ),
    ],
    description="Everything that can be done. Needs the scope `write`, and `deleteCustomer` the scope `delete`;"
    " nothing is done unless the token has the scopes of all mutations of the operation. A payload that is"
    " null has an error beside it, and the other mutations are done all the same.",
)
