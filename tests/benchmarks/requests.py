"""The four requests that are measured, as the gateway and as endpoints by hand take them, and the large one."""

import httpx

SCALARS = "id name email phone company hasSubscription isArchived signedUpAt reviewedAt createdAt"
OWN = f"{SCALARS} location {{ name displayName city }} tags {{ name color }}"
MESSAGE = "id channel template status scheduledAt sentAt"
REVIEW = "id score body source createdAt"
CHARGE = "id amount currency chargedAt"


def _lists(messages: int, reviews: int = 5, charges: int = 10) -> str:
    return f"""
        messages(first: {messages}) {{ nodes {{ {MESSAGE} }} }}
        reviews(first: {reviews}) {{ nodes {{ {REVIEW} }} }}
        charges(first: {charges}) {{ nodes {{ {CHARGE} }} }}"""


def _customers(count: int | str, fields: str) -> str:
    return f"{{ customers(first: {count}) {{ nodes {{ {fields} }} }} }}"


REQUESTS = {
    "Q1": ("one customer, location, tags", f"query One($id: ID!) {{ customer(id: $id) {{ {OWN} }} }}"),
    "Q2": ("50 customers, ten scalars", _customers(50, SCALARS)),
    "Q3": ("50 customers, all lists", _customers(50, OWN + _lists(10))),
    "Q4": ("100 customers, long lists", _customers(100, SCALARS + _lists(20))),
}
_LARGE = f"query Large($customers: Int!) {_customers('$customers', SCALARS + _lists(100, 100, 100))}"
SOME_CUSTOMER = "17"


def to_gateway(http: httpx.Client, name: str) -> httpx.Request:
    variables = {"id": SOME_CUSTOMER} if name == "Q1" else {}
    return http.build_request("POST", "/graphql", json={"query": REQUESTS[name][1], "variables": variables})


def to_endpoint(http: httpx.Client, name: str) -> httpx.Request:
    return http.build_request("GET", f"/{name}", params={"id": SOME_CUSTOMER} if name == "Q1" else None)


def large(http: httpx.Client, customers: int) -> httpx.Request:
    """Return the request for so many customers with 100 messages, 100 reviews and 100 charges each."""
    return http.build_request("POST", "/graphql", json={"query": _LARGE, "variables": {"customers": customers}})
