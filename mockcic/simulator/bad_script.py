"""Reactions that break a rule about reports: each takes a script and gives the spoiled one."""

from __future__ import annotations

from typing import Final

from mockcic.simulator.reactions import Cut, Report, Script, Step

_ACTIONS: Final = ("DeviceControl.ActionExecuted", "DeviceControl.ActionFailed")
_STORED: Final = ("Alerts.SetAlertSucceeded", "Alerts.DeleteAlertSucceeded")
_COMMANDS: Final = ("Next", "Pause", "Play", "Previous", "Resume", "Stop")
_STARTED: Final = "SpeechSynthesizer.SpeechStarted"
_ENDED: Final = ("SpeechSynthesizer.SpeechFinished", "SpeechSynthesizer.SpeechStopped")

UNREPORTED: Final = frozenset(
    {
        *_ACTIONS, *_STORED, _STARTED, *_ENDED, *(f"PlaybackController.{name}CommandIssued" for name in _COMMANDS),
        "AudioPlayer.ReportPlaybackState", "AudioPlayer.PlaybackQueueCleared", "Clova.ProcessDelegatedEvent",
        "DeviceControl.ReportState", "Settings.Report", "TemplateRuntime.RequestPlayerInfo",
    }
)  # fmt: skip
"""What is left out: only what no later context would contradict, so that no other rule is broken."""

DOUBLED: Final = frozenset({*_ACTIONS, *_STORED, *_ENDED, "Alerts.AlertStopped", "Clova.ProcessDelegatedEvent"})


def spoiled(rules: frozenset[str], track: str, script: Script) -> Script:
    """The script as a device performs it that breaks these rules."""
    if "expect.alert-rings" in rules and track.startswith("alert "):
        return _nothing()
    if not rules & {"expect.reported", "expect.once", "expect.order", "expect.progress"}:
        return script
    return _with_reports_changed(rules, script)


def _nothing() -> Script:
    yield from ()


def _with_reports_changed(rules: frozenset[str], script: Script) -> Script:
    held: list[Step] = []
    signal: Cut | None = None
    while True:
        try:
            step = next(script) if signal is None else script.throw(signal)
        except (StopIteration, Cut):
            yield from held
            return
        signal = None
        if isinstance(step, Report) and step.name == _STARTED and "expect.order" in rules:
            held.append(step)
            continue
        for each in _instead_of(rules, step):
            try:
                yield each
            except Cut as cut:
                signal = cut


def _instead_of(rules: frozenset[str], step: Step) -> list[Step]:
    if not isinstance(step, Report):
        return [step]
    if "expect.reported" in rules and step.name in UNREPORTED:
        return []
    if "expect.progress" in rules and step.name.startswith("AudioPlayer.ProgressReport"):
        return []
    return [step, step] if "expect.once" in rules and step.name in DOUBLED else [step]
