"""The settings of a running gateway, and the only reader of the environment."""

import os
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from customergraph.errors import CommandRefused

PREFIX = "CUSTOMERGRAPH_"
_EMBEDDED = "sqlite+aiosqlite:///"


class Settings(BaseSettings):
    """What an operator chooses; the contract's `cli.md` lists the variables."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", frozen=True, extra="ignore")

    database_url: str = "sqlite+aiosqlite:///customergraph.db"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1)] = 1
    graphiql: bool = True
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()

    @field_validator("database_url")
    @classmethod
    def _known_engine(cls, url: str) -> str:
        path = url.removeprefix(_EMBEDDED)
        if path == url or path in {"", ":memory:"}:
            raise ValueError(f"must be {_EMBEDDED} and the path of a file")
        return url

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _comma_separated(cls, origins: object) -> object:
        if isinstance(origins, str):
            return tuple(origin.strip() for origin in origins.split(",") if origin.strip())
        return origins

    @classmethod
    def read(cls, **chosen: Any) -> "Settings":
        """Read the environment and `.env`; options that are not None go before both.

        Raises CommandRefused, naming the setting, when one does not parse.
        """
        try:
            return cls(**{name: value for name, value in chosen.items() if value is not None})
        except ValidationError as error:
            first = error.errors()[0]
            name = PREFIX + str(first["loc"][0]).upper()
            reason = first["msg"].removeprefix("Value error, ")
            raise CommandRefused(f"setting {name}: {reason} (got {first['input']!r})") from None
        except (OSError, UnicodeDecodeError) as error:
            raise CommandRefused(f".env: {error}") from None

    def export(self) -> None:
        """Put these settings into the environment, where worker processes read them."""
        os.environ.update(
            {
                PREFIX + "DATABASE_URL": self.database_url,
                PREFIX + "GRAPHIQL": str(self.graphiql),
                PREFIX + "CORS_ORIGINS": ",".join(self.cors_origins),
            }
        )
