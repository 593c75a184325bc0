"""The root of all subscriptions. The resolvers stand beside their types."""

import strawberry

from customergraph.execution.fields import batched
from customergraph.schema.types.change import ChangeConnection, following_changes


@strawberry.type(description="Everything that a client can wait for. Requires the scope `read`.")
class Subscription:
    changes: ChangeConnection = batched(
        following_changes,
        None,
        description="The project's changes as they are committed. Each event is a page of `Query.changes`, of up to 100"
        " changes. The first event comes at once, even if it is empty; the others have changes.",
    )
