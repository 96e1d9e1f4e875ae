"""`mockcic say`: a text as a sound file, spoken or as the tone code that stands for it."""

from __future__ import annotations

from pathlib import Path

import click

from mockcic.errors import StartError


@click.command(name="say", short_help="Speak a text into a sound file.")
@click.argument("text")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="FILE.wav, or FILE.mp3."
)
@click.option("--lang", default="ko", show_default=True, help="The synthesiser's voice.")
@click.option("--tones", is_flag=True, help="The tone code of the text, although a synthesiser is there.")
def command(text: str, output: Path, lang: str, tones: bool) -> None:
    """Write TEXT as speech of espeak-ng where that is installed, else as the tone code that `mockcic listen` knows."""
    from mockcic.sound.make import mp3, wav
    from mockcic.sound.marker import prompt
    from mockcic.sound.speak import Spoken, speaker

    if not text.strip():
        raise StartError("found no text to say")
    ending = output.suffix.lower()
    if ending not in (".wav", ".mp3"):
        raise StartError(f"found {output.name}, expected FILE.wav or FILE.mp3")
    spoken = Spoken(prompt(text), 16_000, "tones") if tones else speaker().speak(text, language=lang)
    data = wav(spoken.pcm, spoken.rate) if ending == ".wav" else mp3(spoken.pcm, spoken.rate)
    try:
        output.write_bytes(data)
    except OSError as error:
        raise StartError(f"cannot write {output}: {error.strerror}") from None
    click.echo(f"{output}  {len(spoken.pcm) / 2 / spoken.rate:.2f} s, {spoken.by}")
