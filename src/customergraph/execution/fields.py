"""Fields that are declared once, and resolved for one object or for all objects of a place at once.

graphql-core resolves a field for one object after another, a compiled plan for all of them together.
What such a field reads of its object, and what loads it, stands in one place.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

import strawberry

from customergraph.execution.strawberry_internals import StrawberryField, StrawberryResolver

Value = TypeVar("Value")

# The columns that are read of objects; None where that is not known, so that all are read.
Columns = frozenset[str] | None

# What a field or a count costs, from the arguments of the field, or of the one whose list is counted.
CountPrice = Callable[[Mapping[str, Any]], int]


_NO_COUNTERS: Mapping[str, Any] = {}


class Loader(Protocol):
    """Reads the values of keys."""

    def load(self, key: Any) -> Awaitable[Any]:
        """Return the value of one key, or raise what went wrong with it."""


class Loading:
    """What loads a field: a loader, and the key where an argument and not the object has it."""

    __slots__ = ("counters", "key", "loader")

    def __init__(self, loader: Any, key: Any = None, counters: Mapping[str, Any] = _NO_COUNTERS) -> None:
        self.loader = loader
        self.key = key
        # What counts the lists that the objects stand for, by the field of the objects.
        self.counters = counters

    async def load(self, key: Any) -> Any:
        """Return the source of one object."""
        return await self.loader.load(key)

    def sources(self, values: Any, keys: Sequence[Any]) -> Any:  # noqa: ARG002 - of the kinds that need them
        """Return the sources of many objects, of the values that the loader read for these keys."""
        return values


def accepts_any_source(_source: Any, _info: Any) -> bool:
    """Take any object as one of its type, as `is_type_of` of types whose fields never give another's."""
    return True


class _Part(Generic[Value]):
    """A part of a field's declaration, in its metadata, which Strawberry copies with the field."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, field: StrawberryField, _owner: type) -> Value:
        part: Value = field.metadata[self._name]
        return part


class _DeclaredField(StrawberryField):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # As other fields with a resolver, it is no part of its class's constructor.
        self.init = self.repr = self.compare = False


class ComputedField(_DeclaredField):
    """A field whose value follows from attributes of its object."""

    function = _Part[Callable[..., Any]]()
    # The function of columns, which returns the column of the field.
    by_column = _Part[Callable[..., Sequence[Any]]]()
    # The attributes that the function takes, and the columns that it needs of rows which they hold.
    reads = _Part[tuple[str, ...]]()
    row_columns = _Part[Sequence[str]]()

    @property
    def columns(self) -> frozenset[str]:
        """All that the function wants, of rows that the attributes hold too."""
        return frozenset((*self.reads, *self.row_columns))

    def get_result(self, source: Any, info: Any, args: Any, kwargs: Any) -> Any:  # noqa: ARG002
        return self.of(source)

    def of(self, source: Any) -> Any:
        """Return the value for one object."""
        return self.function(*(getattr(source, name) for name in self.reads))


class _CalledField(StrawberryField):
    """A field whose resolver is called once for all objects."""

    def called(self, info: strawberry.Info[Any, Any], arguments: Mapping[str, Any]) -> Any:
        """Call the resolver, with arguments that are its own."""
        function, takes_info = self._function
        return function(info=info, **arguments) if takes_info else function(**arguments)

    @cached_property
    def _function(self) -> tuple[Callable[..., Any], bool]:
        """The resolver's function by itself, and whether it takes `info`."""
        resolver: Any = self.base_resolver
        # The class around it would check again what the plan has checked.
        return resolver.wrapped_func, bool(resolver.info_parameter)


class MadeField(_CalledField):
    """A field of the root for one object, a named tuple, that follows from the arguments: nothing is read for it."""


class BatchedField(_CalledField):
    """A field that is loaded by an attribute of its object; its resolver tells what loads it."""

    # The attribute that is the key; None for what does not depend on its object.
    key = _Part[str | None]()
    # What a count costs that the field's own object has, and what the field costs besides its objects.
    count_price = _Part[CountPrice | None]()
    price = _Part[CountPrice | None]()

    def get_result(self, source: Any, info: Any, args: Any, kwargs: Any) -> Any:
        loading: Any = super().get_result(source, info, args, kwargs)
        if loading is None:
            return None
        key = getattr(source, self.key) if self.key else loading.key
        return None if self.key and key is None else loading.load(key)

    def loading(self, info: strawberry.Info[Any, Any], arguments: Mapping[str, Any]) -> Loading | None:
        """Return what loads the field, for arguments that are its resolver's own."""
        loading: Loading | None = self.called(info, arguments)
        return loading


class HeldField(_DeclaredField):
    """A field whose objects the attribute of the same name holds."""

    def get_result(self, source: Any, info: Any, args: Any, kwargs: Any) -> Any:  # noqa: ARG002
        return getattr(source, self.python_name)


class CountField(_DeclaredField):
    """The number of entries of the list that an object stands for."""

    # What it costs, unless the field that gives the object has a `count_price`.
    price = _Part[int]()

    def get_result(self, source: Any, info: Any, args: Any, kwargs: Any) -> Any:  # noqa: ARG002
        return source.counters[self.python_name].load(source.list_key)


class CountsField(_DeclaredField):
    """Counts of parts of the list that an object stands for, each an object."""

    # What they cost, all together.
    price = _Part[int]()

    def get_result(self, source: Any, info: Any, args: Any, kwargs: Any) -> Any:  # noqa: ARG002
        return source.counters[self.python_name].load(source.list_key)


def computed(
    function: Callable[..., Any],
    *reads: str,
    by_column: Callable[..., Sequence[Any]] | None = None,
    row_columns: Sequence[str] = (),
    description: str,
) -> Any:
    """Declare a field that is a function of these attributes of its object.

    `by_column` computes the same of many objects, from a column of each attribute. `row_columns` are the
    columns that the field needs of rows which its object holds.
    """
    by_column = by_column or (lambda *columns: list(map(function, *columns)))
    metadata = {"function": function, "by_column": by_column, "reads": reads, "row_columns": row_columns}
    return ComputedField(description=description, metadata=metadata)


def batched(
    loading: Callable[..., Loading | None],
    key: str | None,
    *,
    description: str,
    count_price: CountPrice | None = None,
    price: CountPrice | None = None,
) -> Any:
    """Declare a field that is loaded by the attribute `key` of its object; null where that is null.

    The function takes the field's arguments and `info`, and gives what loads it: None for nothing
    at all. It is called once for all objects of a level, and leaves its arguments as they are:
    where no variable is among them, they are the next operation's too.

    `count_price` and `price` are those of `BatchedField`.
    """
    metadata = {"key": key, "count_price": count_price, "price": price}
    return BatchedField(description=description, metadata=metadata, base_resolver=StrawberryResolver(loading))


def made(function: Callable[..., Any], *, description: str) -> Any:
    """Declare a field of the root for one object, which the function makes of the arguments and `info`."""
    return MadeField(description=description, base_resolver=StrawberryResolver(function))


def held(*, description: str) -> Any:
    """Declare a field for the objects that the attribute of the same name holds."""
    return HeldField(description=description)


def counted(*, description: str, price: int) -> Any:
    """Declare a field for the number of entries of the list that its object stands for."""
    return CountField(description=description, metadata={"price": price})


def counted_in_parts(*, description: str, price: int) -> Any:
    """Declare a field for counts of parts of the list that its object stands for."""
    return CountsField(description=description, metadata={"price": price})
