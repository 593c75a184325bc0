"""Every form of file in the samples, and an owner's walk from one system to the next."""

from pathlib import Path

import pytest

from commands.command import Command, reject_rows

SAMPLES = Path(__file__).parent / "exports"
CUSTOMERS = "SELECT first_name, last_name, email, phone FROM customer ORDER BY id"
CHARGES = "SELECT customer_id, amount FROM charge ORDER BY id"
GOOGLE = """
kind = "reviews"
[file]
rows = "reviews"
[columns]
score = "starRating"
body = "comment"
created_at = "createTime"
reply = "reviewReply.comment"
replied_at = "reviewReply.updateTime"
[words.score]
FIVE = "5"
ONE = "1"
[defaults]
source = "google"
[id]
column = "name"
name = "google-reviews"
"""

# Of each sample: the kind, options, how many rows are added, and the lines of those that are rejected.
FORMS = {
    "ambiguous-dates.csv": ("customers", "", 0, "2 3 4 5 6 7 8"),
    "booleans.csv": ("customers", "", 1, "3 4 5 6 7 8 9"),
    "excel-semicolon-cp1252.csv": ("customers", "--encoding cp1252", 1, ""),
    "excel-unicode-text.csv": ("customers", "", 1, ""),
    "google-reviews.json": ("reviews", "--map google.toml --without-customer", 2, ""),
    "header-forms.csv": ("customers", "", 1, ""),
    "open-quote.csv": ("customers", "", 4, "3"),
    "phones.csv": ("customers", "--country US", 7, "4 6 8 12 13"),
    "tags-forms.csv": ("customers", "--create-tags", 6, ""),
    "trailing-columns.csv": ("customers", "", 2, ""),
}


@pytest.fixture
def samples(embedded_acme: Command) -> Command:
    """The command in a folder with all samples."""
    for path in SAMPLES.iterdir():
        (embedded_acme.folder / path.name).write_bytes(path.read_bytes())
    embedded_acme.file("google.toml", GOOGLE)
    return embedded_acme


@pytest.mark.parametrize("name", FORMS)
def test_a_sample_is_read_without_editing_and_what_cannot_be_meant_is_rejected(samples: Command, name: str) -> None:
    kind, options, added, lines = FORMS[name]

    run = samples.inside.run("import", kind, name, "--project", "acme", *options.split())

    rejects = samples.folder / f"{name}.rejects.csv"
    rejected = [line for line, *_ in reject_rows(rejects)] if rejects.exists() else []
    counts = f"{kind}: {added} added, 0 updated, 0 unchanged, {len(rejected)} rejected"
    assert (run.stderr[: len(counts)], " ".join(rejected)) == (counts, lines)


def test_an_owner_walks_from_stripe_to_shopify_and_looks_before_a_changed_file(samples: Command) -> None:
    """Shopify knows one of Stripe's customers, with a name. Its next export has another name for somebody."""
    project = ("--project", "acme")
    shopify = ("import", "customers", "shopify.csv", *project, "--map", "shopify", "--create-tags")
    text = (samples.folder / "shopify-customers.csv").read_text()
    text = text.replace("'6003,,,nameless.shopper@", "'6003,Kiran,Prasad,kiran.p@")
    samples.file("shopify.csv", text)

    samples.inside.succeed("import", "customers", "stripe-customers.csv", *project, "--map", "stripe-customers")
    samples.inside.succeed("import", "charges", "stripe-payments.csv", *project, "--map", "stripe-payments")
    over = samples.inside.run(*shopify)

    assert over.stderr.startswith("customers: 3 added, 2 updated, 0 unchanged, 0 rejected"), over.stderr
    assert samples.rows(CUSTOMERS) == [
        ("Rhea", "Lindqvist", "rhea.lindqvist@example.com", None),
        ("Bo", "Tran", None, None),
        ("Kiran", "Prasad", "kiran.p@example.com", None),
        ("Ilse", "Vermeer", "ILSE.VERMEER@example.com", "+31612345678"),
        ("Tomás", "Quiroga", "TOMAS.Q@example.com", "+5491123456789"),
        ("Mei", "Okafor 🌸", "mei.okafor@example.com", "+15035550123"),
    ]
    assert samples.rows(CHARGES) == [(1, 12000), (3, 123450), (3, -1000), (1, 5000)]

    samples.file("shopify.csv", text.replace("'6002,Tomás,", "'6002,Thomas,"))
    told = samples.inside.run(*shopify, "--dry-run").stderr.splitlines()

    assert told[0].startswith("customers: 0 would be added, 1 updated, 4 unchanged, 0 rejected"), told[0]
    assert "first_name: Thomas, last_name: Quiroga" in "".join(told)
    assert told[-1] == "nothing was changed: this was a dry run"
    assert samples.rows("SELECT count(*) FROM customer WHERE first_name = 'Tomás'") == [1]
