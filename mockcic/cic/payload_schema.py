"""Payloads as JSON Schema (draft 2020-12), for editors: looser than `Catalogue.judge`.

Nothing is required, since the mock fills some members in, unknown members are allowed, since payloads are open, and
wherever something else than a string belongs, a string with a template will do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mockcic.cic.catalogue import TEMPLATES, catalogue
from mockcic.cic.field import JSON_TYPES, FieldSpec, MessageSpec

Schema = dict[str, Any]

TEMPLATE: Final[Schema] = {"type": "string", "pattern": r"\{[{%]"}
"""A string that is filled in when it is sent."""

DEFS: Final = "#/$defs/"


def payload_schema(spec: MessageSpec) -> Schema:
    """The payload of a message. Its references lead to `type_definitions` under `$defs`."""
    schema = _object(spec.fields)
    if spec.payload_from == TEMPLATES:
        schema["properties"] |= {name: _value(field) for name, field in catalogue().template_common.items()}
        schema["allOf"] = [
            {
                "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
                "then": {"$ref": f"{DEFS}{_template_name(name)}"},
            }
            for name in catalogue().templates
        ]
    return {"description": spec.about, **schema}


def type_definitions() -> dict[str, Schema]:
    """The named types, and each content template as `template-<type>`: what stands under `$defs`."""
    types = {
        name: {"description": spec.about, **_json_type("object", spec)} for name, spec in catalogue().types.items()
    }
    templates = {
        _template_name(name): {"description": template.about, **_object(template.fields)}
        for name, template in catalogue().templates.items()
    }
    return types | templates


def _template_name(name: str) -> str:
    return f"template-{name}"


def _object(fields: Mapping[str, FieldSpec]) -> Schema:
    return {"type": "object", "properties": {name: _value(spec) for name, spec in fields.items()}}


def _value(spec: FieldSpec) -> Schema:
    """One member: what it may be, or a template, with what the catalogue says about it."""
    alternatives = [_json_type(name, spec) if name in JSON_TYPES else _named_type(name, spec) for name in spec.types]
    if spec.nullable:
        alternatives.append({"type": "null"})
    if alternatives[0] != {"type": "string"}:
        alternatives.append(TEMPLATE)
    schema: Schema = {}
    if description := _description(spec):
        schema["description"] = description
    if spec.default is not None:
        schema["default"] = spec.default
    if spec.deprecated:
        schema["deprecated"] = True
    return schema | (alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives})


def _json_type(name: str, spec: FieldSpec) -> Schema:
    match name:
        case "object" if spec.fields is not None:
            return _object(spec.fields)
        case "object" if spec.values is not None:
            return {"type": "object", "additionalProperties": _value(spec.values)}
        case "array" if spec.items is not None:
            return {"type": "array", "items": _value(spec.items)}
    schema: Schema = {"type": name}
    if spec.enum:
        known: Schema = {"enum": list(spec.enum)}
        return {"anyOf": [known, schema]} if spec.enum_open else known
    if name == "string" and spec.pattern is not None:
        schema["pattern"] = spec.pattern
    if spec.minimum is not None:
        schema["minimum"] = spec.minimum
    if spec.maximum is not None:
        schema["maximum"] = spec.maximum
    return schema


def _named_type(name: str, spec: FieldSpec) -> Schema:
    reference: Schema = {"$ref": f"{DEFS}{name}"}
    content = FieldSpec(types=("string",), enum=spec.value_enum, pattern=spec.value_pattern, nullable=True)
    if spec.value_enum or spec.value_pattern is not None:
        reference["properties"] = {"value": _value(content)}
    return reference


def _description(spec: FieldSpec) -> str:
    sentences = [spec.about]
    if spec.unit:
        sentences.append(f"In {spec.unit}.")
    if spec.required and not spec.soft:
        sentences.append("Required.")
    return " ".join(sentence for sentence in sentences if sentence)


__all__ = ["payload_schema", "type_definitions"]
