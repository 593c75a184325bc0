"""Mappings: what the columns of another system's file are here, and what the file means where it does not say."""

import tomllib
from collections.abc import Mapping as Table
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from customergraph.errors import CommandRefused

_PRESETS = files("customergraph.importing") / "presets"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(_Strict):
    """A column's text before, or after, its last space: a text without one is all before it."""

    before_last_space: str | None = None
    after_last_space: str | None = None


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Sources = Annotated[tuple[str | Part, ...], BeforeValidator(_listed)]


class Place(_Strict):
    """Where the rows are: below the first row that has the name `header`; in JSON, in the array `rows`."""

    header: str | None = None
    rows: str | None = None


class Values(_Strict):
    """What the file means where it does not say."""

    country: str | None = None
    days: Literal["dmy", "mdy", "ymd"] | None = None
    zone: str | None = None
    amounts: Literal["minor", "major"] | None = None
    tag_separator: str | None = Field(default=None, min_length=1)


class Unsubscribed(_Strict):
    """The words of the column `unsubscribed`; another word says nothing."""

    yes: Texts = ()
    no: Texts = ()


class Id(_Strict):
    """The column with the source's own id, and the name of the source, which make a uuid together."""

    column: str
    name: str = Field(min_length=1)


class Refund(_Strict):
    """The column with what was given back of a charge: a second charge, with a negative amount."""

    amount: str


class Mapping(_Strict):
    """A mapping (`README.md` beside this file): it reads only what it names."""

    kind: str | None = None
    columns: Table[str, Sources]
    file: Place = Place()
    values: Values = Values()
    defaults: Table[str, str] = {}
    words: Table[str, Table[str, str]] = {}
    unsubscribed: Unsubscribed | None = None
    only: Table[str, Texts] = {}
    id: Id | None = None
    first_valid: Table[str, Texts] = {}
    refund: Refund | None = None


@dataclass(frozen=True, slots=True)
class NamedMapping:
    """A mapping, and the name by which errors call it."""

    name: str
    mapping: Mapping


def presets() -> tuple[str, ...]:
    """Return the names of the mappings that the package ships."""
    return tuple(sorted(file.name.removesuffix(".toml") for file in _PRESETS.iterdir() if file.name.endswith(".toml")))


def mapping(name: str) -> NamedMapping:
    """Read the mapping of a preset, or of a TOML file; raises CommandRefused where it is no mapping."""
    try:
        content = (_PRESETS / f"{name}.toml").read_text("utf-8") if name in presets() else Path(name).read_text("utf-8")
        return NamedMapping(name, Mapping.model_validate(tomllib.loads(content)))
    except FileNotFoundError:
        raise CommandRefused(
            f"the mapping {name!r} is neither a file nor a preset: the presets are {', '.join(presets())}"
        ) from None
    except OSError as error:
        raise CommandRefused(f"the mapping {name}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandRefused(f"the mapping {name}: is not TOML: {error}") from None
    except ValidationError as error:
        raise CommandRefused(f"the mapping {name}: {_faults(error)}") from None


def _faults(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:10])
