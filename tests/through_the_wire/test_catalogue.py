"""Every message of the catalogue passes its example both ways, up and down the wire; what is broken is reported."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from mockcic.cic.catalogue import catalogue
from mockcic.cic.field import FieldSpec, MessageSpec
from mockcic.cic.message import Context, Directive
from mockcic.cli.interfaces import template_step
from mockcic.control.desks.pushes import objections
from mockcic.mock import Bench
from mockcic.scenario.load import load_text
from mockcic.simulator.device import Device
from mockcic.sound.make import tone

CIC = catalogue()
TAKES_ANYTHING = {"scenario": "anything", "on": [{"event": "*", "reply": "none"}]}
TEMPLATE = "Clova.RenderTemplate"


def contexts_of(spec: MessageSpec) -> tuple[Context, ...]:
    """The examples of the contexts that the guide wants with an event."""
    names = ((name, *name.split(".")) for name in spec.contexts)
    return tuple(Context(namespace, short, CIC.contexts[name].example) for name, namespace, short in names)


async def send(device: Device, spec: MessageSpec, payload: Mapping[str, Any], contexts: tuple[Context, ...]) -> int:
    dialogue = "d1" if spec.dialog_request_id == "required" else None
    sound = tone(300, 0.2) if spec.attachment else None
    answer = await device.send(spec.full_name, payload, contexts=contexts, sound=sound, dialogue=dialogue)
    return answer.status


def deprecated(finding: Any) -> bool:
    return finding.name == "event.deprecated"


@pytest.mark.cic(allow=["event.deprecated"])
async def test_every_event_goes_up_with_its_contexts_without_a_finding(cic: Bench) -> None:
    """53 events, each with the contexts the guide asks for; the nine contexts are all among them."""
    cic.load(TAKES_ANYTHING)
    async with Device(cic.url, ca_file=cic.ca_file, token=cic.token, pace=0.0) as device:
        for spec in CIC.events.values():
            assert await send(device, spec, spec.example, contexts_of(spec)) == 204, spec.full_name
    assert [entry.name for entry in cic.events] == list(CIC.events)
    assert {name for entry in cic.events for name in entry.data["contexts"]} == set(CIC.contexts)
    assert [(entry.name, entry.data["found"]) for entry in cic.findings if not deprecated(entry)] == []


def templates() -> Iterator[tuple[str, dict[str, Any]]]:
    """A payload of each content template, as `mockcic interfaces NAME` shows it."""
    for name, template in CIC.templates.items():
        (step,) = yaml.safe_load(template_step(CIC, template))
        yield name, step[TEMPLATE]


def directives() -> Iterator[tuple[MessageSpec, dict[str, Any]]]:
    """Every directive with its example, and RenderTemplate once for each template."""
    for spec in CIC.directives.values():
        yield spec, dict(spec.example)
    for _, payload in templates():
        yield CIC.directives[TEMPLATE], payload


def test_every_directive_is_taken_by_the_loader_as_its_example_is() -> None:
    """76 directives and 23 templates, each where the catalogue says that it is sent; not a warning."""
    replies, pushes = [], []
    for spec, payload in directives():
        step: dict[str, Any] = {spec.full_name: copy.deepcopy(payload)}
        (pushes if spec.channel == "downchannel" else replies).append(step)
    text = yaml.safe_dump(
        {"scenario": "all", "on": [{"event": "*", "reply": replies}], "downchannel": [{"after": "1s", "push": pushes}]},
        allow_unicode=True,
        sort_keys=False,
    )
    assert [(each.line, each.what) for each in load_text(text).warnings] == []


@pytest.mark.cic(allow=["event.*"])  # what the simulated device makes of examples that belong to no dialogue
async def test_every_directive_comes_down_as_its_example_is(cic: Bench) -> None:
    """Pushed without a complaint, and read by the device with the same payload; Speak with a sound behind it."""
    cic.load(TAKES_ANYTHING)
    sent = list(directives())
    async with Device(cic.url, ca_file=cic.ca_file, token=cic.token, pace=0.0) as device:
        pushing = cic.device(cic.token)
        for spec, payload in sent:
            namespace, _, name = spec.full_name.partition(".")
            assert objections(Directive(namespace, name, "m1", payload)) == [], spec.full_name
            step: dict[str, Any] = {spec.full_name: without_sound(spec, payload)}
            assert await asyncio.to_thread(pushing.push, step), spec.full_name
        await device.wait_for("*", count=1 + len(sent))
        came = device.received[1:]
    for (spec, payload), received in zip(sent, came, strict=True):
        got = dict(received.directive.payload)
        if spec.attachment:
            assert got.pop("url").startswith("cid:")
            assert received.attachments
        assert (received.directive.full_name, got) == (spec.full_name, without_url(spec, payload))


def without_url(spec: MessageSpec, payload: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if not (spec.attachment and name == "url")}


def without_sound(spec: MessageSpec, payload: dict[str, Any]) -> dict[str, Any]:
    return without_url(spec, payload) | ({"audio": {"tone": 440, "duration": "100ms"}} if spec.attachment else {})


# ---------------------------------------------------------------------- what is broken


Break = tuple[str, str, dict[str, Any]]
"""The code it must be told under, the member, and the payload."""


def breaks(spec: MessageSpec) -> Iterator[Break]:
    """The example with one member broken, in each way its field allows, however deep the member is."""
    yield from ((code, path, payload) for code, path, payload in inside(spec.example, spec.fields, ()))
    for name, field in spec.fields.items():
        if field.required_if and name not in spec.example:
            sibling, values = next(iter(field.required_if.items()))
            yield "event.missing", name, {**spec.example, sibling: values[0]}


def inside(example: Any, fields: Mapping[str, FieldSpec], way: tuple[Any, ...]) -> Iterator[Break]:
    for name, value in at(example, way).items():
        field = fields.get(name)
        if field is None:
            continue
        path = (*way, name)
        dotted = ".".join(map(str, path))
        if field.required and not field.partial:
            yield "event.missing", dotted, changed(example, path, None, drop=True)
        wrong = 7 if "string" in field.types else "no"
        yield "event.type", dotted, changed(example, path, wrong)
        if field.enum and not field.enum_open and "string" in field.types:
            yield "event.enum", dotted, changed(example, path, "NOT_IN_THE_LIST")
        if not field.nullable:
            yield "event.null", dotted, changed(example, path, None)
        inner = field.fields or next((CIC.types[each].fields for each in field.named_types), None)
        if inner is not None and isinstance(value, dict) and not field.partial:
            yield from inside(example, inner, path)
        elif field.items is not None and isinstance(value, list) and value and isinstance(value[0], dict):
            inner = field.items.fields or next((CIC.types[each].fields for each in field.items.named_types), None)
            if inner is not None:
                yield from inside(example, inner, (*path, 0))


def at(value: Any, way: tuple[Any, ...]) -> Any:
    for step in way:
        value = value[step]
    return value


def changed(example: Any, way: tuple[Any, ...], value: Any, *, drop: bool = False) -> dict[str, Any]:
    payload: dict[str, Any] = copy.deepcopy(dict(example))
    place = at(payload, way[:-1])
    if drop:
        del place[way[-1]]
    else:
        place[way[-1]] = value
    return payload


@pytest.mark.cic(allow=["event.*"])
async def test_each_broken_member_of_an_event_or_context_is_reported_with_what_to_do(cic: Bench) -> None:
    """Missing, of another type, null, outside its list, missing on a condition: one event each, told once it came."""
    cic.load(TAKES_ANYTHING)
    expected: list[tuple[str, str, str]] = []
    async with Device(cic.url, ca_file=cic.ca_file, token=cic.token, pace=0.0) as device:
        for spec in CIC.events.values():
            for code, path, payload in breaks(spec):
                expected.append((code, f"payload.{path} of {spec.full_name}", ""))
                await send(device, spec, payload, ())
        ask = CIC.events["System.RequestSynchronizeState"]
        for spec in CIC.contexts.values():
            namespace, _, name = spec.full_name.partition(".")
            for code, path, payload in breaks(spec):
                expected.append((code, f"{path} of the context {spec.full_name}", ""))
                await send(device, ask, ask.example, (Context(namespace, name, payload),))
    found = [(entry.name, entry.data["found"]) for entry in cic.findings]
    assert len(expected) > 300
    missing = [
        (code, where) for code, where, _ in expected if not any(code == c and f" at {where}" in f for c, f in found)
    ]
    assert missing == []
    assert [entry.data for entry in cic.findings if not (entry.data["mend"] and entry.data["expected"])] == []
