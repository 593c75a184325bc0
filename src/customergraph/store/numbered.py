"""Enumerations that are stored as small numbers."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import SmallInteger, TypeDecorator
from sqlalchemy.engine import Dialect


class Numbered(TypeDecorator[StrEnum]):
    """Stores the members of an enumeration as their numbers, from 1: a new member goes to the end."""

    impl = SmallInteger
    cache_ok = True

    def __init__(self, members: Iterable[StrEnum]) -> None:
        super().__init__()
        self.members = tuple(members)

    @staticmethod
    def number(members: Iterable[StrEnum], member: StrEnum) -> int:
        """Return the number of a member."""
        return tuple(members).index(member) + 1

    @classmethod
    def text(cls, members: Iterable[StrEnum], member: StrEnum) -> str:
        """Return the number of a member as SQL, for conditions that the engine has to see as they are."""
        return str(cls.number(members, member))

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else self.number(self.members, value)

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002
        return None if value is None else self.members[value - 1]
