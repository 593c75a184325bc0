"""The alert rules and the dashboard that `customergraph operate` writes: Prometheus knows what they name."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from commands.conftest import MakeServed
from conftest import free_port

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "src/customergraph/operate"
RULES = FOLDER / "customergraph.rules.yml"
PANELS: list[dict[str, Any]] = json.loads((FOLDER / "customergraph.dashboard.json").read_text("utf-8"))["panels"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
TEXTS = [path.read_text("utf-8") for path in (RULES, FOLDER / "customergraph.dashboard.json")]
NAMES = set(re.findall(r"\bcustomergraph_[a-z_]+", "".join(TEXTS)))
PROMTOOL = shutil.which("promtool", path=f"{os.environ['PATH']}:/usr/sbin")
COSTLY = "{ customers(first: 100) { nodes { charges(first: 100) { nodes { id } } } } }"

needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is missing (Debian's package prometheus)")

LABELS = 'job="customergraph",instance="one"'
OPERATIONS = f"customergraph_operations_total{{{LABELS}"
DURATION = f"customergraph_operation_duration_seconds_bucket{{{LABELS}"
LAG = f"customergraph_event_loop_lag_seconds_bucket{{{LABELS}"
DOCUMENTS = f'customergraph_cache_requests_total{{{LABELS},cache="documents"'
POOL = "customergraph_pool_connections_in_use"
HEALTHY = {
    f"up{{{LABELS}}}": "1x120",
    f'{OPERATIONS},outcome="ok"}}': "0+600x120",
    f'{OPERATIONS},outcome="TIMEOUT"}}': "0+1x120",
    f'{DURATION},le="0.5"}}': "0+600x120",
    f'{DURATION},le="2.5"}}': "0+600x120",
    f'{DURATION},le="+Inf"}}': "0+600x120",
    f"customergraph_operations_waiting{{{LABELS}}}": "2x120",
    f"{POOL}{{{LABELS}}}": "5x120",
    f"customergraph_pool_size{{{LABELS}}}": "20x120",
    f'{LAG},le="0.1"}}': "0+600x120",
    f'{LAG},le="0.5"}}': "0+600x120",
    f'{LAG},le="+Inf"}}': "0+600x120",
    f'{DOCUMENTS},result="hit"}}': "0+600x120",
    f'{DOCUMENTS},result="miss"}}': "0+10x120",
}
# What differs from a healthy gateway when an alert fires.
FIRING = {
    "Away": {f"up{{{LABELS}}}": "1x50 0x70"},
    "Faults": {f'{OPERATIONS},outcome="INTERNAL_SERVER_ERROR"}}': "_x85 1x40"},
    "StoreAway": {f'{OPERATIONS},outcome="STORE_UNAVAILABLE"}}': "0+30x120"},
    "Overloaded": {f'{OPERATIONS},outcome="OVERLOADED"}}': "0+30x120"},
    "Slow": {f'{DURATION},le="0.5"}}': "0+500x120"},
    "Waiting": {f"customergraph_operations_waiting{{{LABELS}}}": "11x120"},
    "PoolFull": {f"{POOL}{{{LABELS}}}": "19x120"},
    "EventLoopLate": {f'{LAG},le="0.1"}}': "0+500x120"},
    "Throttled": {f'{OPERATIONS},outcome="THROTTLED"}}': "0+100x120"},
    "DocumentsUnknown": {f'{DOCUMENTS},result="miss"}}': "0+700x120"},
}


def promtool(*words: object) -> None:
    ran = subprocess.run([str(PROMTOOL), *map(str, words)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def firing_after_90_minutes(series: dict[str, str], alerts: list[str], folder: Path) -> None:
    """Check which alerts fire when Prometheus reads these values, one a minute."""
    tests = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {
                        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                        "eval_time": "90m",
                        "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in alerts],
                    }
                ],
            }
        ],
    }
    # JSON is YAML.
    (folder / "tests.yml").write_text(json.dumps(tests))
    promtool("test", "rules", folder / "tests.yml")


@needs_promtool
def test_no_alert_fires_for_a_healthy_gateway(tmp_path: Path) -> None:
    firing_after_90_minutes(HEALTHY, [], tmp_path)


@needs_promtool
@pytest.mark.parametrize("alert", FIRING)
def test_an_alert_fires_for_what_it_is_named_after(alert: str, tmp_path: Path) -> None:
    firing_after_90_minutes(HEALTHY | FIRING[alert], [f"Customergraph{alert}"], tmp_path)


def test_each_alert_is_tested_and_names_a_remedy() -> None:
    rules = RULES.read_text("utf-8")

    assert set(re.findall(r"- alert: Customergraph(\w+)", rules)) == set(FIRING)
    assert rules.count("remedy: ") == rules.count("summary: ") == len(FIRING)


@needs_promtool
def test_the_expressions_of_the_dashboard_are_promql(tmp_path: Path) -> None:
    plain = [one.replace("$job", "customergraph").replace("$__rate_interval", "5m") for one in EXPRESSIONS]
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(plain)]
    (tmp_path / "panels.yml").write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))

    promtool("check", "rules", tmp_path / "panels.yml")


def test_the_panels_of_the_dashboard_have_their_own_places_and_say_what_they_show() -> None:
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in PANELS)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(taken) == len(set(taken))
    assert {x for x, _ in taken} == set(range(24))
    assert all(panel["title"] and panel["description"] for panel in PANELS)


def test_the_outcomes_are_codes_of_readme() -> None:
    named = re.findall(r'outcome=~?"([A-Z_|]+)"', RULES.read_text("utf-8") + "".join(EXPRESSIONS))
    readme = (ROOT / "README.md").read_text("utf-8")

    assert named
    assert [code for one in named for code in one.split("|") if f"`{code}`" not in readme] == []


@pytest.mark.slow
def test_the_gateway_has_each_metric_that_the_rules_and_the_dashboard_name(start: MakeServed, sqlite_url: str) -> None:
    port = free_port()
    served = start(sqlite_url, 2, CUSTOMERGRAPH_METRICS_PORT=str(port), CUSTOMERGRAPH_COST_LIMIT="1000")
    served.tenant.client.answer(COSTLY)

    families = text_string_to_metric_families(httpx.get(f"http://127.0.0.1:{port}/metrics").text)

    names = {sample.name for family in families for sample in family.samples}
    assert len(NAMES) > 10
    assert sorted(NAMES - names) == []
