from datetime import datetime
from uuid import UUID

import strawberry

from customergraph.domain.identity import Kind
from customergraph.schema.enums import MessageChannel, MessageStatus, MessageTemplate
from customergraph.schema.loaded_fields import referenced
from customergraph.schema.node import Node, database_id, global_id
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
