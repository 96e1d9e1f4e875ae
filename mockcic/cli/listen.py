"""`mockcic listen`: what is in a recording, as the server would say it of an upload."""

from __future__ import annotations

from pathlib import Path

import click

from mockcic.errors import StartError


@click.command(name="listen", short_help="Say what is in a recording, as of an upload.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--prompt", "prompts", multiple=True, metavar="TEXT", help="A text whose tone code may be in it.")
def command(file: Path, prompts: tuple[str, ...]) -> None:
    """Print what is measured of FILE.wav (docs/sound.md), and the DTMF digits and tone codes in it."""
    from mockcic.sound.dtmf import digits_in
    from mockcic.sound.make import read_pcm, resampled
    from mockcic.sound.marker import PROMPTS, markers_in, prompt_number
    from mockcic.sound.quality import quality_of

    try:
        pcm, rate = read_pcm(file.read_bytes())
    except OSError as error:
        raise StartError(f"cannot read {file}: {error.strerror}") from None
    except ValueError as error:
        raise StartError(f"{file}: {error}") from None
    pcm = resampled(pcm, rate)
    found = quality_of(pcm)
    texts = {prompt_number(text): text for text in prompts}

    def said(number: int) -> str:
        if number < PROMPTS:
            return str(number)
        return f"{number} (prompt: {texts[number]})" if number in texts else f"{number} (a prompt)"

    def level(value: float | None) -> str:
        return "none" if value is None else f"{value:.1f} dBFS"

    rows = {
        "seconds": f"{len(pcm) / 32_000:.3f}" + ("" if rate == 16_000 else f" (at {rate} Hz)"),
        "level": level(found.level_dbfs),
        "peak": level(found.peak_dbfs),
        "silent": f"{found.silent_s:.2f} s",
        "clipped": f"{100 * found.clipped:.2f} %",
        "gaps": ", ".join(f"{length:.2f} s at {start:.2f} s" for start, length in found.gaps) or "none",
        "offset": f"{100 * found.dc:.2f} %",
        "looks like": ", ".join(found.suspicions) or "16 kHz PCM",
        "dtmf": digits_in(pcm) or "none",
        "markers": ", ".join(map(said, markers_in(pcm))) or "none",
    }
    for name, value in rows.items():
        click.echo(f"{name:<11}{value}")
