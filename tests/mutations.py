"""Documents with the mutations on one customer."""

# The arguments of each besides the id.
ARGUMENTS = {
    "deleteCustomer": "",
    "archiveCustomer": "",
    "unarchiveCustomer": "",
    "updateCustomerNotes": ', notes: "new"',
    "unsubscribeCustomer": "",
    "resubscribeCustomer": "",
    "cancelCustomerUnsentMessages": "",
    "updateCustomerTags": ", tagSlugs: []",
    "updateCustomer": ', input: { company: "new" }',
}

REPEATABLE = tuple(name for name in ARGUMENTS if name != "deleteCustomer")
CANCELING = ("archiveCustomer", "unsubscribeCustomer", "cancelCustomerUnsentMessages")
STAMPING = {"archiveCustomer": "archivedAt", "unsubscribeCustomer": "unsubscribedAt"}


def on_customer(name: str, selection: str | None = None, arguments: str | None = None) -> str:
    """Return a document with the mutation on the customer `$id`."""
    if selection is None:
        selection = "deletedCustomerId" if name == "deleteCustomer" else "customer { databaseId }"
    others = ARGUMENTS[name] if arguments is None else arguments
    errors = "userErrors { field message code }"
    return f"mutation($id: ID!) {{ {name}(id: $id{others}) {{ {selection} {errors} }} }}"


CREATE = """
mutation($input: CreateCustomerInput!) {
  createCustomer(input: $input) { customer { databaseId } userErrors { field message code } }
}
"""
