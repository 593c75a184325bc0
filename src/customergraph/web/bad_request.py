"""HTTP requests that are no GraphQL requests."""

from typing import Any

from customergraph.errors import SETTING_PREFIX, RequestRefused


class BadRequest(RequestRefused):
    """A request that is no GraphQL request over HTTP; `status` is the status of its response."""

    code = "BAD_REQUEST"

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class BodyTooLarge(BadRequest):
    """A body of more bytes than it may have."""

    limit = "BODY_LIMIT"

    def __init__(self, allowed: int) -> None:
        super().__init__(
            f"The body is too large: more than {allowed:,} bytes (setting {SETTING_PREFIX}{self.limit}).", 413
        )
        self._allowed = allowed

    def details(self) -> dict[str, Any]:
        return {"limit": self.limit, "allowed": self._allowed}
