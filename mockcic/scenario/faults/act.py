"""What every act of a fault has: its roles, its words for people, its short form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal, Self, get_args

from pydantic import GetJsonSchemaHandler, ModelWrapValidatorHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from mockcic.scenario.settings import Part
from mockcic.scenario.words import say_seconds

Role = Literal["answer", "downchannel", "connection", "token", "accept"]
"""What a fault is aimed at: the answer to an event, the downchannel, the connection that carries them, the
authorization server, or a connection that is only about to be."""

ROLES: Final[tuple[Role, ...]] = get_args(Role)


class Act(Part):
    """One thing that can go wrong. Each act is a type of its own; its key in a fault is the name of the field there."""

    AIMS: ClassVar[tuple[Role, ...]] = ("answer", "downchannel")
    """The roles it can be aimed at; the first is meant where a fault names none."""

    SHORT: ClassVar[str] = ""
    """The member that a value which is no mapping stands for: `reset: CANCEL` is `reset: {code: CANCEL}`."""

    SHORT_MAPPING: ClassVar[bool] = False
    """Whether that member may be a mapping itself."""

    SHAPES: ClassVar[bool] = False
    """Whether it changes what is written from its moment on, instead of striking at it."""

    PER_DIRECTIVE: ClassVar[bool] = False
    """Whether each directive is an occasion for it."""

    IN_THE_HEAD: ClassVar[bool] = False
    """Whether it is in the headers of an answer, and each stream is an occasion for it."""

    NEEDS_WIRE: ClassVar[bool] = True
    """Whether it acts below ASGI: a stock server cannot do it."""

    SEES: ClassVar[str] = ""
    """What a device sees of it (docs/faults.md)."""

    GOOD: ClassVar[str] = ""
    """What a good device does, and who says so."""

    @model_validator(mode="wrap")
    @classmethod
    def _read_short(cls, value: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        if not cls.SHORT or isinstance(value, cls):
            return read(value)
        known = {field.alias or name for name, field in cls.model_fields.items()}
        if isinstance(value, Mapping) and not (cls.SHORT_MAPPING and value and not known & set(value)):
            return read(value)
        return read({cls.SHORT: value})

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        whole = handler(schema)
        found = handler.resolve_ref_schema(whole)
        for member in found.get("properties", {}).values():
            if isinstance(member.get("default"), float):  # durations: as they are written
                member["default"] = say_seconds(member["default"])
        if not cls.SHORT:
            return whole
        key = cls.model_fields[cls.SHORT].alias or cls.SHORT
        return {"anyOf": [found["properties"][key], whole]}

    def about(self) -> str:
        """One sentence about what happened, for the journal."""
        raise NotImplementedError

    @property
    def lasts_s(self) -> float | None:
        """How long its effect lasts, where it ends by itself."""
        return None


__all__ = ["ROLES", "Act", "Role"]
