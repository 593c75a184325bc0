"""Mappings: presets on samples shaped after real exports, mappings of one's own, and suggestions."""

import tomllib
from pathlib import Path

import pytest

from commands.command import Command, reject_rows

SAMPLES = Path(__file__).parent / "exports"

# Of each sample: the preset, options, the exit code, and what the first line of the report begins with.
PRESETS = {
    "mailchimp-audience.csv": ("mailchimp", "--create-tags", 0, "customers: 2 added, 0 updated"),
    "klaviyo-profiles.csv": ("klaviyo", "", 0, "customers: 2 added, 0 updated"),
    "shopify-customers.csv": ("shopify", "--create-tags", 0, "customers: 4 added, 1 updated"),
    "stripe-customers.csv": ("stripe-customers", "", 0, "customers: 3 added, 0 updated"),
    "square-customers.csv": ("square", "--country US", 1, "customers: 1 added, 0 updated, 0 unchanged, 1 left out"),
    "hubspot-contacts.csv": ("hubspot", "--days mdy --zone America/New_York", 1, "customers: 3 added, 1 updated"),
    "quickbooks-customers.csv": ("quickbooks", "--country US", 1, "customers: 1 added, 0 updated"),
    "google-contacts.csv": ("google-contacts", "--country IN", 0, "customers: 1 added, 1 updated"),
    "outlook-contacts.csv": ("outlook", "--encoding cp1252 --country DE", 0, "customers: 2 added, 0 updated"),
    "jobber-clients.csv": (
        "jobber",
        "--country US --create-tags",
        0,
        "customers: 1 added, 0 updated, 0 unchanged, 1 left",
    ),
}

CUSTOMERS = "SELECT first_name, last_name, email, phone FROM customer ORDER BY id"


@pytest.fixture
def exports(embedded_acme: Command) -> Command:
    """The command in a folder with exports of other systems."""
    for path in SAMPLES.iterdir():
        (embedded_acme.folder / path.name).write_bytes(path.read_bytes())
    return embedded_acme


@pytest.mark.parametrize("name", PRESETS)
def test_an_export_is_imported_with_its_preset_and_imported_again_changes_nothing(exports: Command, name: str) -> None:
    preset, options, code, begin = PRESETS[name]
    words = ("import", "customers", name, "--project", "acme", "--map", preset, *options.split())

    first = exports.inside.run(*words)
    before = exports.rows(CUSTOMERS)
    again = exports.inside.run(*words)

    assert (first.returncode, first.stderr.startswith(begin)) == (code, True), first.stderr
    assert again.stderr.startswith("customers: 0 added"), again.stderr
    assert exports.rows(CUSTOMERS) == before


def test_shopify_customers_are_read_without_the_marks_of_a_spreadsheet(exports: Command) -> None:
    exports.inside.succeed(
        "import", "customers", "shopify-customers.csv", "--project", "acme", "--map", "shopify", "--create-tags"
    )

    assert exports.rows(CUSTOMERS) == [
        ("Ilse", "Vermeer", "ILSE.VERMEER@example.com", "+31612345678"),
        ("Tomás", "Quiroga", "TOMAS.Q@example.com", "+5491123456789"),
        ("nameless.shopper@example.com", None, "nameless.shopper@example.com", None),
        ("Mei", "Okafor 🌸", "mei.okafor@example.com", "+15035550123"),
    ]
    assert exports.rows("SELECT postal_code FROM customer ORDER BY id LIMIT 2") == ["3511 KV", "1085"]
    # Who accepts no marketing is unsubscribed, in the later row of the first customer too.
    assert exports.rows("SELECT unsubscribed_at IS NOT NULL FROM customer ORDER BY id") == [1, 1, 0, 0]
    assert exports.rows("SELECT slug FROM tag ORDER BY id") == ["vip", "newsletter", "family"]


def test_names_are_parted_and_the_first_valid_contact_is_taken_where_the_preset_says_so(exports: Command) -> None:
    for name in ("quickbooks-customers.csv", "google-contacts.csv", "outlook-contacts.csv", "stripe-customers.csv"):
        preset, options, *_ = PRESETS[name]
        exports.inside.run("import", "customers", name, "--project", "acme", "--map", preset, *options.split())

    assert exports.rows(CUSTOMERS) == [
        ("Dinah", "Farrow", "dinah@example.com", "+14155550177"),
        ("Onlyphone", "Deshmukh", "priyanka@example.com", "+919876543210"),
        ("Jürgen", "Weiß", "juergen.weiss@example.com", "+491711234567"),
        ("Anaïs", "Lefèvre", "anais@example.com", "+33612345678"),
        ("Rhea", "Lindqvist", "rhea.lindqvist@example.com", None),
        ("Bo", "Tran", None, None),
        ("kiran.p@example.com", None, "kiran.p@example.com", None),
    ]
    assert exports.rows("SELECT notes FROM customer WHERE last_name = 'Weiß'") == ["Größe 42"]


def test_what_is_marketing_consent_unsubscribes_and_a_preset_ends_no_opt_out(exports: Command) -> None:
    words = ("import", "customers", "hubspot-contacts.csv", "--project", "acme", *"--map hubspot --days mdy".split())
    exports.inside.run(*words, "--zone", "America/New_York")

    assert exports.rows("SELECT first_name, unsubscribed_at IS NOT NULL FROM customer ORDER BY id") == [
        ("Camilla", 0),
        ("Otis", 1),
        ("Zoë", 0),
    ]
    assert exports.rows("SELECT created_at FROM customer WHERE first_name = 'Otis'") == ["2024-03-15T18:30:00.000000Z"]

    exports.change("UPDATE customer SET unsubscribed_at = '2026-01-01T00:00:00.000000Z' WHERE first_name = 'Camilla'")
    exports.inside.run(*words, "--zone", "America/New_York")
    assert exports.rows("SELECT count(unsubscribed_at) FROM customer") == [2]


def test_stripe_payments_are_charges_with_their_refunds_and_without_the_failed(exports: Command) -> None:
    exports.inside.succeed(
        "import", "customers", "stripe-customers.csv", "--project", "acme", "--map", "stripe-customers"
    )
    words = ("import", "charges", "stripe-payments.csv", "--project", "acme", "--map", "stripe-payments")

    first, again = exports.inside.run(*words), exports.inside.run(*words)

    assert first.stderr.startswith("charges: 4 added, 0 updated, 0 unchanged, 1 left out, 0 rejected")
    assert again.stderr.startswith("charges: 0 added, 0 updated, 4 unchanged, 1 left out, 0 rejected")
    assert exports.rows("SELECT amount, currency, charged_at FROM charge ORDER BY id") == [
        (12000, "USD", "2024-01-31T10:22:33.000000Z"),
        (123450, "USD", "2024-02-03T18:40:01.000000Z"),
        (-1000, "USD", "2024-02-03T18:40:01.000000Z"),
        (5000, "JPY", "2024-02-05T12:00:00.000000Z"),
    ]


def test_trustpilot_reviews_keep_their_source_and_can_be_kept_without_a_customer(exports: Command) -> None:
    exports.inside.succeed(
        "import", "customers", "mailchimp-audience.csv", "--project", "acme", "--map", "mailchimp", "--create-tags"
    )
    words = ("import", "reviews", "trustpilot-reviews.csv", "--project", "acme", "--map", "trustpilot")

    assert exports.inside.run(*words).returncode == 1
    assert reject_rows(exports.folder / "trustpilot-reviews.csv.rejects.csv") == [
        ("4", "Review User Email", "an email, a phone or a customer_uuid is needed")
    ]
    exports.inside.succeed(*words, "--without-customer")

    assert exports.rows("SELECT customer_id, score, source, replied_at IS NOT NULL FROM review ORDER BY id") == [
        (1, 5, "trustpilot", 1),
        (None, 3, "trustpilot", 0),
    ]
    assert exports.rows("SELECT reviewed_at FROM customer ORDER BY id") == ["2024-01-31T10:22:33.000000Z", None]


MINE = """
kind = "reviews"
[file]
rows = "reviews"
[columns]
email = "by.mail"
score = "stars"
created_at = "at"
[words.score]
FIVE = "5"
[defaults]
source = "mine"
"""


def test_a_mapping_of_ones_own_reads_what_it_names_alone(exports: Command) -> None:
    exports.file("mine.toml", MINE)
    row = '{"by": {"mail": "lena.sorby@example.com"}, "stars": "FIVE", "at": "2024-01-31T10:22:33.1Z", "more": [{}]}'
    exports.file("mine.json", f'{{"reviews": [{row}]}}')
    exports.inside.succeed(
        "import", "customers", "mailchimp-audience.csv", "--project", "acme", "--map", "mailchimp", "--create-tags"
    )

    run = exports.inside.run("import", "reviews", "mine.json", "--project", "acme", "--map", "mine.toml")

    assert run.stderr.splitlines()[1:] == ["columns that are not read: 'more'"]
    assert exports.rows("SELECT customer_id, score, source FROM review") == [(1, 5, "mine")]


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ("nothing = 1\n[columns]\n", "the mapping m.toml: nothing: Extra inputs are not permitted"),
        ("[columns", "the mapping m.toml: is not TOML: "),
        (
            '[columns]\nemail = "E"\nfirst_nam = "F"',
            "customers have no column 'first_nam' (did you mean 'first_name'?)",
        ),
        ('[columns]\nemail = "E"\n[only]\nPaid = ["yes"]', "the file has no column 'Paid'; the column 'first_name' is"),
        ('[columns]\nfirst_name = "E"\nunsubscribed = "U"', "'unsubscribed' is missing in it, or in the file"),
        ('kind = "charges"\n[columns]\nemail = "E"', "it is one for charges"),
        ('[columns]\nemail = "E"\nfirst_name = "E"\n[values]\nzone = "Mars"', "unknown time zone 'Mars'"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_with_all_that_is_wrong(
    embedded_acme: Command, mapping: str, reason: str
) -> None:
    embedded_acme.file("m.toml", mapping)
    embedded_acme.file("c.csv", "E,F\nann@example.com,Ann\n")

    refusal = embedded_acme.inside.refusal("import", "customers", "c.csv", "--project", "acme", "--map", "m.toml")

    assert reason in refusal


def test_an_unknown_preset_is_refused_with_those_that_there_are(embedded_acme: Command) -> None:
    embedded_acme.file("c.csv", "email,first_name\n")

    refusal = embedded_acme.inside.refusal("import", "customers", "c.csv", "--project", "acme", "--map", "shopware")

    assert refusal.startswith(
        "the mapping 'shopware' is neither a file nor a preset: the presets are google-contacts, "
    )


@pytest.mark.parametrize("name", PRESETS)
def test_a_suggestion_is_a_mapping_that_names_what_is_known(exports: Command, name: str) -> None:
    encoding = ("--encoding", "cp1252") if name.startswith("outlook") else ()

    suggested = exports.inside.succeed("import", "map", "--suggest", name, *encoding)

    assert tomllib.loads(suggested)["kind"] == "customers"
    assert name.startswith("quickbooks") or tomllib.loads(suggested)["columns"]


def test_a_suggestion_names_the_preset_that_fits(exports: Command) -> None:
    suggested = exports.inside.succeed("import", "map", "--suggest", "shopify-customers.csv")

    assert "# The preset shopify fits this file: --map shopify\n" in suggested
