"""Generates the rows of one large project, the same every time, a thousand customers at once.

Every thousand customers have together 10,000 messages, 2,000 reviews and 5,000 charges: some have none, some
many. So the id of every row is known in advance, and each process can make any thousand. The customers' summaries
are computed while their history is made. One more customer, the oldest, has 100,000 messages, and one tag
has only the first 20 customers. `benchmarks.stores` writes the rows.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from customergraph.demo import people as demo_people
from customergraph.domain.customer import derived
from customergraph.store.tables import charge, customer, customer_tag, message, review

CUSTOMERS_OF_A_BATCH = 1_000
LONGEST_HISTORY = 100_000
CUSTOMERS_OF_RARE_TAG = 20

# How many of each twenty customers have: 10, 2 and 5 on average.
MESSAGES = (0, 0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 10, 11, 14, 18, 23, 30, 44)
REVIEWS = (0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 4, 5, 6, 7, 8)
CHARGES = (0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16)
TAGS = (0, 0, 1, 1, 2, 3)
MESSAGES_OF_A_BATCH, REVIEWS_OF_A_BATCH, CHARGES_OF_A_BATCH = (
    sum(counts) * CUSTOMERS_OF_A_BATCH // len(counts) for counts in (MESSAGES, REVIEWS, CHARGES)
)

TEMPLATES = ("REQUEST", "REQUEST", "REMINDER", "REMINDER", "THANKS_POSITIVE", "THANKS_NEGATIVE")
BEGIN, END = int(demo_people.BEGIN.timestamp()), int(demo_people.END.timestamp())
DAY = 86_400

# Computed columns are not written.
COLUMNS = {
    table: tuple(column.name for column in table.c if column.computed is None)
    for table in (customer, customer_tag, message, review, charge)
}
_SCHEDULED, _SENT, _CLICKED, _TEMPLATE = (
    COLUMNS[message].index(name) - 1 for name in ("scheduled_at", "sent_at", "clicked_at", "template")
)
_REVIEWED = COLUMNS[review].index("created_at") - 1
_CHARGED = COLUMNS[charge].index("charged_at") - 1

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """What the rows of a project refer to, and how many customers it is to have."""

    project_id: int
    locations: tuple[int, ...]
    tags: tuple[int, ...]
    rare_tag: int
    customers: int


@dataclass(slots=True)
class Rows:
    """The rows of some customers, as tuples in the order of COLUMNS; those of the histories without an id."""

    customers: list[Row] = field(default_factory=list)
    tags: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    reviews: list[Row] = field(default_factory=list)
    charges: list[Row] = field(default_factory=list)

    def by_table(self, batch: int) -> Iterator[tuple[Table, list[Row]]]:
        """Return the rows that each table gets; a history's ids follow its times, like those of real ones."""
        yield customer, self.customers
        yield customer_tag, self.tags
        yield message, _numbered(self.messages, _SCHEDULED, batch * MESSAGES_OF_A_BATCH)
        yield review, _numbered(self.reviews, _REVIEWED, batch * REVIEWS_OF_A_BATCH)
        yield charge, _numbered(self.charges, _CHARGED, batch * CHARGES_OF_A_BATCH)


def _numbered(rows: list[Row], key: int, before: int) -> list[Row]:
    rows.sort(key=itemgetter(key))
    return [(id_, *row) for id_, row in enumerate(rows, before + 1)]


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@lru_cache
def _texts(catalog: Catalog) -> list[dict[str, Any]]:
    """Return columns of some of the demo's customers; the generated customers take their texts from them."""
    people = demo_people.Generator([*catalog.locations], [*catalog.tags], demo_people.HistoryCounts(0, 0, 0)).people(
        2_000
    )
    return [person.columns for person in people if person.columns["email"] and person.columns["phone"]]


class Generator:
    """Generates one batch of a thousand customers; the same batch is always the same."""

    def __init__(self, catalog: Catalog, batch: int) -> None:
        self._random = random.Random(demo_people.SEED + batch)  # noqa: S311 - reproducible, nothing secret
        self._catalog = catalog
        self._batch = batch
        self._texts = _texts(catalog)
        self._rows = Rows()

    def rows(self) -> Rows:
        """Generate the batch; the last one of a project may be smaller."""
        first = self._batch * CUSTOMERS_OF_A_BATCH
        numbers = range(first, min(first + CUSTOMERS_OF_A_BATCH, self._catalog.customers))
        for number, *counts in zip(numbers, *map(self._shuffled, (MESSAGES, REVIEWS, CHARGES)), strict=False):
            # Customers come over the years, some of them with a file of an older system.
            share = number / self._catalog.customers
            created = BEGIN + int(share * (END - BEGIN - 40 * DAY)) + self._below(30 * DAY)
            self._person(number, created, *counts)
        return self._rows

    def oldest(self) -> Rows:
        """Generate the customer whose history is the longest."""
        self._person(self._catalog.customers, BEGIN, LONGEST_HISTORY, 1, 1)
        return self._rows

    def _shuffled(self, counts: Sequence[int]) -> list[int]:
        all_counts = [*counts] * (CUSTOMERS_OF_A_BATCH // len(counts))
        self._random.shuffle(all_counts)
        return all_counts

    def _below(self, limit: int) -> int:
        return int(self._random.random() * limit)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _uuid(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def _person(self, number: int, created: int, messages: int, reviews: int, charges: int) -> None:
        columns = self._columns(number, created)
        reachable = not (columns["archived_at"] or columns["unsubscribed_at"])
        mine = self._messages(columns["id"], created, messages, reachable=reachable)
        opinions = [self._review(columns, created) for _ in range(reviews)]
        columns |= {
            "asked_at": max((row[_SCHEDULED] for row in mine if row[_TEMPLATE] == "REQUEST"), default=None),
            "messaged_at": max((row[_SENT] for row in mine if row[_SENT]), default=None),
            "reviewed_at": max((row[_REVIEWED] for row in opinions), default=None),
            "has_clicked": any(row[_CLICKED] for row in mine),
            "has_charges": charges > 0,
        }
        rows = self._rows
        rows.customers.append(tuple(columns[name] for name in COLUMNS[customer]))
        rows.tags += self._tags(columns["id"])
        rows.messages += mine
        rows.reviews += opinions
        rows.charges += [self._charge(columns, created) for _ in range(charges)]

    def _columns(self, number: int, created: int) -> dict[str, Any]:
        texts, others = self._random.choice(self._texts), self._random.choice(self._texts)
        last = texts["last_name"]
        if last and others["last_name"] and self._chance(0.4):
            last = f"{last}-{others['last_name']}"
        mailbox = texts["email"].rpartition(".com")[0].rpartition("@")[0].rpartition(".")[0]
        own = {
            "id": number + 1,
            "project_id": self._catalog.project_id,
            "uuid": self._uuid(),
            "last_name": last,
            "email": f"{mailbox}.{number}@example.com" if number % 20 else None,
            "phone": f"{texts['phone'][:5]}{2_000_000 + number:07d}" if number % 3 else None,
            "signed_up_at": _at(created - self._below(30 * DAY)) if self._chance(0.9) else None,
            "created_at": _at(created),
            "updated_at": _at(created),
            "archived_at": self._later(created) if self._chance(0.06) and created > BEGIN else None,
            "unsubscribed_at": self._later(created) if self._chance(0.05) else None,
        }
        columns = {**texts, **own}
        return {**columns, **derived(columns)}

    def _later(self, since: int) -> datetime:
        return _at(since + self._below(END - since))

    def _tags(self, customer_id: int) -> list[Row]:
        tags = self._random.sample(self._catalog.tags, self._random.choice(TAGS))
        if customer_id <= CUSTOMERS_OF_RARE_TAG:
            tags.append(self._catalog.rare_tag)
        return [(self._catalog.project_id, customer_id, tag_id) for tag_id in sorted(tags)]

    def _messages(self, customer_id: int, created: int, count: int, *, reachable: bool) -> list[Row]:
        """Generate messages: the first asks, except for the few who reviewed before anybody asked them."""
        first = "THANKS_POSITIVE" if self._chance(0.02) else "REQUEST"
        further = TEMPLATES if first == "REQUEST" else TEMPLATES[2:]
        messages = [
            self._message(customer_id, self._random.choice(further) if number else first, created)
            for number in range(count)
        ]
        if messages and reachable and self._chance(0.08):
            messages[-1] = self._scheduled(customer_id)
        return messages

    def _message(self, customer_id: int, template: str, created: int) -> Row:
        scheduled = created + self._below(END - created)
        fate = self._random.random()
        times: dict[str, Any] = {}
        if fate < 0.9:
            times = self._sent_times(scheduled, fate)
        elif fate < 0.94:
            failed = _at(scheduled + 30)
            times = {"processed_at": failed, "failed_at": failed, "failed_reason": "mailbox unavailable"}
        else:
            times = {"canceled_at": _at(scheduled - 3 * 3_600)}
        return self._message_row(customer_id, template, scheduled, times)

    def _sent_times(self, scheduled: int, fate: float) -> dict[str, Any]:
        sent_at = scheduled + 2 + self._below(240)
        times: dict[str, Any] = {
            "processed_at": _at(scheduled + 1),
            "sent_at": _at(sent_at),
            "delivered_at": _at(sent_at + 3),
        }
        if fate < 0.55:
            opened = sent_at + 60 + self._below(2_000 * 60)
            times["opened_at"] = _at(opened)
            if fate < 0.25:
                times["clicked_at"] = _at(opened + 20)
            if fate < 0.01:
                times["complained_at"] = times["opened_at"]
        return times

    def _scheduled(self, customer_id: int) -> Row:
        return self._message_row(customer_id, "REQUEST", END + (60 + self._below(60)) * DAY, {})

    def _message_row(self, customer_id: int, template: str, scheduled: int, times: dict[str, Any]) -> Row:
        at = times.get
        return (
            self._catalog.project_id,
            self._uuid(),
            customer_id,
            1 + self._below(10**6),
            "SMS" if self._chance(0.33) else "EMAIL",
            template,
            _at(scheduled),
            at("processed_at"),
            at("sent_at"),
            at("delivered_at"),
            at("opened_at"),
            at("clicked_at"),
            at("failed_at"),
            at("failed_reason"),
            at("complained_at"),
            at("canceled_at"),
            _at(scheduled - DAY),
        )

    def _review(self, columns: dict[str, Any], created: int) -> Row:
        reviewed_at = created + self._below(END - created)
        score = self._random.choice((5, 5, 5, 5, 4, 4, 3, 2, 1))
        replied = _at(reviewed_at + 3_600 + self._below(90 * 3_600)) if self._chance(0.4) else None
        return (
            self._catalog.project_id,
            self._uuid(),
            columns["id"],
            columns["location_id"],
            score,
            ("Great team, would recommend." if score > 3 else "Had to wait far too long.")
            if self._chance(0.85)
            else None,
            self._random.choice(("google", "google", "facebook", "native")),
            None,
            "Thank you for telling us." if replied else None,
            replied,
            _at(reviewed_at),
            replied or _at(reviewed_at),
        )

    def _charge(self, columns: dict[str, Any], created: int) -> Row:
        charged = self._later(created)
        amount = 2_500 + self._below(87_500)
        return (
            self._catalog.project_id,
            self._uuid(),
            columns["id"],
            columns["location_id"],
            -amount if self._chance(0.04) else amount,
            "USD",
            charged,
            charged,
        )
