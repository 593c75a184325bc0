"""Global ids, and the three forms in which an argument names a row (contract, section 6)."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

LARGEST_ID = 2**63 - 1
_INTEGER = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_GLOBAL = re.compile(r"[A-Za-z0-9]{4,64}", re.ASCII)


class Kind(StrEnum):
    """The types that have a global id, by their names in the schema."""

    PROJECT = "Project"
    CUSTOMER = "Customer"
    LOCATION = "Location"
    TAG = "Tag"
    MESSAGE = "Message"
    REVIEW = "Review"
    CHARGE = "Charge"


@dataclass(frozen=True, slots=True)
class GlobalId:
    kind: Kind
    id: int

    def __str__(self) -> str:
        return self.of(self.kind)(self.id)

    @staticmethod
    def of(kind: Kind) -> Callable[[int], str]:
        """Return the function that writes global ids of a kind: base64 of "Type:digits", letters and digits only."""
        form, encoded = f"{kind}:%d".encode(), binascii.b2a_base64
        return lambda id_: encoded(form % id_, newline=False).rstrip(b"=").decode()

    @staticmethod
    def of_column(kind: Kind) -> Callable[[Sequence[int]], list[str]]:
        """Return the function that writes many global ids of a kind, in half of the time.

        Ids with the same number of digits are encoded as one text: each is filled with zero bytes to a multiple
        of three, since that many bytes become four letters of their own.
        """
        write = GlobalId.of(kind)
        prefix = len(f"{kind}:")

        def write_all(ids: Sequence[int]) -> list[str]:
            digits = len(str(max(ids, default=0)))
            if min(ids, default=0) < 10 ** (digits - 1):
                return list(map(write, ids))
            length = prefix + digits
            form = f"{kind}:%d".encode() + bytes(-length % 3)
            text = binascii.b2a_base64(form * len(ids) % tuple(ids), newline=False).decode()
            letters, step = -(-length * 4 // 3), (length + 2) // 3 * 4
            return [text[start : start + letters] for start in range(0, len(text), step)]

        return write_all

    @classmethod
    def parsed(cls, text: str) -> "GlobalId | None":
        """Read a global id; None for a text that is not exactly as one is written."""
        if not _GLOBAL.fullmatch(text):
            return None
        try:
            name, _, digits = (
                base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("ascii").partition(":")
            )
            id_ = _integer(digits)
            global_id = cls(Kind(name), id_) if id_ else None
        except ValueError:
            return None
        return global_id if str(global_id) == text else None


def parsed(text: str, kind: Kind) -> int | UUID | None:
    """Read a global id, an integer id or a uuid, with which an argument names a row of this kind.

    Returns the integer id or the uuid; None for a text that cannot name a row of this kind.
    """
    if integer := _integer(text):
        return integer
    if uuid := parsed_uuid(text):
        return uuid
    global_id = GlobalId.parsed(text)
    return global_id.id if global_id and global_id.kind is kind else None


def parsed_uuid(text: str) -> UUID | None:
    """Read a uuid: 32 hexadecimal digits in five groups; None for another text."""
    # UUID() alone accepts the digits of every script, signs and underscores.
    return UUID(text) if _UUID.fullmatch(text) else None


def _integer(text: str) -> int | None:
    if not _INTEGER.fullmatch(text) or int(text) > LARGEST_ID:
        return None
    return int(text)
