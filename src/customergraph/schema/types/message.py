from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from customergraph.domain.identity import Kind
from customergraph.domain.message import MESSAGES_BY_ID, MessageCriteria
from customergraph.schema.connections import After
from customergraph.schema.context import Info
from customergraph.schema.enums import MessageChannel, MessageStatus, MessageTemplate
from customergraph.schema.loaded_fields import referenced, unset_to_none
from customergraph.schema.node import Node, database_id, global_id
from customergraph.schema.project_lists import UNSERVED, FirstOfAll, days, first_day, last_day, list_of_project
from customergraph.schema.scalars import BigInt
from customergraph.schema.types.customer_link import CustomerLink


@strawberry.type(description="One email or text message of an outreach sequence.")
class Message(Node):
    id: strawberry.ID = global_id(Kind.MESSAGE)
    database_id: BigInt = database_id()
    uuid: UUID = strawberry.field(description="A universally unique identifier.")
    customer: CustomerLink = referenced(Kind.CUSTOMER, "customer_id", description="The recipient, archived or not.")
    ask_id: BigInt | None = strawberry.field(description="The id that all messages of one review request share.")
    channel: MessageChannel = strawberry.field(description="How it is sent.")
    template: MessageTemplate = strawberry.field(description="What it is for.")
    status: MessageStatus = strawberry.field(description="The state of the message; follows from its times.")
    failed_reason: str | None = strawberry.field(description="Why it failed, as the provider reported it.")
    scheduled_at: datetime = strawberry.field(description="When it is, or was, due to be sent.")
    processed_at: datetime | None = strawberry.field(description="When it was handed to the provider.")
    sent_at: datetime | None = strawberry.field(description="When the provider sent it.")
    delivered_at: datetime | None = strawberry.field(description="When it was delivered.")
    opened_at: datetime | None = strawberry.field(description="When it was first opened.")
    clicked_at: datetime | None = strawberry.field(description="When a link in it was first clicked.")
    failed_at: datetime | None = strawberry.field(description="When it failed.")
    complained_at: datetime | None = strawberry.field(description="When it was marked as unwanted.")
    canceled_at: datetime | None = strawberry.field(description="When it was canceled before it was sent.")
    created_at: datetime = strawberry.field(description="When it was added.")


Statuses = Annotated[
    list[MessageStatus] | None, strawberry.argument(description="Only messages with one of these statuses.")
]
Channel = Annotated[MessageChannel | None, strawberry.argument(description="Only messages of this channel.")]


def message_criteria(status: Statuses, channel: Channel) -> MessageCriteria:
    """Return the conditions of a list of messages."""
    statuses = unset_to_none(status)
    return MessageCriteria(None if statuses is None else frozenset(statuses), unset_to_none(channel))


def messages_of_project(
    info: Info,
    first: FirstOfAll = strawberry.UNSET,
    after: After = strawberry.UNSET,
    status: Annotated[
        list[MessageStatus] | None,
        strawberry.argument(description=f"Only messages with one of these statuses. A page with it {UNSERVED}."),
    ] = strawberry.UNSET,
    channel: Annotated[
        MessageChannel | None,
        strawberry.argument(description=f"Only messages of this channel. A page with other conditions too {UNSERVED}."),
    ] = strawberry.UNSET,
    date_from: Annotated[date | None, first_day("scheduledAt")] = strawberry.UNSET,
    date_to: Annotated[date | None, last_day("scheduledAt")] = strawberry.UNSET,
) -> Any:
    since, until = days(info, date_from, date_to)
    criteria = message_criteria(status, channel)
    return list_of_project(info, Kind.MESSAGE, MESSAGES_BY_ID, (first, after), criteria, since=since, until=until)
