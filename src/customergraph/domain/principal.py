"""The holder of a token: its project, and its scopes."""

from dataclasses import dataclass
from enum import StrEnum

from customergraph.errors import Forbidden


class Scope(StrEnum):
    READ = "read"
    WRITE = "write"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Principal:
    """The holder of a valid token; `timezone` is the project's IANA name."""

    project_id: int
    timezone: str
    scopes: frozenset[Scope]

    def require(self, scope: Scope) -> None:
        """Raise Forbidden unless the token holds the scope."""
        if scope not in self.scopes:
            raise Forbidden(f"This token lacks the scope `{scope}`. Use a token that holds it.")
