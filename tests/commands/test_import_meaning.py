"""The rows of an import: which are stored already, what they change, and the summaries of customers."""

import pytest

from commands.command import Imports
from customergraph.importing.kinds import IMPORT_KINDS, ImportKindName

ANN = "11111111-1111-4111-8111-111111111111"
BOB = "22222222-2222-4222-8222-222222222222"

SUMMARY = "SELECT asked_at, messaged_at, reviewed_at, has_clicked, has_charges FROM customer WHERE id = 1"


@pytest.fixture
def ann(imports: Imports) -> Imports:
    """A store with one customer, who has an email, a phone, a tag and a location."""
    imports.csv("locations", "slug,name", "a,A", "b,B")
    imports.csv("tags", "slug,name", "vip,VIP", "new,New")
    imports.csv(
        "customers",
        "uuid,first_name,last_name,email,phone,location,tags,created_at,has_subscription,archived_at",
        f"{ANN},Ann,Lee,Ann@Example.com,+1 415 555 2671,a,vip,2026-01-01,true,2026-02-01",
    )
    return imports


def _day(date: str) -> str:
    return f"{date}T00:00:00.000000Z"


CELLS = {
    "address1": "1 Main St",
    "address2": "Apt 2",
    "amount": "100",
    "body": "Fine.",
    "channel": "SMS",
    "city": "Rome",
    "code": "C",
    "color": "#ffffff",
    "company": "Orbit",
    "currency": "EUR",
    "customer_uuid": ANN,
    "display_name": "C",
    "email": "ann@example.com",
    "failed_reason": "unknown",
    "first_name": "Bob",
    "has_subscription": "true",
    "icon": "star",
    "last_name": "Lee",
    "location": "b",
    "name": "C",
    "notes": "Friendly.",
    "phone": "+14155552671",
    "postal_code": "10004",
    "reply": "Thanks.",
    "score": "5",
    "slug": "c",
    "source": "site",
    "state": "NY",
    "tags": "new",
    "template": "REQUEST",
    "unsubscribed": "yes",
    "url": "https://example.com",
    "uuid": BOB,
    "ask_id": "1",
}
OTHER_CUSTOMER = {"email": "bob@example.com", "phone": "+14155552672"}


@pytest.mark.parametrize("name", ImportKindName)
def test_each_column_of_a_file_is_stored(ann: Imports, name: ImportKindName) -> None:
    kind = IMPORT_KINDS[name]
    cells = CELLS | (OTHER_CUSTOMER if name is ImportKindName.CUSTOMERS else {})

    row = ",".join(cells.get(column, "2026-01-01") for column in kind.rules)
    assert ann.csv(name, ",".join(kind.rules), row) == (1, 0, 0)

    table = kind.saved.table
    columns = ", ".join(set(kind.rules) & set(kind.saved.entity.written))
    [stored] = ann.rows(f"SELECT {columns} FROM {table} ORDER BY id DESC LIMIT 1")  # noqa: S608 - ours
    assert None not in stored


def test_locations_and_tags_are_known_by_their_slug(imports: Imports) -> None:
    imports.csv("locations", "slug,name,city", "a,Old,Rome", "b,B,")
    imports.csv("tags", "slug,name,color", "vip,Old,#FF0000")

    assert imports.csv("locations", "slug,name", "a,New", "c,C", "c,Zürich") == (1, 2, 0)
    assert imports.csv("tags", "slug,name,color", "vip,New,") == (0, 1, 0)

    assert imports.rows("SELECT id, slug, name, name_key, city FROM location ORDER BY id") == [
        (1, "a", "New", "new", "Rome"),
        (2, "b", "B", "b", None),
        (3, "c", "Zürich", "zürich", None),
    ]
    assert imports.rows("SELECT name, color FROM tag") == [("New", "#ff0000")]


def test_importing_the_same_file_again_changes_nothing(ann: Imports) -> None:
    files = {
        "customers": ("uuid,first_name,email,tags", f"{BOB},Bob,bob@example.com,new"),
        "messages": (
            "uuid,email,channel,template,scheduled_at",
            f"{ANN},ann@example.com,EMAIL,REQUEST,2026-01-05",
        ),
        "reviews": ("uuid,email,score,body", f"{ANN},ann@example.com,4,Fine"),
        "charges": ("uuid,email,amount,currency", f"{ANN},ann@example.com,100,EUR"),
    }
    for kind, lines in files.items():
        assert ann.csv(kind, *lines) == (1, 0, 0)
    before = {table: ann.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in _tables()}  # noqa: S608

    for kind, lines in files.items():
        assert ann.csv(kind, *lines) == (0, 1, 0)

    assert {table: ann.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in _tables()} == before  # noqa: S608


def _tables() -> tuple[str, ...]:
    return ("customer", "customer_tag", "message", "review", "charge")


@pytest.mark.parametrize("key", [f"uuid,phone|{ANN},+14155552671", "email|ANN@example.COM", "phone|+14155552671"])
def test_a_known_customer_is_found_by_uuid_email_or_phone(ann: Imports, key: str) -> None:
    columns, cells = key.split("|")

    assert ann.csv("customers", f"first_name,company,{columns}", f"Anna,Orbit,{cells}") == (0, 1, 0)

    assert ann.rows("SELECT id, first_name, company, phone FROM customer") == [(1, "Anna", "Orbit", "+14155552671")]


def test_an_absent_column_keeps_a_blank_cell_clears_where_it_may_and_tags_replace(ann: Imports) -> None:
    ann.csv("customers", "first_name,email", "Anna,ann@example.com")

    assert ann.rows("SELECT last_name, phone, location_id, created_at, has_subscription FROM customer") == [
        ("Lee", "+14155552671", 1, _day("2026-01-01"), 1)
    ]
    assert ann.rows("SELECT tag_id FROM customer_tag") == [1]
    assert ann.rows("SELECT name_key, email FROM customer") == [("anna lee", "ann@example.com")]

    ann.csv(
        "customers",
        "first_name,email,last_name,phone,location,tags,created_at,has_subscription,archived_at",
        "Anna,ann@example.com,,,b,new,,,",
        blank_clears=True,
    )

    columns = "last_name, phone, location_id, created_at, has_subscription, archived_at, name_key"
    assert ann.rows(f"SELECT {columns} FROM customer") == [  # noqa: S608
        (None, None, 2, _day("2026-01-01"), 0, None, "anna")
    ]
    assert ann.rows("SELECT tag_id FROM customer_tag") == [2]

    ann.csv("customers", "first_name,email,location,tags", "Anna,ann@example.com,,", blank_clears=True)

    assert ann.rows("SELECT location_id FROM customer") == [None]
    assert ann.rows("SELECT tag_id FROM customer_tag") == []


def test_a_change_of_tags_alone_moves_updated_at(ann: Imports) -> None:
    ann.change("UPDATE customer SET updated_at = '2026-01-01T00:00:00.000000Z'")

    ann.csv("customers", "first_name,email,tags", "Ann,Ann@Example.com,vip")
    assert ann.rows("SELECT updated_at FROM customer") == [_day("2026-01-01")]

    ann.csv("customers", "first_name,email,tags", 'Ann,Ann@Example.com,"new,vip"')
    assert ann.rows("SELECT updated_at FROM customer") != [_day("2026-01-01")]


def test_the_later_of_two_rows_for_one_customer_wins(imports: Imports) -> None:
    outcome = imports.csv(
        "customers",
        "first_name,email,phone,company",
        "Ann,ann@example.com,,Old",
        "Bob,bob@example.com,+14155552671,",
        "Anna,ANN@example.com,+14155552672,New",
        "Annie,,+14155552672,Newest",
    )

    assert outcome == (2, 2, 0)
    assert imports.rows("SELECT first_name, email, phone, company FROM customer ORDER BY id") == [
        ("Annie", "ANN@example.com", "+14155552672", "Newest"),
        ("Bob", "bob@example.com", "+14155552671", None),
    ]


def test_a_later_row_without_a_column_keeps_what_the_earlier_said(imports: Imports) -> None:
    imports.ndjson(
        "customers",
        {"first_name": "Ann", "email": "ann@example.com", "created_at": "2026-01-01", "company": "Orbit"},
        {"first_name": "Anna", "email": "ann@example.com"},
        {"first_name": "Anne", "email": "ann@example.com", "created_at": None},
    )

    assert imports.rows("SELECT first_name, company, created_at FROM customer") == [
        ("Anne", "Orbit", _day("2026-01-01"))
    ]


def test_a_blank_cell_keeps_the_time_that_an_earlier_row_of_the_file_said(ann: Imports) -> None:
    review = {"uuid": ANN, "email": "ann@example.com", "score": 5, "created_at": "2026-01-01", "body": "Fine."}
    blank = {**review, "created_at": None, "body": None}

    ann.ndjson("reviews", review, blank, blank_clears=True)
    assert ann.rows("SELECT created_at, body FROM review") == [(_day("2026-01-01"), None)]

    ann.ndjson("reviews", {**review, "created_at": "2026-02-01"}, blank, blank_clears=True)
    assert ann.rows("SELECT created_at, body FROM review") == [(_day("2026-02-01"), None)]


def test_a_row_of_two_customers_is_rejected(ann: Imports) -> None:
    ann.csv("customers", "uuid,first_name,email", f"{BOB},Bob,bob@example.com")

    outcome = ann.csv(
        "customers",
        "uuid,first_name,email,phone",
        ",Both,bob@example.com,+14155552671",
        f"{BOB},Bob,ann@example.com,",
        f"{BOB},Bobby,bob@example.com,",
    )

    assert outcome == (0, 1, 2)
    reason = "belongs to another customer already"
    assert ann.rejects == [("2", "phone", reason), ("3", "email", reason)]
    assert ann.rows("SELECT first_name FROM customer ORDER BY id") == ["Ann", "Bobby"]

    mixed = ann.csv("charges", "email,phone,amount,currency", "bob@example.com,+14155552671,1,USD")

    assert mixed == (0, 0, 1)
    assert ann.rejects == [("2", "phone", "belongs to another customer than the email")]


def test_an_address_may_pass_from_one_customer_to_another_in_one_file(ann: Imports) -> None:
    outcome = ann.csv(
        "customers",
        "uuid,first_name,email,phone",
        f"{ANN},Ann,ann@new.example.com,+14155552671",
        f"{BOB},Bob,ann@example.com,",
    )

    assert outcome == (1, 1, 0)
    assert ann.rows("SELECT first_name, email, email_key FROM customer ORDER BY id") == [
        ("Ann", "ann@new.example.com", "ann@new.example.com"),
        ("Bob", "ann@example.com", "ann@example.com"),
    ]


def test_history_of_nobody_is_rejected(ann: Imports) -> None:
    outcome = ann.csv(
        "charges",
        "email,phone,amount,currency,location",
        "nobody@example.com,,1,USD,",
        ",+14155552672,1,USD,",
        "ann@example.com,,1,USD,nowhere",
        "ann@example.com,,9223372036854775808,USD,",
        "ann@example.com,,1.5,USD,",
        "ann@example.com,,1,dollars,",
        "ann@example.com,,9223372036854775807,usd,a",
    )

    assert outcome == (1, 0, 6)
    assert [(line, column) for line, column, _ in ann.rejects] == [
        ("2", "email"),
        ("3", "phone"),
        ("4", "location"),
        ("5", "amount"),
        ("6", "amount"),
        ("7", "currency"),
    ]
    assert ann.rows("SELECT amount, currency, location_id FROM charge") == [(2**63 - 1, "USD", 1)]


def test_customers_remember_the_history_that_is_imported(ann: Imports) -> None:
    header = "uuid,email,channel,template,scheduled_at,sent_at,clicked_at"

    ann.csv(
        "messages",
        header,
        f"{ANN},ann@example.com,email,request,2026-01-05,2026-01-06,2026-01-07",
        f"{BOB},ann@example.com,sms,reminder,2026-01-09,2026-01-10,",
    )
    ann.csv("reviews", f"uuid,email,score,created_at\n{ANN},ann@example.com,3,2026-01-20")
    ann.csv("charges", f"uuid,email,amount,currency\n{ANN},ann@example.com,3,EUR")

    assert ann.rows(SUMMARY) == [(_day("2026-01-05"), _day("2026-01-10"), _day("2026-01-20"), 1, 1)]

    ann.csv("messages", header, f"{ANN},ann@example.com,email,reminder,2026-01-05,,", blank_clears=True)
    ann.csv("reviews", f"uuid,email,score,created_at\n{ANN},ann@example.com,3,2026-01-19")

    assert ann.rows(SUMMARY) == [(None, _day("2026-01-10"), _day("2026-01-19"), 0, 1)]


def test_history_that_moves_to_another_customer_is_remembered_there_alone(ann: Imports) -> None:
    ann.csv("customers", "first_name,email", "Bob,bob@example.com")
    ann.csv("reviews", f"uuid,email,score,created_at\n{ANN},ann@example.com,3,2026-01-20")

    assert ann.csv("reviews", f"uuid,email,score\n{ANN},bob@example.com,2") == (0, 1, 0)

    assert ann.rows("SELECT reviewed_at FROM customer ORDER BY id") == [None, _day("2026-01-20")]
    assert ann.rows("SELECT customer_id, score FROM review") == [(2, 2)]


def test_an_archived_customers_message_stays_scheduled(ann: Imports) -> None:
    ann.csv("messages", "phone,channel,template,scheduled_at", "+14155552671,sms,thanks_negative,2030-01-01")

    assert ann.rows("SELECT canceled_at, template FROM message") == [(None, "THANKS_NEGATIVE")]


def test_new_rows_get_ids_in_the_order_of_the_file(imports: Imports) -> None:
    names = [f"c{number * 7919 % 6_007}" for number in range(6_007)]

    imports.csv("customers", "first_name,email", *(f"{name},{name}@example.com" for name in names))
    imports.csv("charges", "email,amount,currency", *(f"{name}@example.com,{name[1:]},USD" for name in names))

    assert imports.rows("SELECT first_name FROM customer ORDER BY id") == names
    assert imports.rows("SELECT 'c' || amount FROM charge ORDER BY id") == names


@pytest.mark.parametrize(
    ("cell", "stored"),
    [
        ("2026-07-01", "2026-07-01T04:00:00.000000Z"),
        ("2026-01-01", "2026-01-01T05:00:00.000000Z"),
        ("2026-01-01T00:00:00.25+02:00", "2025-12-31T22:00:00.250000Z"),
        ("1767225600", "2026-01-01T00:00:00.000000Z"),
        (" -100000000 ", "1966-10-31T14:13:20.000000Z"),
    ],
)
def test_times_are_days_of_the_project_time_stamps_or_unix_seconds(imports: Imports, cell: str, stored: str) -> None:
    imports.change("UPDATE project SET timezone = 'America/New_York'")

    imports.csv("customers", "first_name,email,created_at", f"Ann,ann@example.com,{cell}")

    assert imports.rows("SELECT created_at FROM customer") == [stored]


@pytest.mark.parametrize("cell", ["2026-02-30", "2026-01-01T00:00:00", "01/02/2026", "10000-01-01", "now"])
def test_a_cell_that_is_not_a_time_is_rejected(imports: Imports, cell: str) -> None:
    assert imports.csv("customers", "first_name,email,created_at", f"Ann,a@example.com,{cell}") == (0, 0, 1)
    assert imports.rejects[0][:2] == ("2", "created_at")


def test_a_customer_with_a_uuid_alone_is_added_and_known_again(imports: Imports) -> None:
    columns = "uuid,first_name,email,phone"

    assert imports.csv("customers", "uuid,first_name", f"{ANN},Ann", f"{BOB},Bob") == (2, 0, 0)
    assert imports.csv("customers", columns, f"{ANN},Anna,,", ",Nobody,,", f"{BOB},Bob,bob@example.com,") == (0, 2, 1)

    assert imports.rejects == [("3", "email", "an email, a phone or a uuid is needed")]
    assert imports.rows("SELECT uuid, first_name, email, phone FROM customer ORDER BY id") == [
        (ANN.replace("-", ""), "Anna", None, None),
        (BOB.replace("-", ""), "Bob", "bob@example.com", None),
    ]


@pytest.mark.parametrize(
    "code", ["ZZZ", "DEM", "EURO", "EU", "\ufb00x", "\uff35\uff33\uff24", "u\u017fd", "\u20ac", "\u0131dr"]
)
def test_a_currency_that_is_not_active_is_rejected(ann: Imports, code: str) -> None:
    row = {"email": "ann@example.com", "amount": 1, "currency": code}

    assert ann.ndjson("charges", row) == (0, 0, 1)
    assert ann.csv("charges", "email,amount,currency", f"ann@example.com,1,{code}") == (0, 0, 1)

    assert ann.rejects == [("2", "currency", f"{code!r} is not an active ISO 4217 currency code like USD")]
    assert ann.rows("SELECT count(*) FROM charge") == [0]


def test_active_currencies_are_accepted_in_either_case(ann: Imports) -> None:
    codes = ["usd", " EUR ", "Jpy", "XAU", "zwg"]

    assert ann.csv("charges", "email,amount,currency", *(f"ann@example.com,1,{code}" for code in codes)) == (5, 0, 0)

    assert ann.rows("SELECT currency FROM charge ORDER BY id") == ["USD", "EUR", "JPY", "XAU", "ZWG"]


@pytest.mark.parametrize(
    ("kind", "column", "cell"),
    [
        ("messages", "channel", "\u017fms"),
        ("messages", "channel", "ema\u0131l"),
        ("messages", "template", "reque\u017ft"),
        ("messages", "uuid", "\uff11" * 32),
        ("messages", "uuid", "1" * 15 + "_" + "1" * 16),
        ("messages", "uuid", "+" + "1" * 31),
        ("reviews", "score", "\uff15"),
        ("charges", "amount", "\u0661"),
    ],
)
def test_letters_and_digits_that_only_resemble_ascii_are_rejected(
    ann: Imports, kind: str, column: str, cell: str
) -> None:
    rows: dict[str, dict[str, object]] = {
        "messages": {"channel": "sms", "template": "request", "scheduled_at": "2026-01-01"},
        "reviews": {"score": 5},
        "charges": {"amount": 1, "currency": "USD"},
    }

    assert ann.ndjson(kind, {"email": "ann@example.com", **rows[kind], column: cell}) == (0, 0, 1)

    assert ann.rejects[0][:2] == ("1", column)


@pytest.mark.parametrize(
    "address",
    ["anna@b\u00fccher.example", "ANNA@xn--bcher-kva.example", "Anna@\uff42\u00fc\uff43\uff48\uff45\uff52.example"],
)
def test_a_customer_is_known_by_its_mailbox(imports: Imports, address: str) -> None:
    imports.csv("customers", "first_name,email", "Anna,anna@B\u00dcCHER.example", "Bea,bea@fa\u00df.example")

    assert imports.csv("customers", "first_name,email", f"Ann,{address}", "Bo,bea@fass.example") == (1, 1, 0)
    assert imports.csv("charges", "email,amount,currency", f"{address},1,USD", "bea@xn--fa-hia.example,2,USD") == (
        2,
        0,
        0,
    )
    assert imports.csv("reviews", "email,score", f"{address},3") == (1, 0, 0)
    assert imports.csv("messages", "email,channel,template,scheduled_at", f"{address},sms,request,2026-01-01") == (
        1,
        0,
        0,
    )

    assert imports.rows("SELECT first_name, email FROM customer ORDER BY id") == [
        ("Ann", address),
        ("Bea", "bea@fa\u00df.example"),
        ("Bo", "bea@fass.example"),
    ]
    assert imports.rows("SELECT customer_id, amount FROM charge ORDER BY id") == [(1, 1), (2, 2)]
    assert imports.rows("SELECT customer_id FROM review UNION ALL SELECT customer_id FROM message") == [1, 1]


def test_two_rows_of_one_mailbox_are_one_customer(imports: Imports) -> None:
    rows = ["Anna,anna@b\u00fccher.example", "Annie,anna@xn--bcher-kva.example"]

    assert imports.csv("customers", "first_name,email", *rows) == (1, 1, 0)
    assert imports.rows("SELECT first_name, email FROM customer") == [("Annie", "anna@xn--bcher-kva.example")]


def test_a_customer_that_an_older_version_let_share_a_mailbox_can_be_changed(imports: Imports) -> None:
    imports.csv("customers", "uuid,first_name,email", f"{ANN},Ann,ann@example.com", f"{BOB},Bob,bob@example.com")
    # As an upgrade leaves two rows of one mailbox.
    imports.change("UPDATE customer SET email = 'ANN@example.com', email_key = 'ann@example.com\n2' WHERE id = 2")

    assert imports.csv("customers", "uuid,first_name", f"{BOB},Bobby") == (0, 1, 0)
    assert imports.csv("customers", "uuid,first_name,email", f"{BOB},Bobby,ANN@example.com") == (0, 0, 1)
    assert imports.rejects == [("2", "email", "belongs to another customer already")]
    assert imports.csv("customers", "uuid,first_name,email", f"{BOB},Bobby,bobby@example.com") == (0, 1, 0)

    assert imports.rows("SELECT first_name, email_key FROM customer ORDER BY id") == [
        ("Ann", "ann@example.com"),
        ("Bobby", "bobby@example.com"),
    ]
