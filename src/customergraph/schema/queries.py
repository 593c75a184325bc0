"""The roots of the graph: tables of contents, whose bodies stand beside their types."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from customergraph.actions import customers as actions
from customergraph.execution.fields import batched
from customergraph.execution.operation import Execution
from customergraph.loaders import Loaders
from customergraph.schema.connections import Connection
from customergraph.schema.directives import of_september_2025
from customergraph.schema.loaded_fields import loaded
from customergraph.schema.mutations import customers as mutations
from customergraph.schema.mutations.scopes import mutation
from customergraph.schema.node import Node, find_node, find_nodes
from customergraph.schema.scalars import NATIVE, SCALARS
from customergraph.schema.types.charge import Charge
from customergraph.schema.types.customer import Customer, customer_of, customers_of, price_of_counting_customers
from customergraph.schema.types.location import Location
from customergraph.schema.types.message import Message
from customergraph.schema.types.project import Project
from customergraph.schema.types.review import Review
from customergraph.schema.types.tag import Tag


@strawberry.type(description="Everything that can be read. Needs the scope `read`.")
class Query:
    node: Node | None = strawberry.field(
        resolver=find_node,
        description="Finds anything by its global id; null when the project has no such thing.",
    )
    nodes: list[Node | None] = strawberry.field(
        resolver=find_nodes, description="Finds several things by their global ids, in the order of the ids."
    )
    project: Project = loaded(Loaders.project, None, description="The project that the token speaks for.")
    customer: Customer | None = batched(
        customer_of, None, description="One customer, archived or not; null when the project has none such."
    )
    customers: Connection[Customer] = batched(
        customers_of,
        None,
        description="The customers that fulfil all of the given conditions.",
        count_price=price_of_counting_customers,
    )
    locations: list[Location] = loaded(Loaders.locations, None, description="All locations, by name.")
    tags: list[Tag] = loaded(Loaders.tags, None, description="All tags, by name.")


@strawberry.type(
    description="Everything that can be done. Needs the scope `write`, and `deleteCustomer` the scope `delete`;"
    " nothing is done unless the token has the scopes of all mutations of the operation. A payload that is"
    " null has an error beside it, and the other mutations are done all the same."
)
class Mutation:
    create_customer = mutation(
        mutations.create_customer,
        actions.create,
        description="Adds a customer. Email and phone are each unique in the project.",
    )
    delete_customer = mutation(
        mutations.delete_customer,
        actions.delete,
        description="Removes a customer for good, with its messages, charges and tag assignments."
        " Its reviews stay in the project, without a customer.",
    )
    archive_customer = mutation(
        mutations.archive_customer,
        actions.archive,
        description="Hides a customer from lists, and cancels its unsent messages. Repeating it is harmless.",
    )
    unarchive_customer = mutation(
        mutations.unarchive_customer,
        actions.unarchive,
        description="Brings an archived customer back; canceled messages stay canceled.",
    )
    update_customer_notes = mutation(
        mutations.update_customer_notes, actions.update_notes, description="Replaces the internal notes of a customer."
    )
    unsubscribe_customer = mutation(
        mutations.unsubscribe_customer,
        actions.unsubscribe,
        description="Stops all outreach to a customer, and cancels its unsent messages. Repeating it is harmless.",
    )
    resubscribe_customer = mutation(
        mutations.resubscribe_customer, actions.resubscribe, description="Lets outreach to a customer resume."
    )
    cancel_customer_unsent_messages = mutation(
        mutations.cancel_customer_unsent_messages,
        actions.cancel_unsent_messages,
        description="Cancels a customer's unsent messages, and touches nothing else.",
    )
    update_customer_tags = mutation(
        mutations.update_customer_tags,
        actions.update_tags,
        description="Replaces all tags of a customer by the given ones.",
    )


schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    types=(Message, Review, Charge),
    config=StrawberryConfig(scalar_map=SCALARS),
)


# The same for graphql-core.
executable = schema._schema  # noqa: SLF001 - Strawberry shows it nowhere else
executable.directives = of_september_2025(executable.directives)


def execution(*, breadth_first: bool = True) -> Execution:
    """Give how operations of this schema are executed; orjson writes their answers."""
    return Execution(executable, NATIVE, breadth_first=breadth_first)


def sdl() -> str:
    """Print the schema as the committed schema.graphql has it."""
    return schema.as_str().rstrip("\n") + "\n"
