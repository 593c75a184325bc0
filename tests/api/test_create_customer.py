"""createCustomer (contract, sections 5 and 6)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from at_once import at_once
from factories import Tenant
from graphql_client import GraphQLClient

EVERYTHING = """
databaseId uuid id name firstName lastName email phone company hasSubscription notes
address1 address2 city state postalCode isArchived isUnsubscribed
signedUpAt askedAt messagedAt reviewedAt archivedAt unsubscribedAt createdAt updatedAt
location { slug } tags { slug } messages { totalCount } reviews { totalCount } charges { totalCount }
"""
CREATE = f"""
mutation($input: CreateCustomerInput!) {{
  createCustomer(input: $input) {{ customer {{ {EVERYTHING} }} userErrors {{ field message code }} }}
}}
"""


def payload_of(client: GraphQLClient, **values: Any) -> Any:
    return client.data(CREATE, input=values)["createCustomer"]


def created(client: GraphQLClient, **values: Any) -> Any:
    payload = payload_of(client, **{"firstName": "Ada", **values})
    assert payload["userErrors"] == []
    return payload["customer"]


def mistakes(client: GraphQLClient, **values: Any) -> set[tuple[str, str]]:
    """Return the path and the code of each user error."""
    payload = payload_of(client, **{"firstName": "Ada", **values})
    assert payload["customer"] is None
    assert all(error["message"] for error in payload["userErrors"])
    errors = [(".".join(error["field"]), error["code"]) for error in payload["userErrors"]]
    assert len(set(errors)) == len(errors)
    return set(errors)


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_every_value_is_stored(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_locations("north")
    acme.add_tags("vip", "gold")
    values = {
        "firstName": "Ada",
        "lastName": "Lovelace",
        "email": "Ada@Example.com",
        "phone": "+1 (415) 555-0123",
        "company": "Engines & Co",
        "hasSubscription": True,
        "notes": "first line\n\tsecond line",
        "address1": "12 St James's Square",
        "address2": "Flat 3",
        "city": "London",
        "state": "England",
        "postalCode": "SW1Y 4JH",
    }
    customer = created(
        client, **values, locationSlug="north", tagSlugs=["vip", "gold"], signedUpAt="2020-02-29T23:30:00-05:00"
    )
    assert {name: customer[name] for name in values} == {**values, "phone": "+14155550123"}
    assert customer["name"] == "Ada Lovelace"
    assert customer["location"] == {"slug": "north"}
    assert customer["tags"] == [{"slug": "gold"}, {"slug": "vip"}]
    assert customer["signedUpAt"] == "2020-03-01T04:30:00Z"


def test_a_first_name_is_enough(acme: Tenant, client: GraphQLClient) -> None:
    before = datetime.now(UTC)
    customer = created(client)
    after = datetime.now(UTC)
    assert (customer["firstName"], customer["name"], customer["hasSubscription"]) == ("Ada", "Ada", False)
    assert customer["isArchived"] is False
    assert customer["isUnsubscribed"] is False
    assert before <= parse_time(customer["createdAt"]) <= after
    assert customer["signedUpAt"] == customer["updatedAt"] == customer["createdAt"]
    absent = "lastName email phone company notes address1 address2 city state postalCode location".split()
    absent += "askedAt messagedAt reviewedAt archivedAt unsubscribedAt".split()
    assert {customer[name] for name in absent} == {None}
    assert customer["tags"] == []
    assert {customer[name]["totalCount"] for name in ("messages", "reviews", "charges")} == {0}
    assert len(acme.rows()["customer"]) == 1


def test_null_means_the_same_as_absent(client: GraphQLClient) -> None:
    names = "lastName email phone company hasSubscription locationSlug signedUpAt notes address1 tagSlugs".split()
    customer = created(client, **dict.fromkeys(names))
    assert customer["hasSubscription"] is False
    assert customer["signedUpAt"] == customer["createdAt"]
    assert customer["tags"] == []


def test_a_new_customer_is_found_by_each_of_its_ids_and_by_search(client: GraphQLClient) -> None:
    customer = created(client, email="ada@example.com")
    query = "query($id: ID!) { customer(id: $id) { email } node(id: $id) { id } }"
    assert client.data(query, id=customer["id"])["node"] == {"id": customer["id"]}
    for id_ in (customer["id"], customer["databaseId"], str(customer["databaseId"]), customer["uuid"]):
        assert client.data(query, id=id_)["customer"] == {"email": "ada@example.com"}
    nodes = client.data('{ customers(q: "ADA@EX") { nodes { databaseId } } }')["customers"]["nodes"]
    assert nodes == [{"databaseId": customer["databaseId"]}]


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("  Ada\u00a0\u3000\n", "Ada"),
        ("E\u0301mile", "\u00c9mile"),
        ("\u212b", "\u00c5"),
        ("Ada  Maria", "Ada  Maria"),
        ("\U0001f600", "\U0001f600"),
        ("\u200f\u05d0", "\u200f\u05d0"),
    ],
)
def test_text_is_composed_and_trimmed(client: GraphQLClient, value: str, stored: str) -> None:
    assert created(client, firstName=value)["firstName"] == stored


def test_line_ends_in_notes_become_line_feeds(client: GraphQLClient) -> None:
    assert created(client, notes="\r\na\r\nb\rc\n\rd\te\r")["notes"] == "a\nb\nc\n\nd\te"


def test_blank_optional_text_is_absent(client: GraphQLClient) -> None:
    names = "lastName email phone company notes address1 address2 city state postalCode locationSlug".split()
    customer = created(client, **dict.fromkeys(names, " \t\r\n\u2003"))
    assert customer["location"] is None
    assert {customer[name] for name in names if name != "locationSlug"} == {None}


@pytest.mark.parametrize("blank", ["", " ", "\u3000", "\r\n\t"])
def test_a_blank_first_name_is_refused(client: GraphQLClient, blank: str) -> None:
    assert mistakes(client, firstName=blank) == {("input.firstName", "BLANK")}


@pytest.mark.parametrize("control", ["\x00", "\x07", "\x1b", "\x1f", "\x7f", "\x85", "\x9f"])
def test_control_characters_are_refused_in_every_text(acme: Tenant, client: GraphQLClient, control: str) -> None:
    names = "firstName lastName email phone company notes address1 address2 city state postalCode".split()
    names.append("locationSlug")
    values = dict.fromkeys(names, f"a{control}b")
    wrong = {(f"input.{name}", "INVALID") for name in names}
    assert mistakes(client, **values, tagSlugs=[control]) == {*wrong, ("input.tagSlugs.0", "INVALID")}
    assert acme.rows()["customer"] == []


@pytest.mark.parametrize("control", ["\n", "\t", "\r"])
def test_line_breaks_and_tabs_are_allowed_only_in_notes(client: GraphQLClient, control: str) -> None:
    assert mistakes(client, company=f"a{control}b", notes=f"a{control}b") == {("input.company", "INVALID")}


def test_half_of_a_surrogate_pair_is_refused(acme: Tenant) -> None:
    body = b'{"query": "mutation($n: String!) { createCustomer(input: {firstName: $n}) { customer { id } } }",'
    answer = acme.client.http.post(
        "/graphql",
        content=body + b' "variables": {"n": "\\ud800"}}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    literal = 'mutation { createCustomer(input: {firstName: "\\ud800"}) { customer { id } } }'
    assert acme.client.code(literal) == "GRAPHQL_PARSE_FAILED"
    assert acme.rows()["customer"] == []


LIMITS = {
    **dict.fromkeys(("firstName", "lastName", "company", "address1", "address2", "city", "state"), 255),
    "postalCode": 20,
    "notes": 5000,
}


def test_texts_of_the_maximum_length_are_stored(client: GraphQLClient) -> None:
    # Outside the basic multilingual plane: characters are counted, not bytes or UTF-16 code units.
    values = {name: "\U0001f600" * longest for name, longest in LIMITS.items()}
    customer = created(client, **values)
    assert {name: customer[name] for name in LIMITS} == values


def test_the_length_of_a_text_is_that_of_the_stored_text(client: GraphQLClient) -> None:
    customer = created(client, firstName=" " + "e\u0301" * 255 + " ", notes="\r\n" + "a\r\n" * 2500)
    assert len(customer["firstName"]) == 255
    assert len(customer["notes"]) == 4999


def test_texts_one_character_too_long_are_refused_all_at_once(acme: Tenant, client: GraphQLClient) -> None:
    values = {name: "a" * (longest + 1) for name, longest in LIMITS.items()}
    errors = mistakes(client, **values, locationSlug="s" * 101, tagSlugs=["ok", "t" * 101], phone="1" * 33)
    expected = {(f"input.{name}", "TOO_LONG") for name in (*LIMITS, "locationSlug", "phone")}
    assert errors == {*expected, ("input.tagSlugs.0", "NOT_FOUND"), ("input.tagSlugs.1", "TOO_LONG")}
    assert acme.rows()["customer"] == []


def test_an_email_address_of_255_characters_is_invalid_and_one_of_256_is_too_long(
    client: GraphQLClient,
) -> None:
    local, label = "a" * 60, "b" * 60
    longest = f"{local}@{label}.{label}.{label}.com"
    assert created(client, email=longest)["email"] == longest
    assert mistakes(client, email="a" * 243 + "@example.com") == {("input.email", "INVALID")}
    assert mistakes(client, email="a" * 244 + "@example.com") == {("input.email", "TOO_LONG")}


def test_slugs_of_100_characters_are_accepted(acme: Tenant, client: GraphQLClient) -> None:
    slug = "s" * 100
    acme.add_locations(slug)
    acme.add_tags(slug)
    customer = created(client, locationSlug=f" {slug} ", tagSlugs=[f" {slug} "])
    assert customer["location"] == {"slug": slug}
    assert customer["tags"] == [{"slug": slug}]


def test_repeated_tag_slugs_count_once(acme: Tenant, client: GraphQLClient) -> None:
    slugs = [f"tag-{number:02}" for number in range(51)]
    acme.add_tags(*slugs)
    customer = created(client, tagSlugs=slugs[:50] + [f" {slug}" for slug in slugs[:50]])
    assert [tag["slug"] for tag in customer["tags"]] == slugs[:50]
    assert mistakes(client, tagSlugs=slugs) == {("input.tagSlugs", "TOO_MANY")}


def test_all_mistakes_are_returned_together_and_nothing_is_added(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_tags("vip")
    acme.add_customer(phone="+14155550123")
    before = acme.rows()
    errors = mistakes(
        client,
        firstName="",
        lastName="\x00",
        email="not an address",
        phone="+1 415 555 0123",
        company="c" * 256,
        locationSlug="nowhere",
        tagSlugs=["vip", "unknown", "", "unknown", "also unknown"],
    )
    assert errors == {
        ("input.firstName", "BLANK"),
        ("input.lastName", "INVALID"),
        ("input.email", "INVALID"),
        ("input.phone", "TAKEN"),
        ("input.company", "TOO_LONG"),
        ("input.locationSlug", "NOT_FOUND"),
        ("input.tagSlugs.1", "NOT_FOUND"),
        ("input.tagSlugs.2", "BLANK"),
        ("input.tagSlugs.4", "NOT_FOUND"),
    }
    assert acme.rows() == before


def test_an_email_keeps_its_case_and_is_unique_without_regard_to_case(acme: Tenant, client: GraphQLClient) -> None:
    assert created(client, email=" \u00c9mile.ZOLA@Example.COM ")["email"] == "\u00c9mile.ZOLA@Example.COM"
    before = acme.rows()
    for same in ("\u00e9mile.zola@example.com", "E\u0301MILE.zola@EXAMPLE.com"):
        assert mistakes(client, email=same) == {("input.email", "TAKEN")}
    assert acme.rows() == before
    assert created(client, email="emile.zola@example.com")["email"] == "emile.zola@example.com"


BOOKS = ["anna@b\u00fccher.example", "Anna@XN--BCHER-KVA.example", "ANNA@\uff22\u00dc\uff23\uff28\uff25\uff32.example"]


@pytest.mark.parametrize("first", BOOKS)
@pytest.mark.parametrize("same", BOOKS)
def test_an_address_is_one_mailbox_however_its_domain_is_written(
    acme: Tenant, client: GraphQLClient, first: str, same: str
) -> None:
    assert created(client, email=f" {first} ")["email"] == first
    before = acme.rows()

    assert mistakes(client, email=same) == {("input.email", "TAKEN")}
    data = client.data("query($x: String) { customers(email: $x) { nodes { email } totalCount } }", x=same)
    assert data["customers"] == {"nodes": [{"email": first}], "totalCount": 1}
    assert acme.rows() == before


def test_domains_that_idna_distinguishes_are_two_mailboxes(client: GraphQLClient) -> None:
    for email in ("anna@fa\u00df.example", "anna@fass.example"):
        assert created(client, email=email)["email"] == email
        data = client.data("query($x: String) { customers(email: $x) { nodes { email } } }", x=email)
        assert data["customers"]["nodes"] == [{"email": email}]
    assert mistakes(client, email="anna@xn--fa-hia.example") == {("input.email", "TAKEN")}


def test_the_email_of_an_archived_customer_is_taken(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_customer(email="ada@example.com", archived_at=datetime.now(UTC))
    assert mistakes(client, email="Ada@example.com") == {("input.email", "TAKEN")}


def test_the_email_and_phone_of_a_deleted_customer_are_free_again(client: GraphQLClient) -> None:
    contacts = {"email": "ada@example.com", "phone": "+14155550123"}
    first = created(client, **contacts)
    client.data("mutation($id: ID!) { deleteCustomer(id: $id) { deletedCustomerId } }", id=first["id"])
    assert created(client, **contacts)["databaseId"] > first["databaseId"]


def test_many_customers_may_have_neither_email_nor_phone(acme: Tenant, client: GraphQLClient) -> None:
    for _ in range(3):
        created(client, email="", phone=None)
    assert len(acme.rows()["customer"]) == 3


@pytest.mark.parametrize(
    "address", ["ada", "ada@", "@example.com", "ada@example", "a b@example.com", "ada@exa mple.com", "a@@b.com"]
)
def test_an_invalid_email_address_is_refused(client: GraphQLClient, address: str) -> None:
    assert mistakes(client, email=address) == {("input.email", "INVALID")}


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("+1 (415) 555-0123", "+14155550123"),
        ("+44 20 7946 0958", "+442079460958"),
        ("\uff0b1-415-555-0123", "+14155550123"),
        ("+39 06 698 12345", "+390669812345"),
    ],
)
def test_phones_are_stored_as_e164(client: GraphQLClient, value: str, stored: str) -> None:
    assert created(client, phone=value)["phone"] == stored
    assert mistakes(client, phone=stored) == {("input.phone", "TAKEN")}


@pytest.mark.parametrize(
    "number", ["415 555 0123", "+1 415 555 0123 ext. 5", "+1 555", "+999 123456789", "call me", "+", "0014155550123"]
)
def test_an_invalid_phone_number_is_refused(client: GraphQLClient, number: str) -> None:
    assert mistakes(client, phone=number) == {("input.phone", "INVALID")}


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_700_000_000, "2023-11-14T22:13:20Z"),
        ("1700000000", "2023-11-14T22:13:20Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (-62_135_596_800, "0001-01-01T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
        ("2024-02-29T12:00:00.5+01:00", "2024-02-29T11:00:00.500000Z"),
    ],
)
def test_signed_up_at_takes_rfc_3339_and_unix_seconds(client: GraphQLClient, value: str | int, stored: str) -> None:
    assert created(client, signedUpAt=value)["signedUpAt"] == stored


@pytest.mark.parametrize(
    "value",
    [-62_135_596_801, 253_402_300_800, 1.5, True, "", "yesterday", "2024-02-30T00:00:00Z", "2024-02-29T12:00:00"],
)
def test_an_invalid_time_is_bad_input(acme: Tenant, client: GraphQLClient, value: Any) -> None:
    assert client.code(CREATE, input={"firstName": "Ada", "signedUpAt": value}) == "BAD_USER_INPUT"
    assert acme.rows()["customer"] == []


def test_a_new_customer_is_the_newest(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_customer(created_at=datetime.now(UTC) - timedelta(minutes=1))
    newest = created(client)
    nodes = client.data("{ customers(first: 1) { nodes { databaseId } } }")["customers"]["nodes"]
    assert nodes == [{"databaseId": newest["databaseId"]}]


UUID = "6f1c2d1e-0000-4000-8000-00000000000a"


def test_the_callers_own_uuid_makes_a_repeated_call_harmless(acme: Tenant, client: GraphQLClient) -> None:
    assert created(client, uuid=UUID.upper())["uuid"] == UUID
    before = acme.rows()

    assert mistakes(client, uuid=UUID, email="other@example.com") == {("input.uuid", "TAKEN")}

    assert acme.rows() == before


def test_two_calls_with_one_uuid_at_once_add_one_customer(acme: Tenant, client: GraphQLClient) -> None:
    payloads = at_once(*[lambda: payload_of(client, firstName="Ada", uuid=UUID)] * 4)

    assert sorted(len(payload["userErrors"]) for payload in payloads) == [0, 1, 1, 1]
    assert len(acme.rows()["customer"]) == 1


@pytest.mark.parametrize("value", ["", "1", f"{{{UUID}}}", UUID.replace("-", ""), UUID.replace("6", "\u0666"), 6, 1.5])
def test_an_invalid_uuid_is_bad_input(acme: Tenant, client: GraphQLClient, value: Any) -> None:
    assert client.code(CREATE, input={"firstName": "Ada", "uuid": value}) == "BAD_USER_INPUT"
    assert acme.rows()["customer"] == []
