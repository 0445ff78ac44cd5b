"""What dbt makes anew for each node, made in less time, with the same in it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt.context.macros import MacroNamespace, MacroNamespaceBuilder


@contextmanager
def quick_contexts() -> Iterator[None]:
    """Has dbt put all macros in a context of Jinja in one go.

    dbt makes a context to compile a node, one to run it and one for each macro that an adapter asks
    for, and in each an object of every macro that there is, some seven hundred: by three
    constructors, and by looking each name up in five dictionaries. It is a twentieth of the build
    of a small service.
    """
    from dbt.context.macros import MacroNamespaceBuilder

    with replaced(MacroNamespaceBuilder, "build_namespace", _namespace_builder()):
        yield


@contextmanager
def quick_results() -> Iterator[None]:
    """Has dbt find out once, and not for each result of a query, how to tell types of columns.

    It makes a parser of dates for each, with all that it knows of calendars and languages.
    """
    from dbt_common.clients import agate_helper

    build_type_tester = cache(agate_helper.build_type_tester)

    def type_tester(
        text_columns: Iterable[str], string_null_values: Iterable[str] | None = ("null", "")
    ) -> Any:  # noqa: ANN401
        null_values = None if string_null_values is None else tuple(string_null_values)
        return build_type_tester(frozenset(text_columns), null_values)

    with (
        replaced(agate_helper, "build_type_tester", type_tester),
        replaced(agate_helper, "empty_table", cache(agate_helper.empty_table)),
    ):
        yield


@contextmanager
def replaced(owner: object, name: str, other: Callable[..., Any]) -> Iterator[None]:
    """Puts another function in the place of one, until the end."""
    before = getattr(owner, name)
    setattr(owner, name, other)
    try:
        yield
    finally:
        setattr(owner, name, before)


@cache
def _namespace_builder() -> Callable[..., "MacroNamespace"]:
    from dbt.clients.jinja import MacroGenerator
    from dbt.context.macros import MacroNamespace

    class Generator(MacroGenerator):
        def __init__(
            self,
            macro: Any,  # noqa: ANN401
            context: dict[str, Any],
            node: Any,  # noqa: ANN401
            stack: Any,  # noqa: ANN401
        ) -> None:
            self.macro = macro
            self.context = context
            self.node = node
            self.stack = stack

    class Namespace(dict[str, Any], MacroNamespace):
        def __init__(self, *searched: dict[str, Any]) -> None:
            MacroNamespace.__init__(self, *searched)
            # what is found first is what counts
            for members in reversed(list(self._search_order())):
                self.update(members)

    def build_namespace(
        self: "MacroNamespaceBuilder",
        macros_by_package: Mapping[str, Mapping[str, Any]],
        ctx: dict[str, Any],
    ) -> Namespace:
        packages = {
            package: {
                name: Generator(macro, ctx, self.node, self.thread_ctx)
                for name, macro in macros.items()
            }
            for package, macros in macros_by_package.items()
        }
        internal: dict[str, Any] = {}
        for package in reversed(self.internal_package_names_order):
            internal.update(packages.pop(package, {}))
        local = packages.get(self.search_package, {})
        is_root = self.search_package == self.root_package
        root = {} if is_root else packages.get(self.root_package, {})
        return Namespace(root, local, internal, packages)

    return build_namespace
