"""What a rule can ask of an event: one `Condition` for one member. It matches and explains with the same code."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from mockcic.scenario.words import is_template, read_duration, shown


class _Missing:
    """The one value `MISSING`: a member that is not there (which is not the same as null)."""

    def __repr__(self) -> str:
        return "absent"


MISSING: Final = _Missing()

Render = Callable[[Any], Any]


def read_bound(value: object) -> object:
    """A number, or a duration as seconds."""
    if isinstance(value, str) and not is_template(value):
        return read_duration(value)
    return value


Bound = Annotated[float, BeforeValidator(read_bound)]


def read_condition(value: object) -> object:
    """The short forms: a list is `one_of`, anything but a mapping is `is`."""
    if isinstance(value, Mapping):
        return value
    return {"one_of": value} if isinstance(value, list) else {"is": value}


class Condition(BaseModel):
    """All that is said must hold. In YAML a bare value means `is`, a list `one_of`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    is_: Any = Field(default=MISSING, alias="is", description="Equals this value.")
    one_of: list[Any] | None = Field(default=None, description="Equals one of these values.")
    matches: str | None = Field(default=None, description="A regular expression found anywhere in the text.")
    contains: Any = Field(
        default=MISSING,
        description="A text with this text in it, a list with this element, or an object with these members.",
    )
    min: Bound | None = Field(default=None, description="A number (or a duration, as seconds) not below this.")
    max: Bound | None = Field(default=None, description="A number (or a duration, as seconds) not above this.")
    present: bool | None = Field(default=None, description="true: the member is there; false: it is not.")
    absent: bool | None = Field(default=None, description="true: the member is not there.")
    not_: Annotated[Condition, BeforeValidator(read_condition)] | None = Field(
        default=None, alias="not", description="The condition that must not hold."
    )

    @field_validator("matches")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except (re.error, OverflowError, RecursionError) as error:
                raise PydanticCustomError(
                    "pattern",
                    "{found} is not a regular expression: {error}",
                    {
                        "found": shown(value),
                        "error": str(error),
                        "expected": "a regular expression of Python's re",
                        "mend": "",
                    },
                ) from None
        return value

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError(
                "empty_condition",
                "a condition that asks nothing",
                {
                    "expected": "a value, a list of values, or one of is, one_of, matches, contains, min, max, "
                    "present, absent, not",
                    "mend": "",
                },
            )
        return self

    def values(self) -> list[Any]:
        """What it compares with, be it `is`, `one_of` or inside `not`."""
        found = list(self.one_of or ())
        if "is_" in self.model_fields_set:
            found.append(self.is_)
        return found + (self.not_.values() if self.not_ is not None else [])

    def miss(self, got: object, render: Render) -> str | None:
        """What was expected, when `got` does not fit; None when it fits. `render` fills templates in it."""
        if self.present is not None and (got is not MISSING) is not self.present:
            return "present" if self.present else "absent"
        if self.absent is not None and (got is MISSING) is not self.absent:
            return "absent" if self.absent else "present"
        if "is_" in self.model_fields_set and not same(render(self.is_), got):
            return shown(render(self.is_))
        if self.one_of is not None and not any(same(render(value), got) for value in self.one_of):
            return "one of " + ", ".join(shown(render(value)) for value in self.one_of)
        if self.matches is not None and not (isinstance(got, str) and re.search(self.matches, got)):
            return f"a text that matches /{self.matches}/"
        if "contains" in self.model_fields_set and not holds(got, render(self.contains)):
            return f"something that contains {shown(render(self.contains))}"
        if not self._in_range(got):
            return f"a number {self._range()}"
        if self.not_ is not None and self.not_.miss(got, render) is None:
            return f"not {self.not_}"
        return None

    def _in_range(self, got: object) -> bool:
        if self.min is None and self.max is None:
            return True
        if not isinstance(got, int | float) or isinstance(got, bool):
            return False
        return (self.min is None or got >= self.min) and (self.max is None or got <= self.max)

    def _range(self) -> str:
        if self.max is None:
            return f"of at least {self.min:g}"
        if self.min is None:
            return f"of at most {self.max:g}"
        return f"from {self.min:g} to {self.max:g}"

    def __str__(self) -> str:
        said = self.model_dump(by_alias=True, exclude_unset=True)
        return (
            shown(said["is"])
            if set(said) == {"is"}
            else ", ".join(f"{key} {shown(value)}" for key, value in said.items())
        )


def same(expected: object, got: object) -> bool:
    """Equal as JSON: true is not 1, but 1 is 1.0."""
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        return expected.keys() == got.keys() and all(same(expected[key], got[key]) for key in expected)
    if isinstance(expected, list) and isinstance(got, list | tuple):
        return len(expected) == len(got) and all(map(same, expected, got))
    return expected == got


def holds(got: object, wanted: object) -> bool:
    """Text in text, element in list (an object there may have more members), members in object."""
    if isinstance(got, str):
        return isinstance(wanted, str) and wanted in got
    if isinstance(got, list | tuple):
        return any(same(wanted, element) or (isinstance(wanted, Mapping) and holds(element, wanted)) for element in got)
    if isinstance(got, Mapping):
        if isinstance(wanted, Mapping):
            return all(
                key in got and (same(value, got[key]) or holds(got[key], value)) for key, value in wanted.items()
            )
        return isinstance(wanted, str) and wanted in got
    return False


AnyCondition = Annotated[Condition, BeforeValidator(read_condition)]

__all__ = ["MISSING", "AnyCondition", "Condition", "holds", "read_condition", "same"]
