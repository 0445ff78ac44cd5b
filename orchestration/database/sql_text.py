"""Names and values as SQL text, for statements that take no parameters: views, ATTACH, COPY."""

from pathlib import Path


def quoted_name(*parts: str) -> str:
    """A name of one or more parts, each quoted: `"marts"."fct_x"`."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def quoted_text(value: str) -> str:
    """A text literal in which no character is special but the doubled quote."""
    return "'" + value.replace("'", "''") + "'"


def exact_path(path: Path) -> str:
    """What DuckDB reads as this path alone, which may hold signs of a pattern."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(path))


def text_list(values: list[str]) -> str:
    """A list of text literals."""
    return "[" + ", ".join(quoted_text(value) for value in values) + "]"
