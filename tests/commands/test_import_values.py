"""Cells whose meaning a file does not say: phones, dates, times and amounts, with the options that read them."""

import pytest

from commands.command import Command, reject_rows

ALWAYS = "YYYY-MM-DD always works"


def import_of(command: Command, kind: str, *lines: str, options: str = "") -> int:
    """Import lines of CSV; returns the exit code."""
    command.file("file.csv", "\n".join(lines))
    return command.inside.run("import", kind, "file.csv", "--project", "acme", *options.split()).returncode


def reason(command: Command) -> str:
    [(_, _, reason)] = reject_rows(command.folder / "file.csv.rejects.csv")
    return reason


@pytest.mark.parametrize(
    ("cell", "options", "stored"),
    [
        ("01/02/2024", "--days dmy", "2024-02-01T00:00:00"),
        ("01/02/2024", "--days mdy --zone America/New_York", "2024-01-02T05:00:00"),
        ("1.2.2024", "--days dmy", "2024-02-01T00:00:00"),
        ("2024/2/1", "--days ymd", "2024-02-01T00:00:00"),
        ("2024-02-01", "--days mdy --zone Europe/Berlin", "2024-01-31T23:00:00"),
        ("2024-02-01 09:00", "--zone Europe/Berlin", "2024-02-01T08:00:00"),
        ("2024-02-01T09:00:00.123456789Z", "", "2024-02-01T09:00:00.123456"),
        ("2024-02-01 09:00 UTC", "", "2024-02-01T09:00:00"),
        ("2024-02-01 09:00:00+0230", "", "2024-02-01T06:30:00"),
        ("3/15/2024 12:30 AM", "--days mdy --zone UTC", "2024-03-15T00:30:00"),
        ("3/15/2024 2:30 PM", "--days mdy --zone UTC", "2024-03-15T14:30:00"),
        ("1767225600", "", "2026-01-01T00:00:00"),
        ("1767225600.0", "", "2026-01-01T00:00:00"),
    ],
)
def test_a_time_is_read_as_the_options_say(embedded_acme: Command, cell: str, options: str, stored: str) -> None:
    lines = ("first_name,email,created_at", f"Ann,ann@example.com,{cell}")

    assert import_of(embedded_acme, "customers", *lines, options=options) == 0

    [created_at] = embedded_acme.rows("SELECT created_at FROM customer")
    assert created_at.startswith(stored)


@pytest.mark.parametrize(
    ("cell", "options", "hint"),
    [
        ("01/02/2024", "", "--days dmy or --days mdy would read it"),
        ("13/02/2024", "", "--days dmy would read it"),
        ("13/02/2024", "--days mdy", "--days dmy would read it"),
        ("2024/2/1", "", "--days ymd would read it"),
        ("01/02/24", "--days dmy", "is not a date in an order that is known"),
        ("2024-02-01 09:00", "", "--zone, like --zone Europe/Berlin, would read it"),
        ("3/15/2024 14:30 PM", "--days mdy --zone UTC", "is not a time of the day"),
        ("2024-02-30", "", "is not a date of the calendar"),
        ("45292", "", "a number too small for Unix seconds: a spreadsheet's day, or a date without hyphens?"),
        ("20240201", "", "a number too small for Unix seconds"),
        ("Feb 1 2024", "", "is not a time"),
    ],
)
def test_a_time_that_can_be_several_is_refused_with_what_would_read_it(
    embedded_acme: Command, cell: str, options: str, hint: str
) -> None:
    lines = ("first_name,email,created_at", f"Ann,ann@example.com,{cell}")

    assert import_of(embedded_acme, "customers", *lines, options=options) == 1

    assert hint in reason(embedded_acme)
    assert "YYYY-MM-DD" in reason(embedded_acme)


@pytest.mark.parametrize(
    ("cell", "currency", "amount"),
    [
        ("120.00", "USD", 12000),
        ("1,234.50", "usd", 123450),
        ("1.234,50", "EUR", 123450),
        ("€ 12,50", "EUR", 1250),
        ("12.5 USD", "USD", 1250),
        ("-$5.00", "USD", -500),
        ("($5.00)", "USD", -500),
        ("1'234.50", "CHF", 123450),
        ("1\u202f234,50", "EUR", 123450),
        ("1,23,456.00", "INR", 12345600),
        ("1,234", "USD", 123400),
        ("5000", "JPY", 5000),
        ("5,000.00", "JPY", 5000),
        ("1.2345", "KWD", None),
        ("1.234", "KWD", None),
        ("0.5", "JPY", None),
        ("€ 12,50", "USD", None),
        ("12.345", "USD", 1234500),
        ("twelve", "USD", None),
        ("1,2345", "USD", None),
        ("1" * 41, "USD", None),
    ],
)
def test_amounts_in_the_main_unit_are_read_by_the_digits_of_their_currency(
    embedded_acme: Command, cell: str, currency: str, amount: int | None
) -> None:
    import_of(embedded_acme, "customers", "first_name,email", "Ann,ann@example.com")
    lines = ("email,amount,currency", f'ann@example.com,"{cell}",{currency}')

    code = import_of(embedded_acme, "charges", *lines, options="--amounts major")

    assert code == (0 if amount is not None else 1)
    assert embedded_acme.rows("SELECT amount FROM charge") == ([amount] if amount is not None else [])


def test_decimals_in_the_smallest_unit_are_refused_with_what_would_read_them(embedded_acme: Command) -> None:
    assert import_of(embedded_acme, "charges", "email,amount,currency", "ann@example.com,12.50,USD") == 1

    assert reason(embedded_acme).endswith("; --amounts major reads decimals")


def test_a_phone_without_a_country_code_is_of_the_country_that_is_named(embedded_acme: Command) -> None:
    lines = ("first_name,phone", "Nia,06 12345678")

    assert import_of(embedded_acme, "customers", *lines) == 1
    assert reason(embedded_acme).endswith("; --country, like --country NL, names its country")
    assert import_of(embedded_acme, "customers", *lines, options="--country NL") == 0

    assert embedded_acme.rows("SELECT phone FROM customer") == ["+31612345678"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--country Holland", "'Holland' is not a country: give two letters, like NL"),
        ("--zone Mars", "unknown time zone 'Mars'"),
        ("--days xyz", "'xyz' is not one of 'dmy', 'mdy', 'ymd'"),
        ("--encoding klingon", "'klingon' is not an encoding"),
        ("--without-customer", "only reviews can be without a customer"),
        ("--nonsense", "No such option: --nonsense"),
    ],
)
def test_a_wrong_option_is_one_line(embedded_acme: Command, options: str, reason: str) -> None:
    embedded_acme.file("file.csv", "first_name,email\n")

    run = embedded_acme.inside.run("import", "customers", "file.csv", "--project", "acme", *options.split())

    assert (run.returncode, run.stderr.count("\n")) == (2, 1)
    assert reason in run.stderr
