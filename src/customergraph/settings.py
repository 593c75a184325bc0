"""The settings of a running gateway, and the only reader of the environment."""

import re
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

import redis.asyncio
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, NoDecode, SettingsConfigDict

from customergraph.errors import SETTING_PREFIX, CommandRefused
from customergraph.hosts import header_names, host_name, origin
from customergraph.logs import Format

PREFIX = SETTING_PREFIX
_EMBEDDED = "sqlite+aiosqlite:///"
_SERVER = "postgresql+asyncpg"
# The options that a server's URL may have: a socket's folder, and asyncpg's modes of TLS.
_OPTIONS = {"host", "port", "ssl"}
_SSL = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_REDIS_NUMBER = re.compile(r"(/[0-9]{1,9})?/?")
# Variables of the tests are no settings.
_OF_TESTS = "TESTS_"
# Errors do not repeat these values, which can contain a password.
_SECRET = {"database_url", "redis_url"}


class Settings(BaseSettings):
    """The settings that an operator can choose; the contract's `cli.md` lists the variables."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", frozen=True, extra="ignore")

    database_url: str = "sqlite+aiosqlite:///customergraph.db"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1)] = 1
    graphiql: bool = True
    dashboard: bool = False
    hosts: Annotated[tuple[str, ...], NoDecode] = ()
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    cors_headers: Annotated[tuple[str, ...], NoDecode] = ()
    keep_alive: Annotated[float, Field(gt=0)] = 75
    drain: Annotated[float, Field(ge=0)] = 0
    head_limit: Annotated[int, Field(gt=0)] = 65_536
    pool_size: Annotated[int, Field(ge=2)] = 10
    pool_timeout: Annotated[float, Field(gt=0)] = 2
    statement_timeout: Annotated[float, Field(gt=0)] = 10
    pgbouncer: bool = False
    citus: bool = False
    feed_days: Annotated[int, Field(ge=1)] = 30
    # Within 5 seconds a subscription has to end whose token was revoked.
    feed_poll: Annotated[float, Field(gt=0, le=4)] = 0.5
    token_subscriptions: Annotated[int, Field(gt=0)] = 20
    subscription_limit: Annotated[int, Field(gt=0)] = 1_000
    body_limit: Annotated[int, Field(gt=0)] = 1_048_576
    body_timeout: Annotated[float, Field(gt=0)] = 30
    document_limit: Annotated[int, Field(gt=0)] = 100_000
    token_limit: Annotated[int, Field(gt=0)] = 4_000
    depth_limit: Annotated[int, Field(gt=0)] = 20
    field_limit: Annotated[int, Field(gt=0)] = 5_000
    repeated_field_limit: Annotated[int, Field(gt=0)] = 100
    alias_limit: Annotated[int, Field(ge=0)] = 100
    field_alias_limit: Annotated[int, Field(ge=0)] = 30
    directive_limit: Annotated[int, Field(ge=0)] = 50
    definition_limit: Annotated[int, Field(gt=0)] = 30
    list_limit: Annotated[int, Field(gt=0)] = 100
    name_limit: Annotated[int, Field(gt=0)] = 200
    nested_value_limit: Annotated[int, Field(gt=0)] = 10_000
    cost_limit: Annotated[int, Field(gt=0)] = 50_000
    bucket_size: Annotated[int, Field(gt=0)] = 100_000
    bucket_refill: Annotated[int, Field(gt=0)] = 5_000
    redis_url: str | None = None
    documents: str | None = None
    documents_only: bool = False
    deadline: Annotated[float, Field(gt=0)] = 10
    running_limit: Annotated[int, Field(gt=0)] = 20
    waiting_limit: Annotated[int, Field(ge=0)] = 100
    open_introspection: bool = False
    compiled_plans: bool = True
    log_format: Format = Format.JSON
    tracing: bool = False
    metrics_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    slow: Annotated[float, Field(gt=0)] = 1

    @field_validator("database_url")
    @classmethod
    def _known_engine(cls, url: str) -> str:
        path = url.removeprefix(_EMBEDDED)
        is_embedded = path != url and path not in {"", ":memory:"}
        if not (is_embedded or _is_server_url(url)):
            raise ValueError(
                f"must be {_EMBEDDED} and the path of a file, or {_SERVER}://user:password@host:port/database,"
                f" which may end in ?ssl= and one of {', '.join(_SSL)}"
            )
        return url

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, url: str | None) -> str | None:
        if url and not _is_redis_url(url):
            raise ValueError(
                "must be redis://user:password@host:port/number, rediss:// and the same for TLS,"
                " or unix:// and the path of a socket"
            )
        return url

    @field_validator("hosts", "cors_origins", "cors_headers", mode="before")
    @classmethod
    def _comma_separated(cls, entries: object) -> object:
        if isinstance(entries, str):
            return tuple(entry.strip() for entry in entries.split(",") if entry.strip())
        return entries

    @field_validator("hosts")
    @classmethod
    def _host_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(host_name, names))

    @field_validator("cors_origins")
    @classmethod
    def _exact_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(origin, origins))

    @field_validator("cors_headers")
    @classmethod
    def _header_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return header_names(names)

    @classmethod
    def read(cls, **options: Any) -> "Settings":
        """Read the environment and `.env`; options that are not None override both.

        Raises CommandRefused, with the name of the setting, for a value that is not valid.
        """
        try:
            settings = cls(**{name: value for name, value in options.items() if value is not None})
        except ValidationError as error:
            first = error.errors()[0]
            name = PREFIX + str(first["loc"][0]).upper()
            reason = first["msg"].removeprefix("Value error, ")
            value = "" if first["loc"][0] in _SECRET else f" (got {first['input']!r})"
            raise CommandRefused(f"setting {name}: {reason}{value}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise CommandRefused(f".env: {error}") from None
        settings._refuse_small_bucket()
        settings._refuse_missing_documents()
        return settings

    def _refuse_small_bucket(self) -> None:
        """Raise CommandRefused for a bucket that is smaller than the largest operation that is allowed."""
        if self.bucket_size < self.cost_limit:
            raise CommandRefused(
                f"setting {PREFIX}BUCKET_SIZE: {self.bucket_size} is less than {PREFIX}COST_LIMIT, {self.cost_limit}:"
                " no token could ever pay for the largest operation that is allowed"
            )

    def _refuse_missing_documents(self) -> None:
        """Raise CommandRefused where only trusted documents are to run, and there are none."""
        if self.documents_only and not self.documents:
            raise CommandRefused(
                f"setting {PREFIX}DOCUMENTS_ONLY: no document could run: set {PREFIX}DOCUMENTS to a folder of documents"
            )


def unknown_settings() -> list[tuple[str, str | None]]:
    """Return the variables of the environment and `.env` that are named like settings but are none.

    Each has the name of the setting that it resembles most, if it resembles one.
    """
    variables: set[str] = set()
    for source in (EnvSettingsSource, DotEnvSettingsSource):
        # `Settings.read` refuses a file that cannot be read.
        with suppress(OSError, UnicodeDecodeError):
            variables |= {name.upper() for name in source(Settings).env_vars}
    names = {name.removeprefix(PREFIX) for name in variables if name.startswith(PREFIX)}
    settings = [name.upper() for name in Settings.model_fields]
    unknown = sorted(name for name in names - {*settings} if not name.startswith(_OF_TESTS))
    return [(PREFIX + name, _nearest(name, settings)) for name in unknown]


def _nearest(name: str, settings: Sequence[str]) -> str | None:
    matches = get_close_matches(name, settings, n=1)
    return PREFIX + matches[0] if matches else None


def _is_server_url(url: str) -> bool:
    try:
        address = urlsplit(url)
        for host in address.netloc.rpartition("@")[2].split(","):
            _ = urlsplit(f"//{host}").port
        options = dict(parse_qsl(address.query, keep_blank_values=True, strict_parsing=bool(address.query)))
    except ValueError:
        return False
    is_known = options.keys() <= _OPTIONS and options.get("ssl", "prefer") in _SSL
    return address.scheme == _SERVER and len(address.path) > 1 and is_known


def _is_redis_url(url: str) -> bool:
    try:
        address = urlsplit(url)
        # The library accepts a port of 0, and any text as a number.
        is_server = bool(address.hostname) and address.port != 0 and _REDIS_NUMBER.fullmatch(address.path) is not None
        is_socket = address.scheme == "unix" and not address.netloc and len(address.path) > 1
        # Does not connect: it only checks the scheme and the options.
        pool: Any = redis.asyncio.ConnectionPool.from_url(url)
        pool.make_connection()
    except (ValueError, TypeError):
        return False
    return is_socket or (address.scheme != "unix" and is_server)
