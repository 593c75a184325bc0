"""Fields that are declared once, and resolved for one object or for all objects of a level at once.

The depth-first executor resolves a field for one object after another, the breadth-first one for
all of them together. What such a field reads of its object, and what loads it, stands in one place.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Protocol

import strawberry

from customergraph.execution.strawberry_internals import StrawberryField, StrawberryResolver
from customergraph.rows import Rows

# The columns that are read of a level's objects; None where that is not known, so that all are read.
Columns = frozenset[str] | None

_FUNCTION = "function"
_READS = "reads"
_ROW_COLUMNS = "row_columns"
_KEY = "key"
_PRICE = "price"
_COUNT_PRICE = "count_price"

# What a count costs, from the arguments of the field whose list is counted.
CountPrice = Callable[[Mapping[str, Any]], int]


class Loading(Protocol):
    """What gives the values of keys, in as few batches as it can."""

    def load(self, key: Any) -> Awaitable[Any]:
        """Return the value of one key, or raise what went wrong with it."""

    def load_many(self, keys: Sequence[Any], columns: Columns) -> Awaitable[Sequence[Any]]:
        """Return the value of each key, or in its place what went wrong with it; values have these columns at least."""


class Level:
    """Objects of one type that stand at one place of the operation, read attribute by attribute."""

    def __init__(self, objects: Sequence[Any] | Rows) -> None:
        self.count = len(objects)
        self._objects = objects
        self._columns: Mapping[str, Sequence[Any]] | None = None
        if isinstance(objects, Rows):
            self._columns = objects.columns
            return
        kinds = set(map(type, objects))
        kind = kinds.pop() if len(kinds) == 1 else object
        # Named tuples, as rows are, are read all at once, and others object by object.
        if issubclass(kind, tuple) and (names := getattr(kind, "_fields", None)) is not None:
            self._columns = dict(zip(names, zip(*objects, strict=True), strict=True))

    @property
    def objects(self) -> Sequence[Any]:
        return self._objects.each if isinstance(self._objects, Rows) else self._objects

    def column(self, name: str) -> Sequence[Any]:
        """Return an attribute of each object."""
        column = self._columns.get(name) if self._columns else None
        return list(map(attrgetter(name), self.objects)) if column is None else column

    def attribute(self, name: str) -> Sequence[Any]:
        """Return an attribute of each object; an exception stands in the place of one that cannot be had."""
        try:
            return self.column(name)
        except Exception:  # noqa: BLE001 - the objects are tried one by one
            return [_attempted(attrgetter(name), one) for one in self.objects]

    def computed(self, field: "ComputedField") -> Sequence[Any]:
        """Compute a field of each object; an exception stands in the place of a value that it prevented."""
        try:
            return list(map(field.function, *map(self.column, field.reads)))
        except Exception:  # noqa: BLE001 - the objects are tried one by one
            return [_attempted(field.of, one) for one in self.objects]


def _attempted(function: Callable[[Any], Any], source: Any) -> Any:
    try:
        return function(source)
    except Exception as error:  # noqa: BLE001 - answered where the value would stand
        return error


def accepts_any_source(_source: Any, _info: Any) -> bool:
    """Take any object as one of its type, as `is_type_of` of types whose fields never give another's."""
    return True


class ComputedField(StrawberryField):
    """A field whose value follows from attributes of its object."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # As other fields with a resolver, it is no part of its class's constructor.
        self.init = self.repr = self.compare = False

    @property
    def function(self) -> Callable[..., Any]:
        function: Callable[..., Any] = self.metadata[_FUNCTION]
        return function

    @property
    def reads(self) -> tuple[str, ...]:
        """The attributes that the function takes."""
        reads: tuple[str, ...] = self.metadata[_READS]
        return reads

    @property
    def columns(self) -> frozenset[str]:
        """All that the function wants, of rows that the attributes hold too."""
        return frozenset((*self.reads, *self.metadata[_ROW_COLUMNS]))

    def get_result(self, source: Any, info: Any, args: Any, kwargs: Any) -> Any:  # noqa: ARG002
        return self.of(source)

    def of(self, source: Any) -> Any:
        """Return the value for one object."""
        return self.function(*(getattr(source, name) for name in self.reads))


class BatchedField(StrawberryField):
    """A field that is loaded by an attribute of its object; its resolver tells what loads it."""

    @property
    def key(self) -> str | None:
        """The attribute that is the key; None for what does not depend on its object."""
        key: str | None = self.metadata[_KEY]
        return key

    @property
    def price(self) -> int | None:
        """What a leaf costs for each object, unless the field that gives the object has a `count_price`."""
        price: int | None = self.metadata[_PRICE]
        return price

    @property
    def count_price(self) -> CountPrice | None:
        """What each leaf with a price costs that the field's own object has."""
        price: CountPrice | None = self.metadata[_COUNT_PRICE]
        return price

    def get_result(self, source: Any, info: Any, args: Any, kwargs: Any) -> Any:
        loading: Any = super().get_result(source, info, args, kwargs)
        key = getattr(source, self.key) if self.key else None
        return None if loading is None or (self.key and key is None) else loading.load(key)

    def loading(self, info: strawberry.Info[Any, Any], arguments: Mapping[str, Any]) -> Loading | None:
        """Return what loads the field, for arguments that are its resolver's own."""
        resolver: Any = self.base_resolver
        loading: Loading | None = resolver(info=info, **arguments) if resolver.info_parameter else resolver(**arguments)
        return loading

    async def of_level(self, loading: Loading | None, level: Level, columns: Columns) -> Sequence[Any]:
        """Load the field of all objects of a level."""
        if loading is None:
            return [None] * level.count
        keys = level.column(self.key) if self.key else [None] * level.count
        if self.key is None or None not in keys:
            return await loading.load_many(keys, columns)
        present = [key for key in keys if key is not None]
        try:
            values = iter(await loading.load_many(present, columns) if present else ())
        except Exception as error:  # noqa: BLE001 - answered where there is a key
            return [None if key is None else error for key in keys]
        return [None if key is None else next(values) for key in keys]


def computed(function: Callable[..., Any], *reads: str, row_columns: Sequence[str] = (), description: str) -> Any:
    """Declare a field that is a function of these attributes of its object.

    `row_columns` are the columns that it wants of rows which its object holds.
    """
    metadata = {_FUNCTION: function, _READS: reads, _ROW_COLUMNS: row_columns}
    return ComputedField(description=description, metadata=metadata)


def batched(
    loading: Callable[..., Loading | None],
    key: str | None,
    *,
    description: str,
    price: int | None = None,
    count_price: CountPrice | None = None,
) -> Any:
    """Declare a field that is loaded by the attribute `key` of its object; null where that is null.

    The function takes the field's arguments and `info`, and gives what loads it: None for nothing
    at all. It is called once for all objects of a level, and leaves its arguments as they are:
    where no variable is among them, they are the next operation's too.

    The prices are those of `BatchedField`.
    """
    metadata = {_KEY: key, _PRICE: price, _COUNT_PRICE: count_price}
    return BatchedField(description=description, metadata=metadata, base_resolver=StrawberryResolver(loading))
