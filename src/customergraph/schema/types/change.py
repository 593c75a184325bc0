"""The feed of a project's changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from customergraph.domain import identity
from customergraph.domain.feed import ENTITY_OF, FeedCursor, FeedPage, FeedPages, FeedReader
from customergraph.domain.identity import GlobalId, Kind
from customergraph.domain.paging import LARGEST_PAGE, PAGE, refuse_size
from customergraph.execution.fields import Loading, computed, held
from customergraph.execution.strawberry_internals import to_camel_case
from customergraph.schema.connections import ConnectionSource, ConnectionSources, PageInfo
from customergraph.schema.context import Context, Info
from customergraph.schema.enums import ChangeAction, ChangeKind
from customergraph.schema.loaded_fields import unset_to_none
from customergraph.schema.node import Node, TypedRow
from customergraph.schema.project_lists import FirstOfAll
from customergraph.schema.scalars import BigInt

_WRITERS = {kind: GlobalId.of(entity) for kind, entity in ENTITY_OF.items()}
_customer_id = GlobalId.of(Kind.CUSTOMER)
# No customer has this id.
_NOBODY = 0


def _subject_id(kind: ChangeKind, id_: int) -> str:
    return _WRITERS[kind](id_)


def _field_names(columns: str | None) -> list[str]:
    return list(map(to_camel_case, columns.split())) if columns else []


async def _node(root: Any, info: Info) -> Node | None:
    if root.action is ChangeAction.DELETED:
        return None
    kind = ENTITY_OF[root.kind]
    row = await info.context.loaders.by_id(kind).load(root.subject_id)
    return None if row is None else TypedRow(kind, row)  # type: ignore[return-value] # a row stands for its type


@strawberry.type(description="An object that was added, changed or deleted.")
class Change:
    position: BigInt = strawberry.field(
        description="1 for the project's first change, and 1 more for each that follows, without gaps."
    )
    at: datetime = strawberry.field(
        description="When it was written, by the clock of the writer. The order of changes is that of `position`."
    )
    kind: ChangeKind = strawberry.field(description="The kind of the object.")
    action: ChangeAction = strawberry.field(description="What happened to the object.")
    subject_id: strawberry.ID = computed(
        _subject_id, "kind", "subject_id", description="The global id of the object, also when it is gone."
    )
    subject_uuid: UUID = strawberry.field(description="The uuid of the object, also when it is gone.")
    customer_id: strawberry.ID | None = computed(
        lambda id_: None if id_ is None else _customer_id(id_),
        "customer_id",
        description="The global id of the customer whose object it was then, also when the customer is gone; null for"
        " locations and tags.",
    )
    fields: list[str] = computed(
        _field_names,
        "fields",
        description="The fields that changed, by their names in this schema; empty unless `action` is UPDATED.",
    )
    is_own: bool = strawberry.field(description="Whether it was made with the token of this request.")
    node: Node | None = strawberry.field(
        resolver=_node,
        description="The object as it is now; null when it is gone, and its DELETED change is here or follows.",
    )


def _same(value: Any) -> Any:
    return value


@strawberry.type(description="One change, with its cursor.")
class ChangeEdge:
    cursor: str = computed(_same, "cursor", by_column=_same, description="The place of the change in the feed.")
    node: Change = held(description="The change itself.")


@strawberry.type(description="One page of the project's changes.")
class ChangeConnection:
    edges: list[ChangeEdge] = held(description="The changes of this page, each with its cursor.")
    nodes: list[Change] = held(description="The changes of this page.")
    page_info: PageInfo = held(
        description="The position of this page in the feed. Its `endCursor` is never null: that of an empty page is the"
        " place where the page begins."
    )
    head_cursor: str = computed(
        _same,
        "head_cursor",
        by_column=_same,
        description="The cursor of the newest change. A client that reads all lists from now on passes it as `after`"
        " when it has read them.",
    )


class _FeedSource(ConnectionSource):
    @property
    def head_cursor(self) -> str:
        return self.page.head_cursor  # type: ignore[attr-defined,no-any-return] # it is a page of the feed


class _FeedLoading(Loading):
    """Loads the page of the feed that a field has."""

    __slots__ = ()

    async def load(self, key: Any) -> _FeedSource:
        return _FeedSource(await self.loader.load(key), self.counters, key)

    def sources(self, values: FeedPages, keys: Sequence[Any]) -> ConnectionSources:
        return ConnectionSources(values, self.counters, keys)


class _FollowingLoading(_FeedLoading):
    """Loads the page, and gives it to the reader of a subscription."""

    __slots__ = ("_reader",)

    def __init__(self, loader: Any, reader: FeedReader) -> None:
        super().__init__(loader)
        self._reader = reader

    async def load(self, key: Any) -> _FeedSource:
        source = await super().load(key)
        self._reader.page = source.page  # type: ignore[assignment] # it is a page of the feed
        return source

    def sources(self, values: FeedPages, keys: Sequence[Any]) -> ConnectionSources:
        self._reader.page = values[0]
        return super().sources(values, keys)


_CustomerId = Annotated[
    strawberry.ID | None,
    strawberry.argument(
        description="Only changes of this customer and its history: the customer's global id, integer id or UUID."
    ),
]


def changes_of_project(
    info: Info,
    after: Annotated[
        str | None,
        strawberry.argument(
            description="Return only the changes after this cursor, which must be a cursor of `changes`. The default"
            " is to begin with the oldest change that is kept."
        ),
    ] = strawberry.UNSET,
    first: FirstOfAll = strawberry.UNSET,
    kinds: Annotated[
        list[ChangeKind] | None,
        strawberry.argument(
            description="Only changes of these kinds of objects. A page may then have fewer than `first` changes,"
            " and more may follow."
        ),
    ] = strawberry.UNSET,
    customer_id: _CustomerId = strawberry.UNSET,
) -> Any:
    context, size = info.context, unset_to_none(first)
    refuse_size("first", size)
    page = FeedPage(size or PAGE, _cursor(context, after), *_conditions(kinds, customer_id))
    return _FeedLoading(context.loaders.changes(page, context.token_id))


def following_changes(
    info: Info,
    after: Annotated[
        str | None,
        strawberry.argument(
            description="Begin after this cursor, which must be a cursor of `changes`. The default is to begin with"
            " what is committed from now on."
        ),
    ] = strawberry.UNSET,
    kinds: Annotated[
        list[ChangeKind] | None, strawberry.argument(description="Only changes of these kinds of objects.")
    ] = strawberry.UNSET,
    customer_id: _CustomerId = strawberry.UNSET,
) -> Any:
    context = info.context
    start = context.feed_reader.place or _cursor(context, after)
    page = FeedPage(LARGEST_PAGE, start, *_conditions(kinds, customer_id), at_head=start is None)
    return _FollowingLoading(context.loaders.changes(page, context.token_id), context.feed_reader)


def _cursor(context: Context, after: str | None) -> FeedCursor | None:
    text = unset_to_none(after)
    return None if text is None else FeedCursor.decoded(text, context.principal.project_id)


def _conditions(
    kinds: list[ChangeKind] | None, customer_id: strawberry.ID | None
) -> tuple[frozenset[ChangeKind] | None, int | UUID | None]:
    chosen, customer = map(unset_to_none, (kinds, customer_id))
    return (
        None if chosen is None else frozenset(chosen),
        None if customer is None else identity.parsed(customer, Kind.CUSTOMER) or _NOBODY,
    )
