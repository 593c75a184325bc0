"""A plain GraphQL client: one URL, one token, JSON over HTTP."""

from typing import Any

import httpx

# The codes of refused documents and variables, and the maximum size of a refusal in bytes.
REFUSALS = {"BAD_REQUEST", "BAD_USER_INPUT", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "LIMIT_EXCEEDED"}
LONGEST_REFUSAL = 20_000


def cost(answer: dict[str, Any]) -> dict[str, int]:
    """Return what an answer says of its cost, without the state of the token's bucket, which fills up meanwhile."""
    told: dict[str, Any] = answer["extensions"]["cost"]
    return {name: told[name] for name in told if name != "throttle"}


class GraphQLClient:
    def __init__(self, url: str, token: str | None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=30)

    def post(self, query: str, variables: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        return self.http.post("/graphql", json={"query": query, "variables": variables, **more})

    def answer(self, query: str, **variables: Any) -> dict[str, Any]:
        """Send an operation and return the whole answer."""
        answer: dict[str, Any] = self.post(query, variables).json()
        return answer

    def data(self, query: str, **variables: Any) -> dict[str, Any]:
        """Send an operation that must succeed and return its data."""
        answer = self.answer(query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def error(self, query: str, **variables: Any) -> dict[str, Any]:
        """Send an operation that must fail and return its first error."""
        answer = self.answer(query, **variables)
        assert answer.get("errors"), answer
        error: dict[str, Any] = answer["errors"][0]
        return error

    def code(self, query: str, **variables: Any) -> str:
        """Send an operation that must fail and return the code of its first error."""
        code: str = self.error(query, **variables)["extensions"]["code"]
        return code

    def close(self) -> None:
        self.http.close()
