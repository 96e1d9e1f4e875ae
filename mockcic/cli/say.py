"""`mockcic say`: a text as a sound file, spoken or as the tone code that stands for it; digits, and markers."""

from __future__ import annotations

from pathlib import Path

import click

from mockcic.errors import StartError


@click.command(name="say", short_help="Speak a text, digits or a marker into a sound file.")
@click.argument("text", required=False, default="")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="FILE.wav, or FILE.mp3."
)
@click.option("--lang", default="ko", show_default=True, help="The synthesiser's voice.")
@click.option("--tones", is_flag=True, help="The tone code of the text, although a synthesiser is there.")
@click.option("--dtmf", metavar="DIGITS", help="Telephone digits instead of a text: 0-9, A-D, *, #.")
@click.option("--marker", type=int, metavar="NUMBER", help="The tone code of a number instead of a text: 0 to 999999.")
@click.option("--rate", type=int, metavar="HZ", help="The sample rate of an MP3.")
@click.option("--bitrate", type=int, metavar="KBPS", help="The bit rate of an MP3.")
def command(
    text: str,
    output: Path,
    lang: str,
    tones: bool,
    dtmf: str | None,
    marker: int | None,
    rate: int | None,
    bitrate: int | None,
) -> None:
    """Write TEXT as speech of espeak-ng where that is installed, else as the tone code that `mockcic listen` knows.

    Or, for test audio that a scenario recognises, digits or a number:

    \b
      mockcic say --dtmf 123# -o question.wav
      mockcic say --marker 7 -o question.wav
    """
    from pydantic import ValidationError

    from mockcic.scenario.mpeg import USUAL_KBPS, Mp3
    from mockcic.sound.make import mp3, wav

    ending = output.suffix.lower()
    if ending not in (".wav", ".mp3"):
        raise StartError(f"found {output.name}, expected FILE.wav or FILE.mp3")
    if (rate is not None or bitrate is not None) and ending == ".wav":
        raise StartError(f"found {output.name} with --rate or --bitrate, expected FILE.mp3")
    try:
        form = Mp3(rate=rate, bitrate=USUAL_KBPS if bitrate is None else bitrate)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise StartError(f"found {wrong['msg']}, expected {wrong['ctx']['expected']}") from None
    pcm, made, by = _sound(text, lang, tones, dtmf, marker)
    data = wav(pcm, made) if ending == ".wav" else mp3(pcm, made, form.bitrate, form.rate_for(made))
    try:
        output.write_bytes(data)
    except OSError as error:
        raise StartError(f"cannot write {output}: {error.strerror}") from None
    click.echo(f"{output}  {len(pcm) / 2 / made:.2f} s, {by}")


def _sound(text: str, lang: str, tones: bool, dtmf: str | None, marker: int | None) -> tuple[bytes, int, str]:
    """16-bit PCM, its rate, and what it is."""
    from mockcic.sound import dtmf as digits
    from mockcic.sound import marker as code
    from mockcic.sound.speak import speaker

    given = [
        name for name, there in (("a text", text.strip()), ("--dtmf", dtmf), ("--marker", marker is not None)) if there
    ]
    if len(given) != 1:
        found = " and ".join(given) or "nothing to say"
        raise StartError(f"found {found}, expected one of a text, --dtmf, --marker")
    try:
        if dtmf:
            return digits.dtmf(dtmf), 16_000, f"digits {dtmf}"
        if marker is not None:
            return code.marker(marker), 16_000, f"marker {marker}"
    except ValueError as error:
        raise StartError(str(error)) from None
    if tones:
        return code.prompt(text), 16_000, "tones"
    spoken = speaker().speak(text, language=lang)
    return spoken.pcm, spoken.rate, spoken.by
