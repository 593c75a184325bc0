"""The rules for locations and tags (contract, section 2)."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from customergraph.domain import text
from customergraph.domain.contact import ADDRESS_RULES
from customergraph.errors import UserErrorCode, ValueRefused

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def color(value: str) -> str:
    """Check a color of six hexadecimal digits; returns it in lower case."""
    color = value.strip()
    if not _COLOR.fullmatch(color):
        raise ValueRefused(UserErrorCode.INVALID, f"{value[:40]!r} is not a color like #ff8800")
    return color.lower()


_NAMED: Mapping[str, Callable[[str], Any]] = {"slug": text.slug, "name": text.up_to(255)}

LOCATION_RULES: Mapping[str, Callable[[str], Any]] = {
    **_NAMED,
    "display_name": text.up_to(255),
    "code": text.up_to(255),
    **ADDRESS_RULES,
}
TAG_RULES: Mapping[str, Callable[[str], Any]] = {**_NAMED, "color": color, "icon": text.up_to(255)}
