"""A schema that has nothing to do with customers: what execution has to be right about, and little else.

Its world is made anew for each operation, with faults where a test wants them: a column that is
not what its type wants, a key that its loader fails for, a loader that fails as a whole. Where all
is right, its loaders give rows by column, as the store's do; some fields only graphql-core executes.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from functools import cached_property, partial
from itertools import accumulate, pairwise
from typing import Annotated, Any, NamedTuple, NewType

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from customergraph.errors import StoreUnavailable
from customergraph.execution.fields import (
    Loading,
    accepts_any_source,
    batched,
    computed,
    counted,
    counted_in_parts,
    held,
    made,
)
from customergraph.execution.leaves import Native
from customergraph.loaders import Loader, Loaders
from customergraph.rows import Column, Conversion, Lists, Range, Rows, Singles
from customergraph.store.linked import FromParent

PEOPLE = 6
Faults = frozenset[tuple[str, int]]
Columns = frozenset[str] | None


class Broken(Exception):
    """What the world does where it has a fault."""


class PersonRow(NamedTuple):
    id: int
    name: Any
    nick: Any
    age: Any
    height: Any
    rank: Any
    born: Any
    seen: Any
    scores: Any
    boss_id: int | None
    # Several people have the same one.
    captain_id: int


class RobotRow(NamedTuple):
    id: int
    name: Any
    maker_id: int


# What stands in a column that has a fault; each is wrong for its type in a way of its own.
_WRONG: dict[str, Any] = {
    "name": None,
    "nick": ["not a string"],
    "age": 2**40,
    "rank": "none of them",
    "born": "not a date",
    "scores": [1, "x", None],
}
# What these have differs from person to person. graphql-core takes 3.0 and True for whole numbers.
_WRONG_HEIGHTS = (True, "tall", 2.5, 2**31, -(2**31) - 1, 3.0)
_WRONG_SEEN = (None, "2000-02-30")


# A stored text that is not a day is found out when it is read, and when it is written.
_DAYS = Conversion(date, date.fromisoformat, lambda stored: [one and _iso(date.fromisoformat(one)) for one in stored])
_DAY_COLUMNS = frozenset({"born", "seen"})


Read = Callable[[Sequence[Any], Columns], Sequence[Any]]


class WorldBatch:
    """Stands for a statement of the store: it reads the values of its keys from the world."""

    before = None

    def __init__(
        self, world: "World", name: str, read: Read, keys: Sequence[Any] | FromParent, columns: Columns
    ) -> None:
        self._world = world
        self._name = name
        self._read = read
        self._keys = keys
        self._columns = columns

    def rows(self, earlier: Sequence[Any]) -> Any:
        """Read the rows; keys may be a column of an earlier batch's rows."""
        keys = self._keys
        if isinstance(keys, FromParent):
            column = earlier[keys.batch].column(keys.column)
            keys = [key for key in dict.fromkeys(column) if key is not None]
        self._world.batches.append((self._name, keys, self._columns))
        if (self._name, 0) in self._world.faults:
            raise StoreUnavailable(self._name, "a fault")
        return getattr(self._read(keys, self._columns), "rows", None)

    def values(self, _rows: Any, keys: Sequence[Any]) -> Sequence[Any]:
        values = self._read(keys, self._columns)
        broken = {key for key in keys if (self._name, key) in self._world.faults}
        if not broken:
            return values
        return [Broken(f"{self._name} {key}") if key in broken else one for key, one in zip(keys, values, strict=True)]


class Reads:
    """Stands for the reads of the store."""

    def __init__(self, *, links: bool) -> None:
        self._links = links
        # Of each time that batches were read together, whether nothing more was to be read.
        self.lasts: list[bool] = []

    def may_be_linked(self, _batches: Sequence[WorldBatch]) -> bool:
        return self._links

    async def values(self, batch: WorldBatch, keys: Sequence[Any]) -> Sequence[Any]:
        return batch.values(batch.rows(()), keys)

    async def together(self, batches: Iterable[WorldBatch], *, is_last: bool) -> list[Any]:
        self.lasts.append(is_last)
        rows: list[Any] = []
        for batch in batches:
            rows.append(batch.rows(rows))
        return rows


@dataclass
class World:
    """People and robots, and what loads them; who is asked twice in one turn is loaded once."""

    faults: Faults = frozenset()
    batches: list[tuple[str, Any, Any]] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    # Whether all may be read at once.
    links: bool = True
    _made: dict[str, Loader] = field(default_factory=dict)

    @cached_property
    def reads(self) -> Any:
        return Reads(links=self.links)

    @cached_property
    def loaders(self) -> Loaders:
        """What a compiled plan reads with."""
        return Loaders(self.reads)

    def person(self, id_: int) -> PersonRow:
        right: dict[str, Any] = {
            "id": id_,
            "name": f"P{id_}",
            "nick": None if id_ % 3 == 0 else f"N{id_}",
            "age": 20 + id_,
            "height": None if id_ == 4 else 150 + id_,
            "rank": Rank.LOW if id_ % 2 else "high",
            "born": None if id_ == 2 else date(2000, 1, 1 + (id_ - 1) % 28),
            "seen": date(2001, 1, 1 + (id_ - 1) % 28),
            "scores": [[id_, None], None, []] if id_ % 2 else [],
            "boss_id": id_ - 1 or None,
            "captain_id": 1 + id_ % 2,
        }
        of_this_one = {
            "height": _WRONG_HEIGHTS[id_ % len(_WRONG_HEIGHTS)],
            "seen": _WRONG_SEEN[id_ % len(_WRONG_SEEN)],
        }
        wrong = {name: value for name, value in (_WRONG | of_this_one).items() if (name, id_) in self.faults}
        return PersonRow(**{**right, **wrong})

    def people(self, count: int, columns: Columns) -> Rows:
        """Return so many people by column, with the columns that are needed and no others; days are stored as text."""
        people = [self.person(id_) for id_ in range(1, count + 1)]
        names = [name for name in PersonRow._fields if columns is None or name in columns]
        stored: dict[str, Any] = {name: [getattr(one, name) for one in people] for name in names}
        for name in _DAY_COLUMNS.intersection(names):
            days = [one.isoformat() if isinstance(one, date) else one for one in stored[name]]
            stored[name] = Column(_DAYS, days)
        return Rows(stored, count)

    def robot(self, id_: int) -> RobotRow:
        return RobotRow(id_, None if ("name", -id_) in self.faults else f"R{id_}", id_)

    def singles(self, keys: Sequence[int], columns: Columns) -> Singles:
        """Return the person of each id; none for an id that nobody has."""
        rows = self.people(max([PEOPLE, *keys]), columns)
        return Singles(rows, [id_ - 1 if id_ > 0 else None for id_ in keys])

    def lists(self, keys: Sequence[Any], columns: Columns, ids_of: Callable[[Any], Sequence[int]]) -> Lists:
        """Return the people of each key, whose lists stand one after another in an order of their own."""
        ids = {key: ids_of(key) for key in reversed(keys)}
        every_id = [id_ for one in ids.values() for id_ in one]
        rows = self.people(max(every_id, default=0), columns).picked([id_ - 1 for id_ in every_id])
        stops = accumulate(map(len, ids.values()), initial=0)
        ranges: dict[Any, Range] = dict(zip(ids, pairwise(stops), strict=True))
        return Lists(rows, [ranges[key] for key in keys])

    def loader(self, name: str, values: Read) -> Loader:
        """Return the loader of that name; it fails for the keys that have a fault, and as a whole for 0."""
        if name not in self._made:
            batch: Any = partial(WorldBatch, self, name, values)
            self._made[name] = Loader(self.reads, batch)
        return self._made[name]


class Rank(Enum):
    LOW = "low"
    HIGH = "high"


strawberry.enum(Rank)
Day = NewType("Day", date)


def _iso(value: date) -> str:
    if not isinstance(value, date):
        raise Broken("no day")
    return value.isoformat()


DAY = ScalarDefinition(
    name="Day",
    description=None,
    specified_by_url=None,
    serialize=_iso,
    parse_value=date.fromisoformat,
    parse_literal=None,
)

Info = strawberry.Info[World, None]


@strawberry.interface
class Being:
    name: str

    # As the product's interface: a field of type Person gives people alone.
    is_type_of = staticmethod(accepts_any_source)

    @staticmethod
    def resolve_type(source: Any, info: Any, _type: Any) -> str:
        if ("kind", source.id) in info.context.faults:
            raise Broken("nobody knows what it is")
        return "Robot" if hasattr(source, "maker_id") else "Person"


def _shout(name: str, age: int) -> str:
    if age > 100:
        raise Broken("too old to shout")
    return name.upper()


def _friends(info: Info) -> Any:
    world = info.context

    def values(keys: Sequence[int], columns: Columns) -> Lists:
        return world.lists(keys, columns, lambda id_: range(1, id_))

    return Loading(world.loader("friends", values))


def _rivals(info: Info, upto: int = 3) -> Any:
    """Give a list by row, some of whose items are null."""
    if upto > 5:
        raise Broken("not so many")
    if upto == 0:
        return None
    person = info.context.person

    def values(keys: Sequence[int], _columns: Columns) -> list[Any]:
        return [deque(None if one == id_ else person(one) for one in range(1, upto)) for id_ in keys]

    return Loading(info.context.loader(f"rivals{upto}", values))


def _grid(info: Info) -> Any:
    person = info.context.person

    def values(keys: Sequence[int], _columns: Columns) -> list[Any]:
        return [[[person(1), None], None, [person(id_)]] if id_ % 2 else None for id_ in keys]

    return Loading(info.context.loader("grid", values))


def _rows_of_lists(info: Info) -> Any:
    """Give rows by column where lists of lists are to be answered."""
    world = info.context
    return Loading(world.loader("table", lambda keys, columns: world.lists(keys, columns, lambda id_: [id_])))


def _shadows(info: Info, more: int = 0) -> Any:
    """Give lists that lie over each other, if there are more."""
    world = info.context

    def values(keys: Sequence[int], columns: Columns) -> Lists:
        starts = [min(id_ - 1, PEOPLE) for id_ in keys]
        stops = [max(start, min(id_ + more, PEOPLE)) for start, id_ in zip(starts, keys, strict=True)]
        return Lists(world.people(PEOPLE, columns), list(zip(starts, stops, strict=True)))

    return Loading(world.loader(f"shadows{more}", values))


def _boss(info: Info) -> Any:
    return Loading(info.context.loader("person", info.context.singles))


def _pet(info: Info) -> Any:
    world = info.context

    def values(keys: Sequence[int], _columns: Columns) -> list[Any]:
        return [world.robot(id_) if id_ % 2 else world.person(id_) for id_ in keys]

    return Loading(world.loader("pet", values))


class LinkSource(NamedTuple):
    to: Any

    @property
    def label(self) -> str:
        return f"to {self.to.id}"


class SummarySource(NamedTuple):
    people: Sequence[Any]

    @property
    def length(self) -> int:
        return len(self.people)


class CircleSource(NamedTuple):
    """Some of the people of a list, and what counts the list."""

    members: Sequence[Any]
    counters: Mapping[str, Loader]
    list_key: Hashable

    @property
    def links(self) -> list[LinkSource]:
        return [LinkSource(row) for row in self.members]

    @property
    def summary(self) -> SummarySource:
        return SummarySource(self.members)


class CircleSources:
    """The sources of many circles, by column."""

    def __init__(self, lists: Lists, counters: Mapping[str, Loader], keys: Sequence[Hashable]) -> None:
        self.count = len(lists)
        self.counters = counters
        self._lists = lists
        self._keys = keys

    def column(self, name: str) -> Sequence[Any]:
        return self._keys if name == "list_key" else [stop - start for start, stop in self._lists.ranges]

    def picked(self, places: Sequence[int]) -> "CircleSources":
        ranges = [self._lists.ranges[place] for place in places]
        return CircleSources(Lists(self._lists.rows, ranges), self.counters, [self._keys[place] for place in places])

    def held(self, name: str) -> tuple[Any, Sequence[Range] | None]:
        if name == "summary":
            return self, None
        rows = self._lists.rows
        return (LinkSources(rows) if name == "links" else rows), self._lists.ranges


class LinkSources:
    """The sources of the links of many circles, by column."""

    def __init__(self, rows: Rows) -> None:
        self.count = rows.count
        self._rows = rows

    def column(self, _name: str) -> list[str]:
        return [f"to {id_}" for id_ in self._rows.column("id")]

    def picked(self, places: Sequence[int]) -> "LinkSources":
        return LinkSources(self._rows.picked(places))

    def held(self, _name: str) -> tuple[Rows, None]:
        return self._rows, None


class CircleLoading(Loading):
    """Loads circles by one loader, and, if `size` or `tally` is selected, these by others."""

    def __init__(self, members: Loader, size: Loader, tally: Loader, key: Any = None) -> None:
        super().__init__(members, key, {"size": size, "tally": tally})

    async def load(self, key: Any) -> Any:
        members = await self.loader.load(key)
        return members if isinstance(members, Exception) else CircleSource(members, self.counters, key)

    def sources(self, values: Any, keys: Sequence[Any]) -> Any:
        return CircleSources(values, self.counters, keys) if type(values) is Lists else values


def _circle(info: Info, first: int = 2) -> Any:
    """Give the first of the people from that one to the last; as for a page, one row more is read."""
    if first < 1:
        raise Broken("too few")
    world = info.context

    def values(keys: Sequence[int], columns: Columns) -> Lists:
        lists = world.lists(keys, columns, lambda id_: range(id_, PEOPLE + 1)[: first + 1])
        return Lists(lists.rows, [(start, min(stop, start + first)) for start, stop in lists.ranges])

    sizes = world.loader("sizes", lambda keys, _columns: [max(0, PEOPLE + 1 - id_) for id_ in keys])
    return CircleLoading(world.loader(f"circle{first}", values), sizes, world.loader("tallies", _tallies), 1)


def _tallies(keys: Sequence[int], _columns: Columns) -> Lists:
    """Count those of each circle by rank; of the last one alone there is no count."""
    ranks = [rank for key in keys if key < PEOPLE for rank in ("high", "low")]
    heads = [(PEOPLE + 1 - key + (rank == "low")) // 2 for key in keys if key < PEOPLE for rank in ("high", "low")]
    stops = accumulate((2 * (key < PEOPLE) for key in keys), initial=0)
    return Lists(Rows({"rank": ranks, "heads": heads}, len(ranks)), list(pairwise(stops)))


def _greeting(
    root: strawberry.Parent[PersonRow], whom: str = "you", times: int | None = None, rank: Rank = Rank.LOW
) -> str | None:
    if times is not None and times < 0:
        raise Broken("less than nothing")
    return f"{root.name} to {whom} as {rank.value} " * (1 if times is None else times) or None


async def _promise(root: strawberry.Parent[PersonRow]) -> str:
    if root.age > 100:
        raise Broken("never kept")
    return f"{root.name} will"


async def _company(root: strawberry.Parent[PersonRow], info: Info) -> Any:
    return [info.context.robot(root.id), root, info.context.robot(3)][: root.id]


@strawberry.type
class Person(Being):
    id: strawberry.ID = computed(str, "id", description="")
    name: str
    nick: str | None
    age: int
    height: int | None
    rank: Rank | None
    born: Day | None
    seen: Day
    scores: list[list[int | None] | None]
    shouted: str = computed(_shout, "name", "age", description="")
    boss: "Person | None" = batched(_boss, "boss_id", description="")
    chief: "Person" = batched(_boss, "boss_id", description="")
    mentor: "Person" = batched(_boss, "id", description="")
    captain: "Person" = batched(_boss, "captain_id", description="")
    friends: list["Person"] = batched(_friends, "id", description="")
    mates: list["Person"] = batched(_friends, "captain_id", description="")
    those_of_the_boss: list["Person"] | None = batched(_friends, "boss_id", description="")
    rivals: list["Person | None"] | None = batched(_rivals, "id", description="")
    shadows: list["Shadow"] = batched(_shadows, "id", description="")
    circle: "Circle" = batched(_circle, "id", description="")
    camp: "Circle | None" = batched(_circle, "captain_id", description="")
    grid: list[list["Person | None"] | None] | None = batched(_grid, "id", description="")
    table: list[list["Person"]] | None = batched(_rows_of_lists, "id", description="")
    pet: Being | None = batched(_pet, "id", description="")

    greeting: str | None = strawberry.field(resolver=_greeting)
    promise: str = strawberry.field(resolver=_promise)
    company: list[Being] = strawberry.field(resolver=_company)


@strawberry.type
class Shadow:
    """A person as a row among rows that are kept by column."""

    name: str
    nick: str | None
    age: int
    rank: Rank | None
    born: Day | None
    shouted: str = computed(_shout, "name", "age", description="")
    birthday: Day | None = computed(lambda born: born, "born", description="")
    of: Person = batched(_boss, "id", description="")
    shadows: list["Shadow"] = batched(_shadows, "id", description="")


@strawberry.type
class Link:
    label: str = computed(lambda label: label, "label", row_columns=("id",), description="")
    to: Person = held(description="")


@strawberry.type
class Summary:
    length: int = computed(lambda length: length, "length", description="")
    people: list["Person"] = held(description="")


@strawberry.type
class Tally:
    rank: Rank
    heads: int


@strawberry.type
class Circle:
    """People of a list, as a connection has them."""

    members: list[Person] = held(description="")
    links: list[Link] = held(description="")
    summary: Summary = held(description="")
    size: int = counted(description="", price=3)
    tally: list[Tally] = counted_in_parts(description="", price=4)


@strawberry.type
class Robot(Being):
    name: str
    maker: Person = batched(_boss, "maker_id", description="")

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, RobotRow)


# A robot is asked first: any source is taken for a person.
Owner = Annotated[Robot | Person, strawberry.union("Owner")]


class EraSource(NamedTuple):
    span: tuple[int, int]


def _born_then(info: Info) -> Any:
    world = info.context
    return Loading(world.loader("born", lambda keys, columns: world.lists(keys, columns, lambda span: range(*span))))


@strawberry.type
class Era:
    """What follows from arguments alone; its lists are loaded by it."""

    people: list[Person] = batched(_born_then, "span", price=lambda _arguments: 5, description="")


def _era(first: int = 1, last: int = 3) -> EraSource:
    if last > PEOPLE or first < 1:
        raise Broken("nobody was born then")
    return EraSource((first, last + 1))


@strawberry.input
class PeopleInput:
    ids: list[int]
    rank: Rank = Rank.HIGH


def _people(info: Info, first: int = 3) -> Any:
    world = info.context
    ids = range(1, first + 1)
    return Loading(world.loader(f"people{first}", lambda keys, columns: world.lists(keys, columns, lambda _: ids)))


def _person(info: Info, id: int) -> Any:
    return Loading(info.context.loader("person", info.context.singles), id) if 1 <= id <= PEOPLE else None


@strawberry.type
class Query:
    people: list[Person] = batched(_people, None, description="")
    person: Person | None = batched(_person, None, description="")
    circle: Circle | None = batched(_circle, None, description="")
    era: Era | None = made(_era, description="")

    @strawberry.field
    def selected(self, info: Info, input: PeopleInput | None = None) -> list[Person] | None:
        ids = input.ids if input else [1]
        return [info.context.person(id_) for id_ in ids]  # type: ignore[misc]

    @strawberry.field
    async def beings(self, info: Info) -> list[Being | None]:
        return [info.context.person(1), info.context.robot(1), info.context.robot(3)]  # type: ignore[list-item]

    @strawberry.field
    def owner(self, info: Info, robot: bool = False) -> Owner | None:  # noqa: FBT001, FBT002 - an argument of the graph
        return info.context.robot(2) if robot else info.context.person(2)  # type: ignore[return-value]

    @strawberry.field
    def oldest(self, info: Info) -> Person:
        return info.context.person(PEOPLE)  # type: ignore[return-value]


@strawberry.type
class Renamed:
    person: Person | None
    before: list[str]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def rename(self, info: Info, id: int, name: str) -> Renamed:
        if not name:
            raise Broken("no name")
        before = list(info.context.renamed)
        info.context.renamed.append(name)
        return Renamed(person=info.context.person(id)._replace(name=name), before=before)  # type: ignore[arg-type]

    @strawberry.mutation
    def forget(self, info: Info) -> str | None:
        info.context.renamed.clear()
        raise Broken("forgotten")


schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    types=[Robot],
    config=StrawberryConfig(scalar_map={Day: DAY}),
)

core = schema._schema  # noqa: SLF001 - Strawberry shows it nowhere else
# Days are left to the JSON encoder.
NATIVE: Native = {"Day": frozenset({date})}
