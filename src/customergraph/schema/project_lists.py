"""The lists of a whole project: their common arguments, and the price of counting them."""

from collections.abc import Hashable, Mapping
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import strawberry

from customergraph.domain import arguments, paging
from customergraph.domain.identity import Kind
from customergraph.domain.paging import Ordering
from customergraph.execution.fields import CountPrice
from customergraph.schema.connections import ConnectionLoading
from customergraph.schema.context import Info
from customergraph.schema.loaded_fields import unset_to_none

# In objects, like all costs: a count reads the rows that it counts.
COUNT_PRICE = 100
# A page under conditions that no index serves together may read many rows for each that it returns.
UNSERVED_PRICE = 100
UNSERVED = f"costs {UNSERVED_PRICE} more, since no index serves it"

_PAGING = {"first", "after"}
FirstOfAll = Annotated[
    int | None,
    strawberry.argument(
        description="Return at most this many entries, from the start of the list: 1 to 100. The default is 25."
    ),
]
LocationSlug = Annotated[
    str | None,
    strawberry.argument(
        description=f"Only those of the location with this slug. A page with other conditions too {UNSERVED}."
    ),
]


def first_day(time: str) -> Any:
    """Describe the argument `dateFrom` of a list whose days are those of a time."""
    return strawberry.argument(
        description=f"The first day of `{time}`, inclusive, in the project's time zone. A page with it {UNSERVED}."
    )


def last_day(time: str) -> Any:
    """Describe the argument `dateTo` of a list whose days are those of a time."""
    return strawberry.argument(
        description=f"The last day of `{time}`, inclusive, in the project's time zone. A page with it {UNSERVED}."
    )


def price_of_counting(_arguments: Mapping[str, Any]) -> int:
    """Return the price of `totalCount` of a project's list."""
    return COUNT_PRICE


def price_of_page(*served: str) -> CountPrice:
    """Return the function that prices a page of a list by its arguments: an index serves each of these alone.

    Of a list of values an index serves one value.
    """

    def price(arguments: Mapping[str, Any]) -> int:
        given = {name: value for name, value in arguments.items() if name not in _PAGING and value is not None}
        is_served = not given or (len(given) == 1 and all(map(_is_served, given.items())))
        return 0 if is_served else UNSERVED_PRICE

    def _is_served(condition: tuple[str, Any]) -> bool:
        name, value = condition
        return name in served and not (isinstance(value, list) and len(value) > 1)

    return price


def days(info: Info, date_from: date | None, date_to: date | None) -> tuple[datetime | None, datetime | None]:
    """Return the times [from, until) of these days in the project's time zone; raises BadUserInput."""
    zone = ZoneInfo(info.context.principal.timezone)
    return arguments.days(unset_to_none(date_from), unset_to_none(date_to), zone)


def list_of_project(
    info: Info,
    kind: Kind,
    ordering: Ordering,
    page: tuple[int | None, str | None],
    criteria: Hashable = None,
    **bounds: Any,
) -> ConnectionLoading:
    """Load a page (`first` and `after`) of the project's rows that meet the criteria and are within the bounds."""
    first, after = map(unset_to_none, page)
    requested = paging.page(ordering, default=paging.PAGE, first=first, after=after)
    present = tuple((name, value) for name, value in sorted(bounds.items()) if value is not None)
    loaders = info.context.loaders
    return ConnectionLoading(
        loaders.page_of_project(kind, requested, criteria, present),
        loaders.count_of_project(kind, criteria, present),
    )
