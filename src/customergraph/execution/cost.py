"""The cost of an operation: the number of objects that it may return at most, by its `first` arguments.

An object counts 1, a plain list of objects 10 of them, or as many as there are items in the input of
its mutation, and each field of a mutation 10 more; a field counts what its declaration says besides, which
for most is nothing; connections, edges, page info, statistics and counts count nothing. The same rule gives
the actual cost: the objects that were returned.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from graphql import GraphQLError, GraphQLField, get_named_type, is_input_object_type

from customergraph.domain.paging import LARGEST_PAGE, PAGE
from customergraph.execution.fields import BatchedField, CountField, CountsField
from customergraph.execution.graphql_core import VariableValues
from customergraph.execution.plan import Plan, PlannedField, Selection

PLAIN_LIST = 10
MUTATION_FIELD = 10
# By their names, as Relay's specification tells them.
_FREE_TYPES = ("Connection", "Edge", "PageInfo", "Stats", "Count")


@dataclass(slots=True)
class _Entry:
    """A field that gives objects, or one with a price: how many at most, the weight of each, and what is below."""

    count: int
    weight: int
    surcharge: int
    children: "Cost"
    # What the field costs besides its objects.
    price: int = 0

    def or_(self, other: "_Entry") -> "_Entry":
        """Return what stands under one key of the answer for objects of two types."""
        return _Entry(
            max(self.count, other.count),
            max(self.weight, other.weight),
            max(self.surcharge, other.surcharge),
            Cost(self.children.alternatives + other.children.alternatives),
            max(self.price, other.price),
        )

    @property
    def prices(self) -> "_Entry | None":
        """What has a price, at this place or below; None where nothing has."""
        children = self.children.prices
        return _Entry(self.count, 0, 0, children, self.price) if self.price or any(children.alternatives) else None


@dataclass(slots=True)
class Cost:
    """What a selection set counts, as the fields of each type that its objects may have."""

    alternatives: list[dict[str, _Entry]] = field(default_factory=list)
    _any: dict[str, _Entry] | None = None
    _prices: "Cost | None" = None
    _requested: int | None = None

    @property
    def requested(self) -> int:
        """The number of objects at most."""
        if self._requested is None:
            self._requested = self._at_most()
        return self._requested

    def _at_most(self) -> int:
        return max(
            (
                sum(
                    entry.surcharge + entry.price + entry.count * (entry.weight + entry.children.requested)
                    for entry in entries.values()
                )
                for entries in self.alternatives
            ),
            default=0,
        )

    @property
    def prices(self) -> "Cost":
        """What fields cost besides their objects."""
        if self._prices is None:
            self._prices = Cost([_with_prices(entries) for entries in self.alternatives])
        return self._prices

    def actual(self, data: Mapping[str, Any] | None) -> int:
        """Count the objects of an answer."""
        if data is None or not any(self.alternatives):
            return 0
        return sum(
            entry.surcharge + entry.price + entry.children._of_values(data[key], entry.weight)  # noqa: SLF001 - its own kind
            for key, entry in self._of_any_type().items()
            if key in data
        )

    def _of_any_type(self) -> dict[str, _Entry]:
        """Return the fields of all types together: an answer does not tell of which type an object is."""
        if self._any is None:
            self._any = {}
            for entries in self.alternatives:
                for key, entry in entries.items():
                    self._any[key] = self._any[key].or_(entry) if key in self._any else entry
        return self._any

    def _of_values(self, value: Any, weight: int) -> int:
        if value is None:
            return 0
        if not isinstance(value, list):
            return weight + self.actual(value)
        if not any(self.alternatives):
            return weight * sum(one is not None for one in value)
        return sum(self._of_values(one, weight) for one in value)


def _with_prices(entries: dict[str, _Entry]) -> dict[str, _Entry]:
    prices = {key: entry.prices for key, entry in entries.items()}
    return {key: entry for key, entry in prices.items() if entry is not None}


def estimate(plan: Plan, variables: VariableValues) -> Cost:
    """Estimate what an operation costs with these variables."""
    surcharge = MUTATION_FIELD if plan.is_mutation else 0
    return Cost([_entries(plan.root, variables, _Parent(surcharge=surcharge))])


def relevant_to_cost(value: Any) -> Any:
    """Return what of a variable's value can matter to a cost: a number, a length, an enum, or whether it is blank."""
    if value is None or isinstance(value, int | Enum):
        return value
    if isinstance(value, list):
        return "list", len(value)
    return "blank" if isinstance(value, str) and not value.strip() else "other"


def counted(objects: Mapping[str, int]) -> int:
    """Return the actual cost of a query that gave so many objects of each type."""
    return sum([count for name, count in objects.items() if not name.endswith(_FREE_TYPES)])


@dataclass(frozen=True, slots=True)
class _Parent:
    """What the field that gives objects decides about the fields of these objects.

    `page` is its size where the objects are a connection, `items` how many input objects it takes in a list,
    `surcharge` what each of their fields costs more, and `price` what each of their leaves with a price costs,
    where that is not the leaf's own.
    """

    page: int = 0
    items: int = 0
    surcharge: int = 0
    price: int | None = None


def _entries(selection: Selection, variables: VariableValues, parent: _Parent) -> dict[str, _Entry]:
    """Estimate the fields of one type."""
    return {
        planned.key: _leaf(planned.declared, parent) if planned.leaf else _entry(planned, variables, parent)
        for planned in selection.fields
        if planned.leaf is None or isinstance(planned.declared, CountField)
    }


def _leaf(declared: CountField, parent: _Parent) -> _Entry:
    price = declared.price if parent.price is None else parent.price
    return _Entry(0, 0, 0, Cost(), price)


def _entry(planned: PlannedField, variables: VariableValues, parent: _Parent) -> _Entry:
    try:
        arguments = planned.arguments(variables)
    except GraphQLError:
        # The field is refused where it is executed, and gives nothing.
        return _Entry(0, 0, parent.surcharge, Cost())
    count = 1
    if planned.is_list:
        # A list of ids may ask for more than the ten of a plain list.
        lengths = (len(value) for value in arguments.values() if isinstance(value, list))
        count = parent.page or max(PLAIN_LIST, parent.items, *lengths, 0)
    name = planned.below.type_name
    weight = 0 if name.endswith(_FREE_TYPES) else 1
    size = _page_size(planned.definition, arguments) if name.endswith("Connection") else 0
    inner = _Parent(
        page=size, items=_items(planned.definition, arguments), price=_count_price(planned.declared, arguments)
    )
    below = [_entries(selection, variables, inner) for selection in planned.below.each]
    return _Entry(count, weight, parent.surcharge, Cost(below), _price(planned.declared, arguments))


def _items(definition: GraphQLField, arguments: Mapping[str, Any]) -> int:
    """Return for how many input objects a payload answers; a longer list is refused where it is resolved."""
    lengths = [
        len(arguments[name])
        for name, argument in definition.args.items()
        if is_input_object_type(get_named_type(argument.type)) and isinstance(arguments.get(name), list)
    ]
    return min(max(lengths, default=0), LARGEST_PAGE)


def _count_price(declared: Any, arguments: Mapping[str, Any]) -> int | None:
    if isinstance(declared, BatchedField) and declared.count_price:
        return declared.count_price(arguments)
    return None


def _price(declared: Any, arguments: Mapping[str, Any]) -> int:
    if isinstance(declared, BatchedField) and declared.price:
        return declared.price(arguments)
    return declared.price if isinstance(declared, CountsField) else 0


def _page_size(definition: GraphQLField, arguments: Mapping[str, Any]) -> int:
    if "first" not in definition.args:
        # The events of a subscription are full pages.
        return LARGEST_PAGE
    size = arguments.get("first") or arguments.get("last")
    if size is None:
        default = definition.args["first"].default_value
        size = default if isinstance(default, int) else PAGE
    # A size outside is refused where it is resolved.
    return min(max(size, 0), LARGEST_PAGE)
