"""GraphiQL as a user sees it: the page of the application in a real browser that reaches no other origin."""

import httpx
import pytest
from playwright.sync_api import Route, expect

from browser.conftest import Arrive
from browser.visit import Visit
from conftest import MakeServer, RunningServer
from customergraph.settings import Settings

pytestmark = pytest.mark.slow

NESTED_QUERY = "query Typed { customers(first: 1) { nodes { firstName messages { nodes { channel } } } } }"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store alone: the page does not know which it is."""
    return sqlite_url


def test_the_page_opens_with_a_query_that_returns_nested_lists(shown: Visit) -> None:
    shown.run()

    shown.shows('"totalCount": 2', '"displayName": "Place-', '"template": "REQUEST"')
    shown.picture("first-query")
    assert shown.complaints == []


def test_a_typed_query_returns_nested_lists(shown: Visit) -> None:
    shown.write(shown.query, NESTED_QUERY)
    shown.run()

    shown.shows('"firstName": "Customer ', '"channel": "EMAIL"')
    assert shown.complaints == []


def test_cost_time_and_what_is_left_stand_below_the_run_button(shown: Visit) -> None:
    shown.write(shown.query, "query Typed { customers(first: 2) { nodes { name } } }")
    with shown.page.expect_response(lambda response: "query Typed" in (response.request.post_data or "")) as answered:
        shown.run()

    cost = answered.value.json()["extensions"]["cost"]
    costs = shown.page.locator(".last-answer")
    expect(costs).to_contain_text("cost2")
    expect(costs).to_contain_text("ms")
    expect(costs).to_contain_text(f"left{cost['throttle']['available']:,}")


def test_the_documentation_begins_with_an_introduction_and_what_a_project_has(shown: Visit) -> None:
    documentation = shown.open_documentation()

    expect(documentation).to_contain_text("The customers of a business, their history")
    types = documentation.locator(".graphiql-doc-explorer-type-name").all_inner_texts()
    assert types[:2] == ["Query", "Mutation"]
    assert {"Customer", "Message", "Review", "Charge", "Location", "Tag", "Project"} <= set(types[2:12])
    assert types.index("CustomerFilter") < types.index("CustomerConnection") < types.index("CreateCustomerPayload")


def test_the_documentation_stays_open_when_a_query_is_run(shown: Visit) -> None:
    documentation = shown.open_documentation()

    shown.run()

    shown.shows("totalCount")
    expect(documentation).to_be_visible()


def test_the_documentation_of_customer_is_a_click_away(shown: Visit) -> None:
    documentation = shown.open_documentation()
    documentation.get_by_role("link", name="Customer", exact=True).click()

    expect(documentation).to_contain_text("whom the business may ask for a review")
    expect(documentation).to_contain_text("The customer's messages, newest first.")
    shown.picture("documentation")
    assert shown.complaints == []


def test_a_query_is_built_by_ticking_fields(shown: Visit) -> None:
    shown.write(shown.query, "query Ticked { __typename }")
    shown.page.get_by_label("Show Query builder").click()
    shown.page.locator('[data-field-name="project"] > span').first.click()
    shown.page.locator('[data-field-name="timezone"]').click()
    shown.picture("query-builder")
    shown.run()

    shown.shows('"timezone": "UTC"')
    assert shown.complaints == []


def test_the_bar_says_whose_token_it_is(shown: Visit) -> None:
    expect(shown.status).to_have_text("Acme read, write, delete")


def test_without_a_token_the_page_invites_to_paste_one(bare: Visit) -> None:
    expect(bare.status).to_contain_text("Paste a token to begin.")
    expect(bare.token).to_be_focused()
    bare.picture("without-token")

    bare.run()

    expect(bare.token).to_be_focused()
    expect(bare.answer).not_to_contain_text("UNAUTHENTICATED")
    assert bare.complaints == []


def test_a_pasted_token_reads_the_schema_and_runs_queries(bare: Visit, token: str) -> None:
    bare.use(token)

    expect(bare.status).to_contain_text("Acme")
    bare.open_documentation()
    bare.run()
    bare.shows('"totalCount": 2', '"displayName": "Place-')
    assert bare.complaints == []


def test_a_token_that_is_refused_is_said_in_the_bar(bare: Visit) -> None:
    bare.use("cg_unknown")
    bare.run()

    expect(bare.status).to_have_text("This token is unknown, expired or revoked: send another one.")
    expect(bare.token).to_be_focused()


def test_a_token_is_forgotten_with_the_page(bare: Visit, token: str) -> None:
    bare.use(token)
    expect(bare.status).to_contain_text("Acme")
    bare.run()
    bare.shows('"totalCount": 2')

    stored = bare.storage()
    assert "FirstCustomers" in stored
    assert token not in stored
    # Nor is the answer there.
    assert "Place-" not in stored
    assert token not in bare.page.url
    bare.page.reload()
    expect(bare.token).to_have_value("")


def test_a_token_that_is_to_be_remembered_is_back_in_this_tab_alone(bare: Visit, token: str) -> None:
    bare.page.get_by_label("Remember for this tab").check()
    bare.use(token)
    expect(bare.status).to_contain_text("Acme")

    bare.page.reload()
    expect(bare.status).to_contain_text("Acme")
    assert token not in bare.page.evaluate("JSON.stringify(localStorage)")
    other_tab = bare.page.context.new_page()
    other_tab.goto(bare.page.url)
    expect(other_tab.get_by_label("Token", exact=True)).to_have_value("")

    bare.page.get_by_label("Remember for this tab").uncheck()
    assert token not in bare.storage()


def test_a_shown_token_is_in_no_storage_and_back_after_a_reload(shown: Visit, token: str) -> None:
    shown.run()
    shown.shows('"totalCount": 2')

    assert token not in shown.storage()
    shown.page.reload()
    expect(shown.status).to_contain_text("Acme")


def test_where_the_schema_is_open_it_is_read_without_a_token(
    serve: MakeServer, database_url: str, arrive: Arrive
) -> None:
    visited = arrive(serve(Settings(database_url=database_url, open_introspection=True)))

    visited.open()

    visited.open_documentation()
    expect(visited.status).to_contain_text("Paste a token to begin.")
    assert visited.complaints == []


def test_an_example_replaces_an_example_and_keeps_what_was_typed(shown: Visit) -> None:
    shown.choose_example("Facets")
    expect(shown.query).to_contain_text("query Facets")
    expect(shown.tabs).to_have_count(1)

    shown.write(shown.query, NESTED_QUERY)
    shown.choose_example("Counts")
    expect(shown.query).to_contain_text("query Counts")
    expect(shown.tabs).to_have_count(2)
    shown.run()
    shown.shows('"totalCount": 2')


def test_the_stop_button_ends_the_request(shown: Visit) -> None:
    held: list[Route] = []
    shown.page.route("**/graphql", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks the function
    shown.run()
    with shown.page.expect_event("requestfailed"):
        shown.page.get_by_label("Stop query").click()

    expect(shown.page.get_by_label("Execute query")).to_be_visible()
    assert len(held) == 1


def test_a_subscription_shows_changes_until_it_is_stopped(shown: Visit, token: str) -> None:
    shown.write(shown.query, "subscription Typed { changes { nodes { kind action } pageInfo { endCursor } } }")
    shown.run()
    shown.shows('"nodes": []', '"endCursor"')

    create = 'mutation { createCustomer(input: { firstName: "Ada", email: "ada@example.com" }) { customer { id } } }'
    httpx.post(f"{shown.url}/graphql", json={"query": create}, headers={"Authorization": f"Bearer {token}"})
    shown.shows('"kind": "CUSTOMER"', '"action": "CREATED"')
    expect(shown.page.locator(".last-answer")).to_contain_text("cost")
    shown.page.get_by_label("Stop query").click()

    expect(shown.page.get_by_label("Execute query")).to_be_visible()
    assert shown.complaints == []


def test_a_subscription_whose_server_stops_says_how_to_go_on(database_url: str, token: str, arrive: Arrive) -> None:
    with RunningServer(Settings(database_url=database_url)) as server:
        visited = arrive(server.url)
        visited.open()
        visited.use(token)
        visited.write(visited.query, "subscription Typed { changes { nodes { kind } } }")
        visited.run()
        visited.shows('"nodes": []')

    visited.shows("Subscribe again, with the last endCursor as `after`.")


def test_tab_leaves_the_editor_after_escape(shown: Visit) -> None:
    in_editor = "document.activeElement.closest('.CodeMirror') !== null"
    shown.write(shown.query, "query Typed { project { name } }")

    shown.page.keyboard.press("Tab")
    assert shown.page.evaluate(in_editor)
    shown.page.keyboard.press("Escape")
    shown.page.keyboard.press("Tab")

    assert not shown.page.evaluate(in_editor)
    expect(shown.query).to_contain_text("  ")


def test_the_pages_files_are_kept_by_the_browser(shown: Visit) -> None:
    files = shown.page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    kept = [httpx.get(name).headers.get("cache-control") for name in files if "/bundle/" in name]

    assert kept == ["public, max-age=31536000, immutable"] * 2
