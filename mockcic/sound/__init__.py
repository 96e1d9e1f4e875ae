"""PCM measured, silence, tones and MP3 made; no CIC."""
