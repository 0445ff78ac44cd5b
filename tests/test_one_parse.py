"""One parse serves runs with other vars only while nothing that is parsed asks for one."""

import re

from orchestration.settings import PROJECT_DIR

ASKS = re.compile(r"\bvar\(")
CONFIGURATION = re.compile(r"\{\{-?\s*config\(.*?\)\s*-?\}\}", re.DOTALL)


def test_no_configuration_hangs_on_a_var() -> None:
    models = PROJECT_DIR / "models"
    asking = [
        path.name
        for path in (PROJECT_DIR / "dbt_project.yml", *models.rglob("*.yml"))
        if ASKS.search(path.read_text(encoding="utf-8"))
    ]
    configured = [
        (path.name, configuration)
        for folder in (models, PROJECT_DIR / "tests" / "dbt")
        for path in folder.rglob("*.sql")
        for configuration in CONFIGURATION.findall(path.read_text(encoding="utf-8"))
    ]
    assert len(configured) > 10
    assert asking == []
    assert [name for name, text in configured if ASKS.search(text)] == []
