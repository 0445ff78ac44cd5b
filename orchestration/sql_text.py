"""Names and values as SQL text, for statements that take no parameters: views, ATTACH, COPY."""


def quoted_name(*parts: str) -> str:
    """A name of one or more parts, each quoted: `"marts"."fct_x"`."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def quoted_text(value: str) -> str:
    """A text literal in which no character is special but the doubled quote."""
    return "'" + value.replace("'", "''") + "'"


def text_list(values: list[str]) -> str:
    """A list of text literals."""
    return "[" + ", ".join(quoted_text(value) for value in values) + "]"
