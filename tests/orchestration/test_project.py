"""What dbt makes of the project, time and again."""

from pathlib import Path

from orchestration.database.warehouse import Warehouse
from orchestration.transform.parameters import check_parameters
from orchestration.transform.project import DbtProject


def test_what_yaml_says_of_a_test_outlives_a_change_of_its_macro(
    small_project: Path, warehouse: Warehouse
) -> None:
    tests, macro = small_project / "tests" / "dbt", small_project / "macros" / "nobody.sql"
    (tests / "assert_nobody.sql").write_text(
        "select 1 from {{ ref('stg_people') }} where {{ nobody() }}", encoding="utf-8"
    )
    (tests / "_singular_tests.yml").write_text(
        "data_tests: [{name: assert_nobody, description: Nobody is there.}]", encoding="utf-8"
    )
    warehouse.prepare()
    for body in ("1 = 0", "2 = 0"):
        macro.write_text(f"{{% macro nobody() %}}{body}{{% endmacro %}}", encoding="utf-8")
        parsed = DbtProject(small_project).parse(
            warehouse, check_parameters(small_project).parameters
        )
        told = parsed.manifest.node("test.tenure.assert_nobody")
        assert told["description"] == "Nobody is there."
