"""The people of the demo, the same every time: customers and what happened with them over the years."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from customergraph.domain.customer import derived

SEED = 20_261_101
BEGIN = datetime(2022, 1, 3, 9, tzinfo=UTC)
END = datetime(2026, 11, 1, 18, tzinfo=UTC)

_FIRST = (
    "Amara Ben Chloé Daniel Elena Farid Grace Hugo Ingrid Jamal Kenji Laura Miguel Nadia Oliver Priya"
    " Quentin Rosa Søren Tessa Umar Violet Wei Ximena Yusuf Zoë Émile Fatima Georg Hannah"
).split()
_LAST = (
    "Abara Bauer Costa Dubois Evans Fischer García Haddad Ito Jensen Kowalski Lopez Müller Nguyen Okafor"
    " Petrov Quinn Rossi Silva Tanaka Underwood Vega Weiß Xu Young Zimmermann O'Brien Strauß Ahmed Lindqvist"
).split()
_COMPANIES = (
    "Lakeside Foods",
    "Northwind Logistics",
    "Ember Studio",
    "Pine & Co",
    "Orbit Labs",
    "Café Central",
)
_NOTES = (
    "Prefers appointments in the morning.",
    "Asked for a receipt by post.",
    "Moved from the Riverside location.",
    "Speaks Spanish.\nCall, do not write.",
    "Referred two friends.",
)
_PRAISE = (
    "Friendly, quick, and they explain everything.",
    "Best experience in years.",
    "Great team, would recommend.",
    "In and out in half an hour.",
)
_BLAME = ("Had to wait far too long.", "Nobody answered the phone.", "It was fine, nothing special.")
_AREAS = (212, 332, 347, 646, 718, 917, 929)


@dataclass(frozen=True, slots=True)
class HistoryCounts:
    """How many messages, reviews and charges each customer has."""

    messages: int
    reviews: int
    charges: int


@dataclass(frozen=True, slots=True)
class Person:
    """A generated customer, its tags, and its history without the customer's id."""

    columns: dict[str, Any]
    tags: tuple[int, ...]
    messages: list[dict[str, Any]]
    reviews: list[dict[str, Any]]
    charges: list[dict[str, Any]]


class Generator:
    """Generates the same people every time."""

    def __init__(self, locations: list[int], tags: list[int], counts: HistoryCounts | None = None) -> None:
        self._random = random.Random(SEED)  # noqa: S311 - reproducible, nothing secret
        self._locations = locations
        self._tags = tags
        self._counts = counts

    def people(self, count: int) -> Iterator[Person]:
        for number in range(count):
            yield self._person(number)

    def _person(self, number: int) -> Person:
        rand = self._random
        created = self._between(BEGIN, END - timedelta(days=2))
        columns = self._columns(number, created)
        counts = self._counts or HistoryCounts(
            messages=rand.choice((0, 1, 2, 2, 3, 4, 6, 9, 14)),
            reviews=rand.choice((0, 0, 0, 1, 1, 2)),
            charges=rand.choice((0, 1, 2, 3, 5, 8)),
        )
        messages = sorted(
            (self._message(created) for _ in range(counts.messages)),
            key=lambda message: message["scheduled_at"],
        )
        if rand.random() < 0.08 and not self._counts:  # noqa: PLR2004
            messages.append(self._scheduled())
        return Person(
            columns,
            tuple(rand.sample(self._tags, rand.choice((0, 0, 1, 1, 2, 3)))),
            messages,
            [self._review(created, columns["location_id"]) for _ in range(counts.reviews)],
            [self._charge(created, columns["location_id"]) for _ in range(counts.charges)],
        )

    def _columns(self, number: int, created: datetime) -> dict[str, Any]:
        rand = self._random
        first, last = rand.choice(_FIRST), rand.choice(_LAST)
        plain = "".join(letter for letter in f"{first}.{last}".lower() if letter.isascii() and letter != "'")
        columns: dict[str, Any] = {
            "uuid": self._uuid(),
            "first_name": first,
            "last_name": last if rand.random() < 0.97 else None,  # noqa: PLR2004
            "email": f"{plain}.{number}@example.com" if number % 20 else None,
            "phone": f"+1{_AREAS[number % 7]}{2_000_000 + number:07d}" if number % 3 else None,
            "company": rand.choice(_COMPANIES) if rand.random() < 0.25 else None,  # noqa: PLR2004
            "has_subscription": rand.random() < 0.3,  # noqa: PLR2004
            "notes": rand.choice(_NOTES) if rand.random() < 0.2 else None,  # noqa: PLR2004
            "address1": f"{rand.randint(1, 999)} {rand.choice(_LAST)} St",
            "address2": f"Apt {rand.randint(1, 40)}" if rand.random() < 0.3 else None,  # noqa: PLR2004
            "city": "New York",
            "state": "NY",
            "postal_code": f"100{rand.randint(1, 99):02d}",
            "location_id": rand.choice(self._locations) if rand.random() < 0.95 else None,  # noqa: PLR2004
            "signed_up_at": created - timedelta(days=rand.randint(0, 30)),
            "created_at": created,
            "updated_at": created,
            "archived_at": self._between(created, END) if rand.random() < 0.06 else None,  # noqa: PLR2004
            "unsubscribed_at": self._between(created, END) if rand.random() < 0.05 else None,  # noqa: PLR2004
            "has_clicked": False,
            "has_charges": False,
        }
        return {**columns, **derived(columns)}

    def _message(self, since: datetime) -> dict[str, Any]:
        rand = self._random
        scheduled = self._between(since, END)
        sent = scheduled + timedelta(seconds=rand.randint(2, 240))
        fate = rand.random()
        was_sent, failed = fate < 0.9, 0.9 <= fate < 0.94  # noqa: PLR2004
        opened = sent + timedelta(minutes=rand.randint(1, 2_000)) if fate < 0.55 else None  # noqa: PLR2004
        return {
            "uuid": self._uuid(),
            "ask_id": rand.randint(1, 10**6),
            "channel": rand.choice(("EMAIL", "EMAIL", "SMS")),
            "template": rand.choice(("REQUEST", "REQUEST", "REMINDER", "THANKS_POSITIVE", "THANKS_NEGATIVE")),
            "scheduled_at": scheduled,
            "processed_at": scheduled + timedelta(seconds=1) if was_sent or failed else None,
            "sent_at": sent if was_sent else None,
            "delivered_at": sent + timedelta(seconds=3) if was_sent else None,
            "opened_at": opened,
            "clicked_at": opened + timedelta(seconds=20) if opened and fate < 0.25 else None,  # noqa: PLR2004
            "failed_at": sent if failed else None,
            "failed_reason": "mailbox unavailable" if failed else None,
            "complained_at": opened if opened and fate < 0.01 else None,  # noqa: PLR2004
            "canceled_at": scheduled - timedelta(hours=3) if not was_sent and not failed else None,
            "created_at": scheduled - timedelta(days=1),
        }

    def _scheduled(self) -> dict[str, Any]:
        unsent = dict.fromkeys(
            (
                "processed_at sent_at delivered_at opened_at clicked_at failed_at failed_reason"
                " complained_at canceled_at"
            ).split()
        )
        due = END + timedelta(days=self._random.randint(60, 120))
        message = self._message(END - timedelta(days=1))
        return {**message, **unsent, "template": "REQUEST", "scheduled_at": due, "created_at": END}

    def _review(self, since: datetime, location_id: int | None) -> dict[str, Any]:
        rand = self._random
        created = self._between(since, END)
        score = rand.choice((5, 5, 5, 5, 4, 4, 3, 2, 1))
        replied = created + timedelta(hours=rand.randint(1, 90)) if rand.random() < 0.4 else None  # noqa: PLR2004
        return {
            "uuid": self._uuid(),
            "location_id": location_id,
            "score": score,
            "body": rand.choice(_PRAISE if score > 3 else _BLAME) if rand.random() < 0.85 else None,  # noqa: PLR2004
            "source": rand.choice(("google", "google", "facebook", "native")),
            "url": None,
            "reply": "Thank you for telling us." if replied else None,
            "replied_at": replied,
            "created_at": created,
            "updated_at": replied or created,
        }

    def _charge(self, since: datetime, location_id: int | None) -> dict[str, Any]:
        rand = self._random
        charged = self._between(since, END)
        amount = rand.randint(2_500, 90_000)
        return {
            "uuid": self._uuid(),
            "location_id": location_id,
            "amount": amount if rand.random() < 0.96 else -amount,  # noqa: PLR2004
            "currency": "USD",
            "charged_at": charged,
            "created_at": charged,
        }

    def _between(self, begin: datetime, end: datetime) -> datetime:
        return begin + timedelta(seconds=self._random.randint(0, max(int((end - begin).total_seconds()), 1)))

    def _uuid(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)
