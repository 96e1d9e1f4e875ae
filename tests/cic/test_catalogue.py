"""The catalogue as values, and judgement by it."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
import yaml

from mockcic.cic.catalogue import Catalogue, catalogue
from mockcic.cic.field import Kind, MessageSpec

KINDS: tuple[Kind, ...] = ("event", "directive", "context")
MESSAGES = [
    pytest.param(spec, id=f"{kind}-{name}") for kind in KINDS for name, spec in catalogue().of_kind(kind).items()
]


@pytest.fixture
def cic() -> Catalogue:
    return catalogue()


@pytest.mark.parametrize("spec", MESSAGES)
def test_every_example_is_judged_without_an_error(cic: Catalogue, spec: MessageSpec) -> None:
    """The header of interfaces.yaml: an example is a valid payload."""
    assert [issue for issue in cic.judge(spec, spec.example) if issue.severity == "error"] == []


def test_the_catalogue_holds_all_messages_of_the_guide(cic: Catalogue) -> None:
    """53 events, 75 directives, 9 contexts, 23 content templates (the guide's indexes); ConfirmWakeUp besides."""
    published = {name for name, spec in cic.directives.items() if spec.audience != "unpublished"}
    assert [len(each) for each in (cic.events, published, cic.contexts, cic.templates)] == [53, 75, 9, 23]
    assert cic.directives.keys() - published == {"SpeechRecognizer.ConfirmWakeUp"}


def test_what_directives_ask_to_be_reported_is_in_the_lists_of_the_reports(cic: Catalogue) -> None:
    """The guide's own lists lack some: a device that reports them keeps the guide, so nothing is to be told of it."""
    for name, spec in cic.directives.items():
        if not any("DeviceControl.ActionExecuted" in each for each in spec.expects):
            continue
        target = spec.fields.get("target")
        for report in ("DeviceControl.ActionExecuted", "DeviceControl.ActionFailed"):
            for value in target.enum if target is not None and target.enum else ("bluetooth",):
                payload = {"command": name.partition(".")[2], "target": value}
                assert list(cic.judge(cic.events[report], payload)) == [], payload


def words(text: str) -> set[str]:
    return set(text.split())


def test_every_key_of_the_file_is_looked_at() -> None:
    """A key that nobody reads would be a rule that nobody keeps."""
    field_keys = words(
        """
        type items fields values required soft partial always nullable enum enum_open const value_enum
        value_pattern pattern min max max_bytes default format required_if required_unless only_if needs
        any_of deprecated audience note about source
        """
    )
    message_keys = words(
        """
        about dialogRequestId context context_key attachment payload answered_by answered_basis http_status
        example channel channel_basis expects may_send forms payload_from deprecated replaced_by note
        taken_from audience audio codes indexed
        """
    )
    raw = yaml.safe_load(files("mockcic.cic").joinpath("interfaces.yaml").read_text(encoding="utf-8"))

    def walk(field: dict[str, Any]) -> None:
        assert field.keys() <= field_keys
        for inner in (*field.get("fields", {}).values(), *(field[key] for key in ("items", "values") if key in field)):
            walk(inner)

    messages = [
        each for one in raw["interfaces"].values() for kind in ("events", "directives") for each in one[kind].values()
    ]
    for message in [*messages, *raw["contexts"].values()]:
        assert message.keys() <= message_keys
        for field in message["payload"].values():
            walk(field)
    for field in (*raw["types"].values(), *raw["template_common"].values()):
        walk(field)
    for template in raw["templates"].values():
        assert template.keys() == {"group", "about", "fields"}
        walk({"fields": template["fields"]})


def test_every_name_in_the_catalogue_is_one_of_the_catalogue(cic: Catalogue) -> None:
    """What follows a message, what replaces it, which contexts go along, which types a member has."""
    for spec in [*cic.events.values(), *cic.directives.values()]:
        assert {name for group in spec.expects for name in group} | set(spec.may_send) <= cic.events.keys()
        assert set(spec.answered_by) <= cic.directives.keys()
        assert {*spec.contexts, *spec.context_key} <= cic.contexts.keys()
        assert spec.replaced_by is None or spec.replaced_by in cic.directives
    for interface in cic.interfaces.values():
        assert set(interface.contexts) <= cic.contexts.keys()
    assert cic.directives["Clova.RenderTemplate"].fields["type"].enum == tuple(cic.templates)


def test_only_two_messages_carry_sound(cic: Catalogue) -> None:
    """The microphone's upload and the spoken answer (PROTOCOL 3.3, 4.4)."""
    carrying = [name for there in (cic.events, cic.directives) for name, spec in there.items() if spec.attachment]
    assert carrying == ["SpeechRecognizer.Recognize", "SpeechSynthesizer.Speak"]


@pytest.mark.parametrize(
    ("kind", "meant", "names"),
    [
        ("directive", "Speak", ["SpeechSynthesizer.Speak"]),
        ("directive", "speechsynthesizer.SPEAK", ["SpeechSynthesizer.Speak"]),
        ("directive", "SpeechSynthesizer.Speek", ["SpeechSynthesizer.Speak"]),
        ("directive", "SpeechRecognizer.Speak", ["SpeechSynthesizer.Speak"]),
        ("directive", "Speek", ["SpeechSynthesizer.Speak"]),
        ("event", "recognize", ["SpeechRecognizer.Recognize", "TextRecognizer.Recognize"]),
        ("context", "Alerts.AlertState", ["Alerts.AlertsState"]),
        ("directive", "zzz", []),
        ("directive", "x" * 1_000_000, []),
    ],
)
def test_a_name_nearly_right_is_recognised(cic: Catalogue, kind: Kind, meant: str, names: list[str]) -> None:
    """Wrong case or the bare name is certain; else the most alike come first (INF)."""
    assert cic.suggest(kind, meant)[: max(1, len(names))] == names


def test_members_with_one_legal_value_are_known(cic: Catalogue) -> None:
    """Those the catalogue requires and fixes; Speak's contentType is fixed, but only there for HLS."""
    fixed = {name: dict(cic.fixed_members(spec)) for name, spec in cic.directives.items() if cic.fixed_members(spec)}
    assert fixed == {
        "DeviceControl.OpenScreen": {"target": "settings"},
        "SpeechSynthesizer.Speak": {"format": "AUDIO_MPEG"},
    }


def test_there_is_one_catalogue() -> None:
    """It is read when first asked for, and only then."""
    assert catalogue() is catalogue()
