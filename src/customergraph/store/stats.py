"""Statistics by period: each field is one statement, which reads an index of what it counts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Integer, Select, bindparam, case, column, func, select
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement, Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import BigInteger, TypeDecorator

from customergraph.domain.message import MessageChannel
from customergraph.domain.review import SCORES
from customergraph.domain.stats import Periods
from customergraph.errors import BadUserInput
from customergraph.rows import Lists, Rows
from customergraph.store.batches import Batch, Keys
from customergraph.store.entities import CHARGE, REVIEW, Entity
from customergraph.store.rows import Columns
from customergraph.store.statements import cached
from customergraph.store.tables import MESSAGE_STAGES, charge, message, review
from customergraph.store.tenancy import in_project
from customergraph.store.timestamps import Timestamp

_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_LOW_BITS = 32
# The counts of a message's stages, in the order of the schema.
_STAGES = {"scheduled_count": None, **{f"{time.removesuffix('_at')}_count": time for time in MESSAGE_STAGES}}


class _Periods(FunctionElement[Any]):
    inherit_cache = True
    name = "periods"


@compiles(_Periods)
def _json_periods(element: _Periods, compiler: SQLCompiler, **options: Any) -> str:
    starts, ends = (compiler.process(clause, **options) for clause in element.clauses)
    # Not a join of both arrays, which would read the one once for each entry of the other.
    until = f"json_extract({ends}, '$[' || one.key || ']')"
    return f"(SELECT one.key AS number, one.value AS since, {until} AS until FROM json_each({starts}) AS one)"  # noqa: S608 - of parameters


@compiles(_Periods, "postgresql")
def _unnested_periods(element: _Periods, compiler: SQLCompiler, **options: Any) -> str:
    starts, ends = (compiler.process(clause, **options) for clause in element.clauses)
    return (
        "(SELECT one.number - 1 AS number, one.since, one.until"  # noqa: S608 - of parameters
        f" FROM unnest({starts}, {ends}) WITH ORDINALITY AS one (since, until, number))"
    )


class _Sum(TypeDecorator[int]):
    """A sum of whole numbers that may need more than 64 bits."""

    impl = BigInteger
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ARG002
        if not isinstance(value, str):
            return None if value is None else int(value)
        high, low = map(int, value.split())
        return (high << _LOW_BITS) + low


class _ExactSum(FunctionElement[int]):
    inherit_cache = True
    name = "exact_sum"
    type = _Sum()


@compiles(_ExactSum)
def _numeric_sum(element: _ExactSum, compiler: SQLCompiler, **options: Any) -> str:
    return f"sum({compiler.process(element.clauses, **options)})"


@compiles(_ExactSum, "sqlite")
def _sum_in_halves(element: _ExactSum, compiler: SQLCompiler, **options: Any) -> str:
    # SQLite's own sum fails beyond 64 bits.
    (clause,) = element.clauses
    number = compiler.process(clause, **options)
    return f"(sum(({number}) >> {_LOW_BITS}) || ' ' || sum(({number}) & {2**_LOW_BITS - 1}))"


def _grouped(time: ColumnElement[Any], *counted: ColumnElement[Any], by: Sequence[ColumnElement[Any]]) -> Select[Any]:
    """Select what is counted of the rows of each period."""
    arrays = (bindparam(name, type_=Keys(Timestamp)) for name in ("starts", "ends"))
    names = column("number", Integer), column("since", Timestamp), column("until", Timestamp)
    period = _Periods(*arrays).table_valued(*names, name="period")
    groups = [period.c.number, *by]
    within = time >= period.c.since, time < period.c.until
    return select(*groups, *counted).where(*within).group_by(*groups)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


def _narrowed(statement: Select[Any], entity: Entity, names: Sequence[str]) -> Select[Any]:
    return statement.where(in_project(entity.table), *(entity.bounds[name] for name in names))


@cached
def _revenue(names: tuple[str, ...]) -> Executable:
    amount = charge.c.amount
    refunded = _ExactSum(case((amount < 0, amount), else_=0)).label("refunded")
    counted = _ExactSum(amount).label("amount"), refunded, func.count().label("charges_count")
    return _narrowed(_grouped(charge.c.charged_at, *counted, by=[charge.c.currency]), CHARGE, names)


@cached
def _reviews(names: tuple[str, ...]) -> Executable:
    scores = (_count(review.c.score == score).label(f"score_{score}") for score in SCORES)
    return _narrowed(_grouped(review.c.created_at, *scores, by=[]), REVIEW, names)


@cached
def _messages() -> Executable:
    counted = ((func.count(message.c[time]) if time else func.count()).label(name) for name, time in _STAGES.items())
    return _grouped(message.c.scheduled_at, *counted, by=[message.c.channel]).where(in_project(message))


# The columns of a period's rows, of the numbers that were counted in it, by group.
Columned = Callable[[Sequence[tuple[Any, ...]]], Iterator[tuple[Any, ...]]]


def _batch(
    keys: Sequence[Periods], statement: Executable, parameters: Mapping[str, Any], names: Sequence[str], make: Columned
) -> Batch:
    """Read a list of rows for each of the keys; `make` makes the rows of each period."""

    def values(rows: Rows, keys: Sequence[Periods]) -> Lists:
        counted: dict[int, list[tuple[Any, ...]]] = {}
        for number, *others in zip(*rows.columns.values(), strict=True):
            counted.setdefault(number, []).append(tuple(others))
        made: list[tuple[Any, ...]] = []
        ranges, first = [], 0
        for key in keys:
            start = len(made)
            for number, day in enumerate(key.days, first):
                made += [(day, *row) for row in make(sorted(counted.get(number, ())))]
            first += len(key.days)
            ranges.append((start, len(made)))
        columns = list(zip(*made, strict=True)) or [()] * (len(names) + 1)
        return Lists(Rows(dict(zip(("period_start", *names), columns, strict=True)), len(made)), ranges)

    times = {name: [time for key in keys for time in getattr(key, name)] for name in ("starts", "ends")}
    return Batch(statement, {**times, **parameters}, values)


Bounds = tuple[tuple[str, Any], ...]


def revenue(keys: Sequence[Periods], bounds: Bounds, *, columns: Columns) -> Batch:  # noqa: ARG001 - all
    """Add up the charges within the bounds, in each period by currency."""
    names = ("currency", "amount", "refunded", "charges_count")
    return _batch(keys, _revenue(tuple(name for name, _ in bounds)), dict(bounds), names, _revenue_rows)


def _revenue_rows(counted: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    for currency, amount, refunded, count in counted:
        yield currency, _within_64_bits(amount), _within_64_bits(-refunded), count


def _within_64_bits(amount: int) -> int | BadUserInput:
    if _SMALLEST <= amount <= _LARGEST:
        return amount
    # It stands in the place of the value, and is the error of its field.
    return BadUserInput("The amounts add up to a number of more than 64 bits: ask for shorter periods.")


def reviews(keys: Sequence[Periods], bounds: Bounds, *, columns: Columns) -> Batch:  # noqa: ARG001 - all
    """Count the reviews within the bounds, in each period by score."""
    names = ("reviews_count", "average_score", "score_counts")
    return _batch(keys, _reviews(tuple(name for name, _ in bounds)), dict(bounds), names, _review_rows)


def _review_rows(counted: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    scores = list(counted[0]) if counted else [0] * len(SCORES)
    total = sum(scores)
    stars = sum(score * count for score, count in zip(SCORES, scores, strict=True))
    yield total, stars / total if total else None, scores


def messages(keys: Sequence[Periods], *, columns: Columns) -> Batch:  # noqa: ARG001 - all
    """Count the messages of each period and channel that reached each stage."""
    return _batch(keys, _messages(), {}, ("channel", *_STAGES), _message_rows)


def _message_rows(counted: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    by_channel = {row[0]: row for row in counted}
    for channel in MessageChannel:
        yield by_channel.get(channel, (channel, *[0] * len(_STAGES)))
