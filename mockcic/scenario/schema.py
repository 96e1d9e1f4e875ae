"""The language as JSON Schema (draft 2020-12), for editors: every key, every directive with its payload, every event.

It is looser than `load`: what needs more than one place of the file to be seen is left to `mockcic check`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import CoreModeRef, DefsRef, GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from mockcic.cic.catalogue import catalogue
from mockcic.cic.payload_schema import payload_schema, type_definitions
from mockcic.scenario.directives import SOUND_MEMBER
from mockcic.scenario.faults.act import Act
from mockcic.scenario.faults.connection import BadFrame, SettingsChange
from mockcic.scenario.faults.fault import ACTS, Fault, act_type
from mockcic.scenario.faults.pace import Pace
from mockcic.scenario.faults.stream import Frames
from mockcic.scenario.model import Answer, NamedCue, Rule, Scenario
from mockcic.scenario.reader import OF_A_PART
from mockcic.scenario.steps import (
    Change,
    Choice,
    Cue,
    FaultStep,
    PushStep,
    RawBody,
    RawStep,
    Repeat,
    Send,
    Sound,
    Use,
    Wait,
)
from mockcic.scenario.words import DURATION_SCHEMA, TEMPLATE_SCHEMA

Schema = dict[str, Any]

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
DEFS: Final = "#/$defs/"

STEPS: Final = (Send, RawStep, Wait, PushStep, Use, Change, Repeat, Choice, FaultStep)
OF_FAULTS: Final = Fault.__module__.rpartition(".")[0] + "."

_BARE: Final[Schema] = {"type": ["string", "number", "boolean", "null", "array"]}
_DURATION: Final = DURATION_SCHEMA["description"]
_WHEN: Final = r"^((payload|header|context|request|audio|vars|count|device)\..+|payload|state)$"


def scenario_schema() -> Schema:
    """The whole schema. The same for the same version, to the byte."""
    models = [(model, "validation") for model in (Scenario, *STEPS)]
    _, generated = models_json_schema(models, schema_generator=_Generator)  # type: ignore[arg-type]
    defs: dict[str, Schema] = generated["$defs"]
    _close(defs)
    defs["Step"] = _step(defs)
    sound = defs[Send.__name__]["properties"]["audio"]
    for model in STEPS:
        defs.pop(model.__name__)  # they live on in Step
    defs["Template"] = TEMPLATE_SCHEMA
    defs["Duration"] = {**DURATION_SCHEMA, "anyOf": [*DURATION_SCHEMA["anyOf"][:-1], {"$ref": DEFS + "Template"}]}
    defs["Event"] = _event()
    defs["Rule"]["properties"]["event"] = _one_or_more({"$ref": DEFS + "Event"}, defs["Rule"]["properties"]["event"])
    defs["Moment"]["properties"]["event"] = {"$ref": DEFS + "Event", **_said(defs["Moment"]["properties"]["event"])}
    defs["Rule"]["properties"]["when"] = _when(defs["Rule"]["properties"]["when"])
    defs |= dict(_payloads(sound))
    scenario = _tidy(defs.pop("Scenario"))
    del scenario["required"]
    scenario["if"] = {"not": {"required": ["scenario"]}}
    scenario["then"] = {"propertyNames": {"enum": sorted(OF_A_PART)}}
    return {
        "$schema": DRAFT,
        "title": "mockcic scenario",
        **scenario,
        "$defs": {name: _tidy(defs[name]) for name in sorted(defs)},
    }


def chaos_schema() -> Schema:
    """That of chaos files: their own keys, and faults as scenarios have them."""
    from mockcic.scenario.chaos import Chaos, ChaosEntry

    _, generated = models_json_schema([(Chaos, "validation")], schema_generator=_Generator)
    own = {model.__name__: _tidy(generated["$defs"][model.__name__]) for model in (Chaos, ChaosEntry)}
    defs = scenario_schema()["$defs"] | own
    chaos, used = defs["Chaos"], dict[str, Schema]()
    _reach(chaos, defs, used)
    return {
        "$schema": DRAFT,
        "title": "mockcic chaos",
        **chaos,
        "$defs": {name: used[name] for name in sorted(used)},
    }


def _reach(schema: Any, defs: Mapping[str, Schema], used: dict[str, Schema]) -> None:
    """Put into `used` the definitions that a schema leads to."""
    if isinstance(schema, Mapping):
        name = str(schema.get("$ref", "")).removeprefix(DEFS)
        if name and name not in used:
            used[name] = defs[name]
            _reach(defs[name], defs, used)
    for each in schema.values() if isinstance(schema, Mapping) else schema if isinstance(schema, list) else ():
        _reach(each, defs, used)


def _widen_list(inner: Schema) -> Schema:
    return {"anyOf": [inner["items"], inner]} if "items" in inner else inner


_SHORT_FORMS: Final[dict[str, Callable[[Schema], Schema]]] = {
    "read_list": _widen_list,
    "read_reply": lambda inner: {"anyOf": [{"const": "none"}, *inner["anyOf"]]},
    "read_step": lambda inner: {"x-ref": "Step"},
    "read_sound": lambda inner: {"anyOf": [{"type": "string", "description": "A file beside the scenario."}, inner]},
    "read_raw": lambda inner: {"anyOf": [{"type": "string"}, inner]},
    "read_condition": lambda inner: {"anyOf": [_BARE, inner]},
    "read_moment": lambda inner: {"anyOf": [DURATION_SCHEMA, inner]},
    "read_bound": lambda inner: {"anyOf": [inner, DURATION_SCHEMA]},
    "_read_stop_capture": lambda inner: {"anyOf": [DURATION_SCHEMA, {"const": False}, *inner["anyOf"]]},
    "_read_hello": lambda inner: {"anyOf": [DURATION_SCHEMA, *inner["anyOf"]]},
    "_read_profile": lambda inner: {"enum": [*inner["enum"], 2021]},
    "_read_tokens": lambda inner: {"anyOf": [{"type": "array", "items": {"type": "string"}}, inner]},
    "_read_client": lambda inner: {"anyOf": [{"type": "string", "minLength": 1}, inner]},
    "_read_accounts": lambda inner: {"anyOf": [{"type": "array", "items": {"type": "string"}}, inner]},
    "_no_template": lambda inner: inner,
    "_read_moment": lambda inner: {"anyOf": [{"enum": ["request", "headers"]}, DURATION_SCHEMA, inner]},
    "_read_otherwise": lambda inner: {"anyOf": [{"enum": [204, "none"]}, inner]},
}
"""What each reader of the language takes besides what it gives. A new reader must be entered here."""


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, which knows nothing of the short forms."""

    def get_defs_ref(self, core_mode_ref: CoreModeRef) -> DefsRef:
        """Models of faults have their file in their name: a step and an act may be called the same."""
        name, mode = core_mode_ref
        if name.startswith(OF_FAULTS):
            room, _, model = name.removeprefix(OF_FAULTS).partition(".")
            name = type(name)(f"{OF_FAULTS}{room}.fault-{room}-{model}")
        return super().get_defs_ref((name, mode))

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        name = getattr(schema["function"]["function"], "__name__", "")
        return _SHORT_FORMS[name](super().function_before_schema(schema))

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = super().default_schema(schema)
        default = inner.get("default")
        if default is None or isinstance(default, dict | list):
            inner.pop("default", None)
        return inner

    def emit_warning(self, kind: str, detail: str) -> None:
        """A default that is no JSON (`MISSING`) is left out; nothing else is expected."""
        if kind != "non-serializable-default":
            super().emit_warning(kind, detail)  # type: ignore[arg-type]


def _is_duration(schema: Mapping[str, Any]) -> bool:
    alternatives = schema.get("anyOf", ())
    return alternatives == DURATION_SCHEMA["anyOf"] or DURATION_SCHEMA in alternatives


def _close(defs: dict[str, Schema]) -> None:
    """What validators of the models ask for besides shapes."""
    sources = ("file", "base64", "silence", "tone", "say")
    defs[Sound.__name__]["oneOf"] = [{"required": [source]} for source in sources]
    defs[RawBody.__name__]["oneOf"] = [{"required": [key]} for key in ("text", "base64")]
    defs["Condition"]["minProperties"] = 1
    answers = ("reply", "exception", "raw")
    defs[Answer.__name__]["not"] = {"anyOf": list(_pairs(answers))}
    defs[Rule.__name__]["not"] = {"anyOf": list(_pairs((*answers, "in_turn", "cycle")))}
    defs[NamedCue.__name__]["anyOf"] = [{"required": [key]} for key in ("push", "set", "go")]
    defs[Cue.__name__]["anyOf"] = [{"required": [key]} for key in ("push", "answer", "set", "go")]
    _close_faults(defs)


def _close_faults(defs: dict[str, Schema]) -> None:
    """Exactly one act in a fault, with its roles; what an act is, where its key is."""
    fault = defs[_fault_name(Fault)]
    members = fault["properties"]
    members["event"] = _one_or_more({"$ref": DEFS + "Event"}, members["event"])
    names: Schema = {"anyOf": [{"enum": sorted(catalogue().directives)}, {"type": "string"}]}
    members["directive"] = _one_or_more(names, members["directive"])
    for key in ACTS:
        kinds = [kind for kind in members[key]["anyOf"] if kind != {"type": "null"}]
        members[key] = {"description": act_type(key).__doc__, **(kinds[0] if len(kinds) == 1 else {"anyOf": kinds})}
    fault["oneOf"] = [{"required": [key]} for key in ACTS]
    fault["dependentSchemas"] = {key: {"properties": {"on": {"enum": list(act_type(key).AIMS)}}} for key in ACTS}
    for act in (SettingsChange, Pace):
        _mapping(defs, act)["minProperties"] = 1
    _mapping(defs, Frames)["anyOf"] = [{"required": [key]} for key in ("at", "every", "padding")]
    _mapping(defs, BadFrame)["oneOf"] = [{"required": [key]} for key in ("frame", "base64")]
    of_a_step = defs[FaultStep.__name__]["properties"]["fault"]
    without: Schema = {"not": {"anyOf": [{"required": [key]} for key in ("after", "every", "event")]}}
    of_a_step["anyOf"] = [
        {"allOf": [{"$ref": DEFS + _fault_name(Fault)}, without]},
        {"type": "array", "items": {"allOf": [{"$ref": DEFS + _fault_name(Fault)}, without]}},
    ]


def _fault_name(model: type[BaseModel]) -> str:
    """What the schema calls a model of the faults: a step and an act may have one name in Python."""
    return f"fault-{model.__module__.rpartition('.')[2]}-{model.__name__}"


def _mapping(defs: Mapping[str, Schema], act: type[Act]) -> Schema:
    """The long form of an act."""
    whole = defs[_fault_name(act)]
    return whole if "properties" in whole else whole["anyOf"][-1]


def _pairs(keys: tuple[str, ...]) -> Iterator[Schema]:
    for index, first in enumerate(keys):
        for second in keys[index + 1 :]:
            yield {"required": [first, second]}


def _step(defs: Mapping[str, Schema]) -> Schema:
    """A directive's name, or a mapping with one directive or one of the other steps."""
    directives = sorted(catalogue().directives)
    send = defs[Send.__name__]["properties"]
    properties: dict[str, Schema] = {
        "wait": defs[Wait.__name__]["properties"]["wait"] | {"description": Wait.__doc__},
        "push": defs[PushStep.__name__]["properties"]["push"] | {"description": PushStep.__doc__},
        "use": defs[Use.__name__]["properties"]["use"] | {"description": Use.__doc__},
        **defs[Change.__name__]["properties"],
        "fault": defs[FaultStep.__name__]["properties"]["fault"] | {"description": FaultStep.__doc__},
        "repeat": {**defs[Repeat.__name__]["properties"]["repeat"], "description": Repeat.__doc__},
        "if": defs[Choice.__name__]["properties"]["if"],
        "raw": defs[RawStep.__name__]["properties"]["raw"] | {"description": RawStep.__doc__},
    }
    others = [*properties]
    properties |= {key: value for key, value in defs[Choice.__name__]["properties"].items() if key != "if"}
    properties |= {key: value for key, value in send.items() if key != "directive"}
    properties["directive"] = send["directive"] | {"pattern": r"^[^.]+\.[^.]+$"}
    for name in directives:
        about = {"description": catalogue().directives[name].about}
        properties[name] = {**about, "anyOf": [{"$ref": DEFS + _payload_name(name)}, {"type": "null"}]}
    alone: Schema = {"maxProperties": 1}
    change: Schema = {"propertyNames": {"enum": ["set", "go"]}}
    choice: Schema = {"propertyNames": {"enum": ["if", "then", "else"]}}
    mapping: Schema = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
        "dependentSchemas": {
            "wait": alone,
            "push": alone,
            "use": alone,
            "set": change,
            "go": change,
            "repeat": alone,
            "fault": alone,
            "if": choice,
            "raw": {"propertyNames": {"enum": ["raw", "attach"]}},
        },
        "dependentRequired": {"payload": ["directive"], "then": ["if"], "else": ["if"]},
        "anyOf": [{"required": [key]} for key in (*others, "directive", *directives)],
    }
    return {"description": "One thing at one time.", "anyOf": [{"enum": directives}, mapping]}


def _event() -> Schema:
    events = sorted(catalogue().events)
    wild = {"type": "string", "pattern": r"[*?]", "description": "With wildcards: * for any letters, ? for one."}
    return {"description": "The name of an event.", "anyOf": [{"enum": events}, wild]}


def _one_or_more(item: Schema, said: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item}], **_said(said)}


def _said(schema: Schema) -> Schema:
    return {key: schema[key] for key in ("description",) if key in schema}


def _when(schema: Schema) -> Schema:
    """Conditions by member: the names the catalogue knows complete, others of the right beginning are taken."""
    condition = schema.pop("additionalProperties")
    of_audio = ("present", "seconds", "bytes", "level", "sha256", "dtmf", "marker", "like", "heard", "text")
    names = ["state", *(f"audio.{name}" for name in of_audio)]
    names += ["header.messageId", "header.dialogRequestId", "request.user-agent", "device.token", "device.user_agent"]
    for event in catalogue().events.values():
        names += [f"payload.{member}" for member in event.payload]
    for name, context in catalogue().contexts.items():
        names += [f"context.{name}.{member}" for member in context.payload]
    names += [f"count.{name}" for name in catalogue().events]
    return {
        **schema,
        "properties": dict.fromkeys(sorted(set(names)), True),
        "patternProperties": {_WHEN: condition},
        "additionalProperties": False,
    }


def _payload_name(directive: str) -> str:
    return f"payload-{directive}"


def _payloads(sound: Schema) -> Iterator[tuple[str, Schema]]:
    """The payload of each directive, as a scenario writes it, and the types they share."""
    for name, spec in catalogue().directives.items():
        schema = payload_schema(spec)
        if SOUND_MEMBER in spec.fields:
            schema["properties"] = {"audio": sound, **schema["properties"]}
        yield _payload_name(name), schema
    yield from type_definitions().items()


def _tidy(schema: Any) -> Any:
    """Without pydantic's titles, and with our own marks resolved."""
    if isinstance(schema, Mapping):
        if "x-ref" in schema:
            return {"$ref": DEFS + schema["x-ref"]}
        if isinstance(schema.get("default"), float) and _is_duration(schema):
            return _tidy({**schema, "default": f"{schema['default']:g}s"})
        if schema.get("anyOf") == DURATION_SCHEMA["anyOf"]:
            rest = {key: value for key, value in schema.items() if key != "anyOf" and value != _DURATION}
            return {"$ref": DEFS + "Duration", **_tidy(rest)}
        return {
            key: {name: _tidy(value) for name, value in inner.items()}
            if key in ("properties", "$defs")
            else _tidy(inner)
            for key, inner in schema.items()
            if key not in ("title", "ge", "gt") or isinstance(inner, Mapping)
        }
    if isinstance(schema, list):
        return [_tidy(each) for each in schema]
    return schema


__all__ = ["scenario_schema"]
