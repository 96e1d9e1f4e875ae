"""Settings: profiles, strictness, and what is worked out from them."""

from __future__ import annotations

from mockcic.scenario.settings import PROFILES, STRICT, Settings
from mockcic.wire.decode import STRICT as STRICT_DECODING


def test_a_profile_fills_in_only_what_the_scenario_left_open() -> None:
    """PROTOCOL section 0."""
    for profile, values in PROFILES.items():
        settings = Settings().for_profile(profile)
        assert {name: getattr(settings, name) for name in values} == values
    assert Settings(exceptions="empty").for_profile("seed").exceptions == "empty"


def test_strict_refuses_every_departure_and_its_decoder_knows() -> None:
    lenient = Settings()
    assert lenient.tolerance.lf_line_ends
    strict = lenient.strict()
    assert {name: getattr(strict, name) for name in STRICT} == STRICT
    assert strict.tolerance == STRICT_DECODING


def test_limits_and_dialect_are_those_of_the_wire() -> None:
    settings = Settings.model_validate(
        {
            "limits": {"part_headers": "1KiB", "json": 2000, "body": "3KB", "upload_time": "4s"},
            "content_id": {"name": "Content-ID", "brackets": True},
            "multipart": {"subtype": "form-data", "semicolon": False, "type_parameter": True},
        }
    )
    limits, dialect = settings.wire_limits, settings.dialect
    assert (limits.part_headers_bytes, limits.json_bytes, limits.body_bytes, limits.duration_s) == (
        1024,
        2000,
        3000,
        4.0,
    )
    assert (dialect.content_id_name, dialect.content_id_brackets) == ("Content-ID", True)
    assert (dialect.subtype, dialect.semicolon, dialect.type_parameter) == ("form-data", False, True)
