"""The root of all queries: a table of contents. The resolvers stand beside their types."""

import strawberry

from customergraph.execution.fields import batched, made
from customergraph.loaders import Loaders
from customergraph.schema.connections import Connection
from customergraph.schema.loaded_fields import loaded
from customergraph.schema.node import Node, find_node, find_nodes
from customergraph.schema.project_lists import price_of_counting, price_of_page
from customergraph.schema.types.change import ChangeConnection, changes_of_project
from customergraph.schema.types.charge import Charge, charges_of_project
from customergraph.schema.types.customer import (
    Customer,
    CustomerConnection,
    customer_of,
    customers_of,
    price_of_counting_customers,
    price_of_customers,
)
from customergraph.schema.types.location import Location
from customergraph.schema.types.message import Message, messages_of_project
from customergraph.schema.types.project import Project
from customergraph.schema.types.review import Review, reviews_of_project
from customergraph.schema.types.stats import Stats, stats_of
from customergraph.schema.types.tag import Tag


@strawberry.type(description="Everything that can be read. Requires the scope `read`.")
class Query:
    customer: Customer | None = batched(
        customer_of, None, description="One customer, archived or not; null when the project does not have it."
    )
    customers: CustomerConnection = batched(
        customers_of,
        None,
        description="The customers that meet all conditions of the arguments.",
        count_price=price_of_counting_customers,
        price=price_of_customers,
    )
    changes: ChangeConnection = batched(
        changes_of_project,
        None,
        description="The project's changes in the order in which they were committed, oldest first. A client that"
        " passes each `endCursor` as the next `after` misses none.",
    )
    messages: Connection[Message] = batched(
        messages_of_project,
        None,
        description="All messages of the project, oldest first.",
        count_price=price_of_counting,
        price=price_of_page("channel"),
    )
    reviews: Connection[Review] = batched(
        reviews_of_project,
        None,
        description="All reviews of the project, oldest first, also those whose customer was deleted.",
        count_price=price_of_counting,
        price=price_of_page("score", "locationSlug"),
    )
    charges: Connection[Charge] = batched(
        charges_of_project,
        None,
        description="All charges of the project, oldest first.",
        count_price=price_of_counting,
        price=price_of_page("currency", "locationSlug"),
    )
    stats: Stats = made(
        stats_of, description="Counts and sums by period. Each field reads what it counts, and costs 500."
    )
    locations: list[Location] = loaded(Loaders.locations, None, description="All locations, by name.")
    tags: list[Tag] = loaded(Loaders.tags, None, description="All tags, by name.")
    project: Project = loaded(Loaders.project, None, description="The project that the token belongs to.")
    node: Node | None = strawberry.field(
        resolver=find_node,
        description="The object with this global id; null when the project does not have it.",
    )
    nodes: list[Node | None] = strawberry.field(
        resolver=find_nodes, description="The objects with these global ids, in the same order."
    )
