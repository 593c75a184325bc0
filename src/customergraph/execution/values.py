"""Values of a level, as lists of them are made, awaited and put together."""

import asyncio
from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from functools import lru_cache
from inspect import isawaitable
from typing import Any

from graphql import GraphQLError
from graphql.pyutils import is_iterable

# From so many dictionaries on it pays to compile what makes them, unless they have too many keys or too long ones.
MANY = 20
MOST_KEYS = 60
MOST_CHARACTERS = 1_000


async def settled(values: Sequence[Any]) -> list[Any]:
    """Await the values that want it; an exception stands in the place of a value that it prevented."""
    settled_values = list(values)
    waiting = [at for at, one in enumerate(values) if isawaitable(one)]
    answers = await asyncio.gather(*(values[at] for at in waiting), return_exceptions=True)
    for at, one in zip(waiting, answers, strict=True):
        if isinstance(one, BaseException) and not isinstance(one, Exception):
            raise one
        settled_values[at] = one
    return settled_values


async def listed(value: Any, name: str) -> list[Any] | Exception:
    """Make a list of a value of the field of that name; gives what is wrong where it cannot be iterated."""
    try:
        if isinstance(value, AsyncIterable):
            return [item async for item in value]
        if not is_iterable(value):
            return GraphQLError(f"Expected Iterable, but did not find one for field '{name}'.")
        return list(value)
    except Exception as error:  # noqa: BLE001 - answered where the value would stand
        return error


def dictionaries(keys: tuple[str, ...], columns: Sequence[Sequence[Any]], count: int) -> list[dict[str, Any]]:
    """Make so many dictionaries of columns, each of which has the values of one key."""
    if not keys:
        return [{} for _ in range(count)]
    rows = zip(*columns, strict=True)
    if count >= MANY and len(keys) <= MOST_KEYS and sum(map(len, keys)) <= MOST_CHARACTERS:
        return _display(keys)(rows)
    return [dict(zip(keys, row, strict=True)) for row in rows]


# One takes 16 kB at most.
@lru_cache(maxsize=256)
def _display(keys: tuple[str, ...]) -> Callable[[Iterable[Any]], list[dict[str, Any]]]:
    """Make the function that an endpoint written by hand would have; it takes a third of the time."""
    values = [f"v{place}" for place in range(len(keys))]
    # Keys are names of GraphQL: letters, digits and underscores alone.
    entries = ", ".join(f"{key!r}: {value}" for key, value in zip(keys, values, strict=True))
    function = f"lambda rows: [{{{entries}}} for {', '.join(values)}, in rows]"
    display: Callable[[Iterable[Any]], list[dict[str, Any]]] = eval(function)  # noqa: S307
    return display
