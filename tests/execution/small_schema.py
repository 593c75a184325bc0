"""A schema that has nothing to do with customers: what the executors have to be right about, and little else.

Its world is made anew for each operation, with faults where a test wants them: a column that is
not what its type wants, a key that its loader fails for, a loader that fails as a whole.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from functools import cached_property
from typing import Annotated, Any, NamedTuple, NewType

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from customergraph.execution.fields import batched, computed
from customergraph.execution.leaves import Native
from customergraph.loaders import Loader
from customergraph.rows import Column, Part, Reading, Rows

PEOPLE = 6
Faults = frozenset[tuple[str, int]]


class Broken(Exception):
    """What the world does where it has a fault."""


class PersonRow(NamedTuple):
    id: int
    name: Any
    nick: Any
    age: Any
    rank: Any
    born: Any
    scores: Any
    boss_id: int | None
    friend_ids: Any


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


# A day that is none is found out by whoever reads it, and by whoever writes it.
_DAYS = Reading(date, date.fromisoformat, lambda stored: [one and _iso(date.fromisoformat(one)) for one in stored])


@dataclass
class World:
    """People and robots, and what loads them; who is asked twice in one turn is loaded once."""

    faults: Faults = frozenset()
    batches: list[tuple[str, Sequence[int], Any]] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)

    def person(self, id_: int) -> PersonRow:
        right: dict[str, Any] = {
            "id": id_,
            "name": f"P{id_}",
            "nick": None if id_ % 3 == 0 else f"N{id_}",
            "age": 20 + id_,
            "rank": Rank.LOW if id_ % 2 else "high",
            "born": None if id_ == 2 else date(2000, 1, 1 + (id_ - 1) % 28),
            "scores": [[id_, None], None, []] if id_ % 2 else [],
            "boss_id": id_ - 1 or None,
            "friend_ids": [other for other in range(1, PEOPLE + 1) if (other + id_) % 3 == 0],
        }
        wrong = {column: _WRONG[column] for column in _WRONG if (column, id_) in self.faults}
        return PersonRow(**{**right, **wrong})

    @cached_property
    def everybody(self) -> Rows:
        """All people, kept by column, whose days are kept as text."""
        columns: dict[str, Any] = dict(
            zip(PersonRow._fields, zip(*map(self.person, range(1, PEOPLE + 1)), strict=True), strict=True)
        )
        days = [one.isoformat() if isinstance(one, date) else one for one in columns["born"]]
        return Rows({**columns, "born": Column(days, _DAYS)}, PEOPLE)

    def robot(self, id_: int) -> RobotRow:
        return RobotRow(id_, None if ("name", -id_) in self.faults else f"R{id_}", id_)

    def loader(self, name: str, value: Callable[[int], Any]) -> Loader:
        """Give the loader of that name; it fails for the keys that have a fault, and as a whole for 0."""

        async def batch(keys: Sequence[int], columns: Any) -> list[Any]:
            self.batches.append((name, keys, columns))
            if (name, 0) in self.faults:
                raise Broken(name)
            return [Broken(f"{name} {key}") if (name, key) in self.faults else value(key) for key in keys]

        loaders = self.__dict__.setdefault("_loaders", {})
        if name not in loaders:
            loaders[name] = Loader(batch)
        return loaders[name]  # type: ignore[no-any-return]


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

    @classmethod
    def is_type_of(cls, source: Any, info: Any) -> bool:
        if ("kind", source.id) in info.context.faults:
            raise Broken("nobody knows what it is")
        return isinstance(source, PersonRow if cls is Person else RobotRow)


def _shout(name: str, age: int) -> str:
    if age > 100:
        raise Broken("too old to shout")
    return name.upper()


def _friends(info: Info) -> Any:
    return info.context.loader("friends", lambda id_: [info.context.person(one) for one in range(1, id_)])


def _rivals(info: Info, upto: int = 3) -> Any:
    if upto > 5:
        raise Broken("not so many")
    if upto == 0:
        return None
    return info.context.loader(
        f"rivals{upto}", lambda id_: deque(None if one == id_ else info.context.person(one) for one in range(1, upto))
    )


def _grid(info: Info) -> Any:
    rows = info.context.person
    return info.context.loader("grid", lambda id_: [[rows(1), None], None, [rows(id_)]] if id_ % 2 else None)


def _shadows(info: Info, more: int = 0) -> Any:
    everybody = info.context.everybody

    def some(id_: int) -> Part:
        start = min(id_ - 1, PEOPLE)
        return Part(everybody, start, max(start, min(id_ + more, PEOPLE)))

    return info.context.loader(f"shadows{more}", some)


def _boss(info: Info) -> Any:
    return info.context.loader("person", info.context.person)


def _pet(info: Info) -> Any:
    world = info.context
    return world.loader("pet", lambda id_: world.robot(id_) if id_ % 2 else world.person(id_))


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
    rank: Rank | None
    born: Day | None
    scores: list[list[int | None] | None]
    shouted: str = computed(_shout, "name", "age", description="")
    boss: "Person | None" = batched(_boss, "boss_id", description="")
    mentor: "Person" = batched(_boss, "id", description="")
    friends: list["Person"] = batched(_friends, "id", description="")
    rivals: list["Person | None"] | None = batched(_rivals, "id", description="")
    shadows: list["Shadow"] = batched(_shadows, "id", description="")
    grid: list[list["Person | None"] | None] | None = batched(_grid, "id", description="")
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
class Robot(Being):
    name: str
    maker: Person = batched(_boss, "maker_id", description="")


Owner = Annotated[Person | Robot, strawberry.union("Owner")]


@strawberry.input
class PeopleInput:
    ids: list[int]
    rank: Rank = Rank.HIGH


def _people(info: Info, first: int = 3) -> Any:
    return info.context.loader(f"people{first}", lambda _: [info.context.person(one) for one in range(1, first + 1)])


@strawberry.type
class Query:
    people: list[Person] = batched(_people, None, description="")

    @strawberry.field
    def person(self, info: Info, id: int) -> Person | None:
        return info.context.person(id) if 1 <= id <= PEOPLE else None  # type: ignore[return-value]

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
