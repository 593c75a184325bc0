"""A variable that is named like a setting, but is none, is reported with the setting that it resembles."""

import json
import signal

import pytest

from commands.command import Command, until
from conftest import free_port

TYPO = {"CUSTOMERGRAPH_WORKER": "2"}
WARNING = "customergraph: CUSTOMERGRAPH_WORKER is no setting: did you mean CUSTOMERGRAPH_WORKERS?\n"


def test_a_command_reports_it_and_does_its_job(embedded: Command) -> None:
    result = embedded.inside.run("project", "create", "acme", "--name", "Acme", env=TYPO)

    assert (result.returncode, result.stderr) == (0, f"{WARNING}Project acme was created.\n")


def test_one_in_the_file_of_settings_is_reported_too(embedded: Command) -> None:
    embedded.file(".env", "CUSTOMERGRAPH_WORKER=2\ncustomergraph_port=8001\nOTHER=1\n")

    assert embedded.inside.run("project", "list").stderr == WARNING


def test_one_that_resembles_no_setting_is_reported_alone(embedded: Command) -> None:
    env = {"CUSTOMERGRAPH_XYZZY": "1", "CUSTOMERGRAPH_TESTS_XYZZY": "1"}

    assert embedded.inside.run("project", "list", env=env).stderr == (
        "customergraph: CUSTOMERGRAPH_XYZZY is no setting\n"
    )


@pytest.mark.slow
def test_a_server_logs_it_once(embedded: Command) -> None:
    embedded.env |= TYPO
    process = embedded.start("serve", "--port", free_port(), "--workers", "2")
    until(lambda: "listening" in embedded.stderr(), "it serves")
    process.send_signal(signal.SIGTERM)
    process.wait(30)

    lines = [json.loads(line) for line in embedded.stderr().splitlines()]
    warnings = [line for line in lines if line["event"] == "unknown_setting"]
    assert [(line["level"], line["setting"], line["nearest"]) for line in warnings] == [
        ("warning", "CUSTOMERGRAPH_WORKER", "CUSTOMERGRAPH_WORKERS")
    ]
