"""Adapts the code to the API reference: constructors of values, names in docstrings.

The values of this package are pydantic models. Their constructor takes any keywords and checks
them, so the code alone does not say which: the fields do. And docstrings write ``:class:`Turn```,
which Markdown does not know. ``mkdocs.yml`` names this file as an extension of griffe, which reads
the code for the reference.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

BASES = {"Value", "BaseModel"}
NOT_FIELDS = {"model_config"}
ROLE = re.compile(r":[a-z]+:`~?([^`]+)`")


class Reference(griffe.Extension):
    """Gives each value a constructor with its fields, and each docstring plain Markdown."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Write the roles of Sphinx as code."""
        _plain(pkg)

    def on_class_members(self, *, cls: griffe.Class, **kwargs: Any) -> None:
        """Add the constructor, unless the class writes its own."""
        named = {str(base).rpartition(".")[2].partition("[")[0] for base in cls.bases}
        if not named & BASES or "__init__" in cls.members:
            return
        parameters = [
            griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword),
            *(
                griffe.Parameter(
                    name,
                    annotation=field.annotation,
                    kind=griffe.ParameterKind.keyword_only,
                    default=field.value,
                )
                for name, field in cls.members.items()
                if isinstance(field, griffe.Attribute)
                and field.annotation is not None
                and "ClassVar" not in str(field.annotation)
                and not name.startswith("_")
                and name not in NOT_FIELDS
            ),
        ]
        if len(parameters) > 1:
            made = griffe.Function("__init__", parameters=griffe.Parameters(*parameters))
            cls.set_member("__init__", made)


def _plain(thing: griffe.Object) -> None:
    if thing.docstring is not None:
        thing.docstring.value = ROLE.sub(r"`\1`", thing.docstring.value)
    for member in thing.members.values():
        if isinstance(member, griffe.Object):  # not a name for something that lies elsewhere
            _plain(member)
