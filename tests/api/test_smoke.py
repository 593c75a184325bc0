from factories import Tenant
from graphql_client import GraphQLClient


def test_project(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_histories(3)
    assert client.data("{ project { slug } customers { totalCount nodes { name messages { nodes { id } } } } }")["customers"]["totalCount"] == 3
