"""Each statement on tenants' tables reads one project: on tables that are partitioned by project, one partition.

So it goes to one server where Citus has spread the projects. Here PostgreSQL itself is the judge: API tests run on
such tables, and the server logs the plan of each statement.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import partitioned
import stores
from partitioned import Plan

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(stores.contrib_programs() is None, reason="Debian's package postgresql is not installed"),
]

TESTS = Path(__file__).parents[1]
READS = ["api/test_history.py", "api/test_project_lists.py"]
ALL = [
    *READS,
    "api/test_changes.py",
    "api/test_customer_filters.py",
    "api/test_customers.py",
    "api/test_delete_customer.py",
    "api/test_record_messages.py",
    "api/test_record_reviews.py",
    "api/test_stats.py",
    "api/test_update_customer.py",
    "api/test_upsert_customers.py",
    "commands/test_project_deletion.py",
]
# `db check` finds that these tables are not those of the migrations.
SELECTED = "postgresql and not test_the_check_of_the_store"


def plans_of(tests: list[str], folder: Path, *, citus: bool) -> list[Plan]:
    """Run tests on partitioned tables; returns the plans of their statements."""
    environment = {**os.environ, partitioned.FOLDER: str(folder), "CUSTOMERGRAPH_CITUS": str(citus).lower()}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "-k", SELECTED, *tests],
        cwd=TESTS,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-5000:]
    return partitioned.plans_in(folder)


def across_projects(plans: list[Plan]) -> set[str]:
    return {plan.statement for plan in plans if not plan.is_of_one_project}


def test_each_statement_on_tenants_tables_reads_one_partition(tmp_path: Path) -> None:
    plans = plans_of(ALL, tmp_path, citus=True)

    assert across_projects(plans) == set()
    # Most are on several tables, of each of which one partition is read.
    assert len(plans) > 5_000
    assert {name.rpartition("_p")[0] for plan in plans for name in plan.partitions} == {
        "change", "charge", "customer", "customer_tag", "feed", "location", "message", "review", "tag",
    }  # fmt: skip


def test_without_the_setting_rows_are_looked_up_in_all_partitions(tmp_path: Path) -> None:
    plans = plans_of(READS, tmp_path, citus=False)

    assert {statement for statement in across_projects(plans) if "project_id + 0" in statement}
