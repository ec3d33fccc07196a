# SPDX-License-Identifier: Apache-2.0
"""What each voice of this machine costs, and whether it is understood.

Every voice says the same few sentences of its language (bench/voices.json);
Whisper hears them again, and the words are compared. Nothing else should run
meanwhile.

    ENGINES=piper,kokoro,espeak  LANGUAGES=en,es,fr,it,pt,de,hi

<engine>_<language>_rtf     seconds per second of speech, of the quickest
                            sentence
<engine>_<language>_cpu     seconds of CPU per second of speech: on a machine
                            that does nothing else as long as it takes with
                            one thread
<engine>_<language>_wer     word errors per word, after Whisper base; it is
                            Whisper's as well as the voice's
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

from benchlib import ROOT, figure, header, load, say

PROGRAM = ROOT / "build/native/apps/sts-service/sts-service"
# Only a model that is slower than this would be cut off.
TIMEOUT_MS = 60000


def words(text: str) -> list[str]:
    """Lower case, without signs; letters keep their accents."""
    plain = unicodedata.normalize("NFC", text.lower())
    return re.findall(r"[^\W_]+", plain.replace("'", " "))


def word_errors(said: list[str], heard: list[str]) -> int:
    """Least number of words to put in, take out or change."""
    row = list(range(len(heard) + 1))
    for i, left in enumerate(said, 1):
        previous, row[0] = row[0], i
        for j, right in enumerate(heard, 1):
            previous, row[j] = row[j], min(
                row[j] + 1, row[j - 1] + 1, previous + (left != right))
    return row[-1]


def run(*arguments: str, engine: str = "") -> subprocess.CompletedProcess:
    environment = {**os.environ, "TTS_TIMEOUT_MS": str(TIMEOUT_MS),
                   "ASR_PROVIDER": "whisper", "LOG_LEVEL": "error"}
    if engine:
        environment["TTS_PROVIDER"] = engine
    return subprocess.run([PROGRAM, *arguments], env=environment, text=True,
                          capture_output=True, timeout=600, check=False)


def speak(engine: str, language: str, texts: list[str],
          wav: str) -> tuple[float, float] | None:
    """Least seconds, and seconds of CPU, per second of speech; None: there is
    no such voice."""
    done = run("say", *texts, "--to", language, "--output", wav, engine=engine)
    if done.returncode != 0:
        say(done.stderr.strip())
        return None
    found = re.findall(r"([\d.]+) s of speech in ([\d.]+) s", done.stdout)
    cpu = re.search(r"^cpu_factor=([\d.]+)", done.stdout, re.M)
    return (min(float(took) / float(length) for length, took in found),
            float(cpu[1]))


def hear(language: str, wav: str) -> list[str]:
    done = run("transcribe", wav, "--language", language)
    if done.returncode != 0:
        sys.exit(f"bench-voices: {done.stderr.strip()}")
    return words(done.stdout)


def measure(engine: str, language: str, texts: list[str]) -> bool:
    said = words(" ".join(texts))
    with tempfile.TemporaryDirectory() as folder:
        wav = str(Path(folder) / "said.wav")
        cost = speak(engine, language, texts, wav)
        if cost is None:
            return False
        heard = hear(language, wav)
    name = f"{engine}_{language}"
    say(f"{engine:8} {language:3} {len(texts)} sentences, {len(said)} words: "
        + " ".join(heard))
    figure(f"{name}_rtf", cost[0], 3)
    figure(f"{name}_cpu", cost[1], 3)
    figure(f"{name}_wer", word_errors(said, heard) / len(said), 3)
    return True


def chosen(name: str, everything: list[str]) -> list[str]:
    return [e for e in os.environ.get(name, "").split(",") if e] or everything


def main() -> None:
    texts = json.loads((ROOT / "bench" / "voices.json").read_text())
    header("bench-voices", "real-time factor and word errors of each voice")
    for engine in chosen("ENGINES", ["piper", "kokoro", "espeak"]):
        for language in chosen("LANGUAGES", list(texts)):
            if not measure(engine, language, texts[language]):
                say(f"{engine:8} {language:3} has no voice here")
    say(load())


if __name__ == "__main__":
    main()
