"""What is made in less time is what dbt makes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from dbt.adapters.factory import get_adapter_package_names
from dbt.clients.jinja import MacroGenerator, MacroStack
from dbt.context.macros import MacroNamespace, MacroNamespaceBuilder
from dbt.exceptions import PackageNotFoundForMacroError
from dbt_common.clients import agate_helper

from orchestration.transform.dbt_shortcuts import quick_contexts, quick_results
from orchestration.transform.project import ParsedProject

ROOT = "tenure"
CONTEXT: dict[str, Any] = {"name": "of the context"}
NODE = object()
SHARED = "generate_schema_name"
"""A macro of dbt's that the project has one of its own for."""


@pytest.fixture(scope="module")
def macros(parsed_project: ParsedProject) -> dict[str, dict[str, Any]]:
    of_packages = parsed_project.parsed.get_macros_by_package()
    # somebody else's package as well, with a macro by the name of one of ours
    theirs = replace(of_packages[ROOT][SHARED], package_name="other", unique_id="macro.other.x")
    return {**of_packages, "other": {SHARED: theirs}}


def namespace(macros: dict[str, dict[str, Any]], package: str) -> MacroNamespace:
    builder = MacroNamespaceBuilder(
        ROOT, package, MacroStack(), get_adapter_package_names("duckdb"), NODE
    )
    return builder.build_namespace(macros, CONTEXT)


def means(member: Any) -> Any:  # noqa: ANN401
    """The macro that a name means, or those of a package."""
    if isinstance(member, MacroGenerator):
        assert member.context is CONTEXT
        assert member.node is NODE
        assert member.stack is not None
        return member.macro.unique_id
    return {name: means(each) for name, each in member.items()}


@pytest.mark.parametrize("package", [ROOT, "other", "dbt", "dbt_duckdb", "unknown"])
def test_a_name_means_the_same_macro_in_a_quick_context(
    macros: dict[str, dict[str, Any]], package: str
) -> None:
    ours = namespace(macros, package)
    with quick_contexts():
        quick = namespace(macros, package)

    assert means(quick) == means(ours)
    context: dict[str, Any] = {}
    context.update(quick)
    assert means(context) == means(ours)
    for part in ("local_namespace", "global_namespace", "global_project_namespace", "packages"):
        assert means(getattr(quick, part)) == means(getattr(ours, part))


def test_a_macro_is_found_by_its_package(macros: dict[str, dict[str, Any]]) -> None:
    with quick_contexts():
        quick = namespace(macros, ROOT)
    assert quick.get_from_package("other", SHARED) is quick["other"][SHARED]
    assert quick.get_from_package(None, SHARED) is quick[ROOT][SHARED]
    assert quick.get_from_package("dbt", "create_table_as") is quick["dbt"]["create_table_as"]
    assert quick.get_from_package(None, "no such macro") is None
    with pytest.raises(PackageNotFoundForMacroError):
        quick.get_from_package("no such package", SHARED)


def test_dbt_makes_its_own_again_afterwards() -> None:
    before = MacroNamespaceBuilder.build_namespace, agate_helper.empty_table
    with quick_contexts(), quick_results():
        assert MacroNamespaceBuilder.build_namespace is not before[0]
        assert agate_helper.empty_table is not before[1]
    assert (MacroNamespaceBuilder.build_namespace, agate_helper.empty_table) == before


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    return [
        {
            "id": "007",
            "at": datetime(2026, 1, 1, tzinfo=UTC),
            "rows": 1,
            "share": Decimal("0.5"),
            "none": None,
        },
        {"id": "null", "at": None, "rows": 2, "share": None, "none": None},
    ]


def test_results_have_the_types_and_values_of_dbts_own(rows: list[dict[str, Any]]) -> None:
    names = list(rows[0])
    ours = agate_helper.table_from_data_flat(rows, names)
    with quick_results():
        told = [agate_helper.table_from_data_flat(rows, names) for _ in range(2)]
        empty = agate_helper.empty_table()
        # of other names, and of a number where a text was
        other = agate_helper.table_from_data_flat([{"id": 7}], ["id"])

    for quick in told:
        assert [tuple(row) for row in quick.rows] == [tuple(row) for row in ours.rows]
        assert [type(each) for each in quick.column_types] == [
            type(each) for each in ours.column_types
        ]
    assert [tuple(row) for row in told[0].rows][1][0] == "null"
    assert (len(empty.rows), len(empty.columns)) == (0, 0)
    assert [tuple(row) for row in other.rows] == [(7,)]
