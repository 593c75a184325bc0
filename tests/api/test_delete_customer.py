"""deleteCustomer (contract, section 5)."""

import stores
from factories import Tenant
from graphql_client import GraphQLClient
from mutations import CREATE, on_customer

DELETE = on_customer("deleteCustomer")


def test_a_deleted_customer_is_gone_with_its_messages_charges_and_tags(acme: Tenant, client: GraphQLClient) -> None:
    id_, other = acme.add_histories(2)
    before = acme.rows_beside_the_feed()
    global_id = client.data("query($id: ID!) { customer(id: $id) { id } }", id=id_)["customer"]["id"]
    payload = client.data(DELETE, id=id_)["deleteCustomer"]
    assert payload == {"deletedCustomerId": global_id, "userErrors": []}
    after = acme.rows_beside_the_feed()
    assert {name: len(rows) for name, rows in after.items()} == {
        "charge": 3,
        "customer": 1,
        "customer_tag": 2,
        "location": 1,
        "message": 3,
        "review": 6,
        "tag": 2,
    }
    # The rows of the other customer are left, unchanged.
    for name in ("charge", "customer", "customer_tag", "message"):
        assert set(after[name]) < set(before[name])
    assert (after["location"], after["tag"]) == (before["location"], before["tag"])
    query = "query($id: ID!, $node: ID!) { customer(id: $id) { id } node(id: $node) { id } }"
    assert client.data(query, id=id_, node=global_id) == {"customer": None, "node": None}
    assert client.data("{ customers { nodes { databaseId } } }")["customers"]["nodes"] == [{"databaseId": other}]


def test_reviews_of_a_deleted_customer_stay_without_a_customer(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    acme.add_reviews({"customer_id": id_, "score": 4, "body": "Good"})
    query = "query($id: ID!) { customer(id: $id) { reviews { nodes { id updatedAt } } } }"
    review = client.data(query, id=id_)["customer"]["reviews"]["nodes"][0]
    client.data(DELETE, id=id_)
    node = client.data(
        "query($id: ID!) { node(id: $id) { id ... on Review { score body updatedAt customer { id } } } }",
        id=review["id"],
    )["node"]
    assert node == {**review, "score": 4, "body": "Good", "customer": None}


def test_an_archived_customer_can_be_deleted(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    client.data(on_customer("archiveCustomer"), id=id_)
    assert client.data(DELETE, id=id_)["deleteCustomer"]["userErrors"] == []
    assert acme.rows()["customer"] == []


def test_a_second_delete_is_not_found(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    client.data(DELETE, id=id_)
    payload = client.data(DELETE, id=id_)["deleteCustomer"]
    assert payload["deletedCustomerId"] is None
    assert [(error["field"], error["code"]) for error in payload["userErrors"]] == [(["id"], "NOT_FOUND")]


def test_the_id_of_a_deleted_customer_is_never_reused(client: GraphQLClient) -> None:
    ids: list[int] = []
    for _ in range(3):
        payload = client.data(CREATE, input={"firstName": "Ada"})["createCustomer"]
        ids.append(payload["customer"]["databaseId"])
        client.data(DELETE, id=ids[-1])
    assert ids == sorted(set(ids))


def test_a_long_history_is_deleted_whole_and_the_feed_tells_of_each_part(acme: Tenant, client: GraphQLClient) -> None:
    id_ = acme.add_customer()
    acme.add_messages(*({"customer_id": id_} for _ in range(5_100)))
    (before,) = stores.rows(acme.database_url, "SELECT max(position) FROM change")[0]

    client.data(DELETE, id=id_)

    assert stores.rows(acme.database_url, "SELECT count(*) FROM message") == [(0,)]
    told = f"SELECT count(*), max(position) FROM change WHERE position > {before}"  # noqa: S608 - ours
    assert stores.rows(acme.database_url, told) == [(5_101, before + 5_101)]
