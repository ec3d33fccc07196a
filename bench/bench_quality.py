# SPDX-License-Identifier: Apache-2.0
"""How well the chains hear, translate and speak.

Real speech (tests/media) goes through `sts-service fragment`, cut as a live
stream is, but with time to finish: quality is looked at here, speed under
load in bench-sts. What comes out is held against transcripts and translations
of ours.

    ONLY="es-en en-es-kokoro"   some of the chains (default: all)
    PREPARED=1                  also the recogniser on prepared sound; or only
                                some of the ways: "high-pass 80 Hz,peak to 0 dB"

For each chain, KEY being its name with underscores:

<KEY>_wer           share of words heard wrong (insertions count), against the
                    transcript; not of a chain that translates as it hears
<KEY>_chrf          of the translation, against the reference translation
<KEY>_chrf_spoken   of the dub as it is heard again: in English by Moonshine,
                    which takes no part in these chains (scripts/fetch
                    moonshine-tiny-en), else by Whisper, which does
<KEY>_chrf_whisper  of an English dub as Whisper hears it again
<KEY>_success, _partial, _failed, _silent   share of fragments
<KEY>_speed_p95     how much faster than its own pace the voice had to be
<KEY>_loudness_lu   95th percentile of |dub - source speech|
<KEY>_rtf           seconds of work for a second of sound
<KEY>_p50_s, _p95_s of a fragment; <STAGE>_p95_ms of each stage
<KEY>_memory_mib    of the engines together, at most
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import jiwer
import numpy as np
from sacrebleu.metrics import CHRF

from benchlib import ROOT, figure, header, load, percentile, say, tools

from helpers import clips, recogniser, stream_analyzer as sa

FOLDER = ROOT / "build" / "bench" / "quality"
RATE = 48000
WORDS = jiwer.Compose([
    jiwer.ToLowerCase(), jiwer.SubstituteRegexes({r"[^\w\s']": " "}),
    jiwer.RemoveMultipleSpaces(), jiwer.Strip(),
    jiwer.ReduceToListOfListOfWords()])


@dataclass
class Text:
    """A recording and what is said in it."""

    name: str
    language: str
    files: list[Path]
    transcript: str
    translations: dict = field(default_factory=dict)


@dataclass
class Chain:
    name: str
    text: str
    target: str
    env: dict = field(default_factory=dict)
    chain: str = ""


def lines_of(name: str) -> str:
    """A transcript, or a translation, as one text."""
    found = []
    for line in clips.media(name).read_text(encoding="utf-8").splitlines():
        found.append(line.partition("|")[2] if "|" in line else line)
    return " ".join(t for t in found if not t.isdecimal())


def libri_vox(language: str, translated: str | None = None) -> Text:
    texts = {translated: lines_of(f"lv_{language}.{translated}.txt")
             } if translated else {}
    return Text(f"lv_{language}", language, [clips.media(
        f"lv_{language}.mp3")], lines_of(f"lv_{language}.txt"), texts)


def lj_speech() -> Text:
    with open(clips.media("lj/transcripts.csv"), encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE))
    return Text("lj", "en", [clips.media(f"lj/{row[0]}.flac") for row in rows],
                " ".join(row[2] for row in rows),
                {"es": lines_of("lj/lj.es.txt")})


TEXTS = {
    "lv_es": lambda: libri_vox("es", "en"),
    "lv_de": lambda: libri_vox("de", "en"),
    "lv_en": lambda: libri_vox("en"),
    "lj": lj_speech,
}

CHAINS = [
    Chain("es-en", "lv_es", "en", chain="Whisper base (translates), Piper joe"),
    Chain("de-en", "lv_de", "en", chain="Whisper base (translates), Piper joe"),
    Chain("es-en-apertium", "lv_es", "en",
          {"TRANSLATION_PROVIDER": "apertium"},
          "Whisper base, Apertium, Piper joe"),
    Chain("es-en-espeak", "lv_es", "en", {"TTS_PROVIDER": "espeak"},
          "Whisper base (translates), espeak-ng"),
    Chain("es-es", "lv_es", "es", {"TTS_PROVIDER": "espeak"},
          "Whisper base, espeak-ng"),
    Chain("de-de", "lv_de", "de", {"TTS_PROVIDER": "espeak"},
          "Whisper base, espeak-ng"),
    Chain("en-en", "lj", "en", chain="Whisper base, Piper joe"),
    Chain("en-en-moonshine", "lj", "en", {"ASR_PROVIDER": "moonshine"},
          "Moonshine tiny, Piper joe"),
    Chain("en-en-q8", "lj", "en", {"ASR_MODEL": "ggml-base-q8_0.bin"},
          "Whisper base of 8 bits, Piper joe"),
    Chain("en-en-espeak", "lj", "en", {"TTS_PROVIDER": "espeak"},
          "Whisper base, espeak-ng"),
    Chain("sonnet-en", "lv_en", "en", chain="Whisper base, Piper joe"),
    Chain("en-es", "lj", "es", {"TTS_PROVIDER": "espeak"},
          "Whisper base, Apertium, espeak-ng"),
    Chain("en-es-kokoro", "lj", "es", {"TTS_PROVIDER": "kokoro"},
          "Whisper base, Apertium, Kokoro"),
    Chain("es-en-kokoro", "lv_es", "en", {"TTS_PROVIDER": "kokoro"},
          "Whisper base (translates), Kokoro"),
]


# --- a run ----------------------------------------------------------------

def memory_of_children(pid: int) -> float:
    """Resident MiB of what the process has started."""
    total = 0
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            try:
                status = Path(f"/proc/{child}/status").read_text()
            except OSError:
                continue
            for line in status.splitlines():
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1])
    return total / 1024


@dataclass
class Run:
    fragments: list[dict]
    source: np.ndarray
    dub: np.ndarray
    memory_mib: float


def joined(files: list[Path]) -> np.ndarray:
    gap = np.zeros(RATE // 2)
    sound = [part for path in files
             for part in (clips.load_sound(path, RATE), gap)]
    return np.concatenate(sound)


def run_chain(sound: np.ndarray, language: str, chain: Chain) -> Run:
    source, dub = FOLDER / "source.wav", FOLDER / f"{chain.name}.wav"
    clips.write_wav(source, sound, RATE)
    command = [tools.need("sts-service"), "fragment", str(source), "--from",
               language, "--to", chain.target, "--json", "--output", str(dub),
               "--deadline-ms", "60000"]
    limits = {"ASR_TIMEOUT_MS": "60000", "TRANSLATION_TIMEOUT_MS": "60000",
              "TTS_TIMEOUT_MS": "60000", "LOG_LEVEL": "error"}
    peak = [0.0]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                          stdin=subprocess.DEVNULL,
                          env={**os.environ, **limits, **chain.env}) as child:
        def watch() -> None:
            while child.poll() is None:
                peak[0] = max(peak[0], memory_of_children(child.pid))
                time.sleep(0.2)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        fragments = [json.loads(line) for line in child.stdout]
        watcher.join()
    if child.returncode != 0:
        raise RuntimeError(f"sts-service fragment ended with "
                           f"{child.returncode}")
    return Run(fragments, sound, clips.load_sound(dub, RATE), peak[0])


# --- the figures ----------------------------------------------------------

def word_error(reference: str, heard: str) -> float:
    return jiwer.wer(reference, heard, reference_transform=WORDS,
                     hypothesis_transform=WORDS)


def chrf(reference: str, found: str) -> float:
    return CHRF().sentence_score(found, [reference]).score


def loudness_errors(run: Run) -> list[float]:
    errors = []
    for piece in run.fragments:
        if piece["status"] not in ("success", "partial") \
                or not piece["dub_ms"]:
            continue
        at = piece["start_ms"] * RATE // 1000
        end = at + piece["slot_ms"] * RATE // 1000
        found = []
        for sound in (run.source[at:end], run.dub[at:end]):
            clips.write_wav(FOLDER / "loudness.wav", sound, RATE)
            found.append(sa.loudness(FOLDER / "loudness.wav")[0])
        errors.append(abs(found[0] - found[1]))
    return errors


def share(run: Run, test) -> float:
    return sum(map(test, run.fragments)) / max(1, len(run.fragments))


def translates_itself(run: Run) -> bool:
    return any(p.get("translation_engine") == p.get("asr_engine")
               for p in run.fragments if p.get("said"))


def is_silent(piece: dict) -> bool:
    return piece.get("error") == "NO_SPEECH"


def judges(language: str) -> list[tuple[str, str]]:
    """Figure and engine of who hears the dub again."""
    if language == "en" and recogniser.has_second():
        return [("chrf_spoken", "moonshine"), ("chrf_whisper", "whisper")]
    return [("chrf_spoken", "whisper")]


def judge(chain: Chain, text: Text, run: Run) -> None:
    key = chain.name.replace("-", "_")

    def say_figure(name: str, value: float, digits: int = 2) -> None:
        figure(f"{key}_{name}", value, digits)

    heard = " ".join(p.get("heard", "") for p in run.fragments)
    said = " ".join(p.get("said", "") for p in run.fragments)
    # What translates while it hears gives a transcript only when there is time.
    if chain.target == text.language or not translates_itself(run):
        say_figure("wer", word_error(text.transcript, heard), 3)
    reference = text.translations.get(chain.target)
    if reference is not None:
        say_figure("chrf", chrf(reference, said), 1)
        for name, engine in judges(chain.target):
            again = recogniser.transcribe(FOLDER / f"{chain.name}.wav",
                                          FOLDER, chain.target, engine)
            say_figure(name, chrf(reference, again), 1)
    for status in ("success", "partial", "failed"):
        say_figure(status, share(run, lambda p, s=status: p["status"] == s
                                 and not is_silent(p)), 3)
    say_figure("silent", share(run, is_silent), 3)
    dubbed = [p for p in run.fragments if p["status"] != "failed"]
    say_figure("speed_p95", percentile([p["speed"] for p in dubbed], 0.95))
    say_figure("loudness_lu", percentile(loudness_errors(run), 0.95))
    spoken = [p for p in run.fragments if not is_silent(p)]
    say_figure("rtf", sum(p["total_ms"] for p in spoken)
               / max(1, sum(p["slot_ms"] for p in spoken)))
    for q, name in ((0.5, "p50_s"), (0.95, "p95_s")):
        say_figure(name, percentile([p["total_ms"] / 1000 for p in spoken], q))
    for stage in ("asr", "translation", "tts"):
        say_figure(f"{stage}_p95_ms", percentile(
            [p[f"{stage}_ms"] for p in spoken], 0.95), 0)
    say_figure("memory_mib", run.memory_mib, 0)


# --- does preparing the sound help? ---------------------------------------

PREPARATIONS = {
    "as it is": None,
    "high-pass 80 Hz": "highpass=f=80:p=2",
    "pre-emphasis 0.97": "aeval=val(0)-0.97*st(0\\,0):c=same",
    "peak to 0 dB": "peak",
    "high-pass and peak": "highpass=f=80:p=2+peak",
    "noise taken off": "afftdn=nr=12",
}


def prepared(sound: np.ndarray, how: str | None) -> np.ndarray:
    if how is None:
        return sound
    if how.startswith("aeval"):
        return sound - 0.97 * np.concatenate(([0.0], sound[:-1]))
    for step in how.split("+"):
        if step == "peak":
            sound = sound / max(1e-9, float(np.max(np.abs(sound))))
            continue
        clips.write_wav(FOLDER / "raw.wav", sound, RATE)
        tools.ffmpeg("-y", "-i", FOLDER / "raw.wav", "-af", step,
                     FOLDER / "prepared.wav")
        sound = clips.load_sound(FOLDER / "prepared.wav", RATE)
    return sound


# Lengths of segment, in seconds: each cuts the speech in other places.
CUTS = (3.5, 5.0)
CLUSTER_WORDS = 12
RESAMPLES = 10000


@dataclass
class Cut:
    """A recording, and where it is cut: the same for every way."""

    text: Text
    sound: np.ndarray
    slots: list[tuple[int, int]]


def cut(text: Text, seconds: float) -> Cut:
    """At the quietest 100 ms of the last 1.5 s of each segment."""
    sound, slots, at = joined(text.files), [], 0
    step, reach = RATE // 10, 15
    while len(sound) - at > seconds * RATE:
        end = at + int(seconds * RATE)
        places = [end - k * step for k in range(1, reach)]
        end = min(places, key=lambda p: float(
            np.sum(sound[p - step // 2:p + step // 2] ** 2)))
        slots.append((at, end))
        at = end
    slots.append((at, len(sound)))
    return Cut(text, sound, slots)


def heard_of(piece: Cut, sound: np.ndarray) -> str:
    """What is recognised of the prepared sound, cut where the other was.

    A segment has ten minutes, so that the machine's speed decides nothing:
    each is heard anew as often as the rule allows."""
    files = []
    for i, (start, end) in enumerate(piece.slots):
        files.append(FOLDER / f"slot-{i:03}.wav")
        clips.write_wav(files[-1], sound[start:end], RATE)
    command = [tools.need("sts-service"), "fragment", *map(str, files),
               "--from", piece.text.language, "--to", piece.text.language,
               "--json", "--seconds", "25", "--deadline-ms", "600000"]
    limits = {"ASR_TIMEOUT_MS": "600000", "TTS_TIMEOUT_MS": "60000",
              "TRANSLATION_PROVIDER": "identity", "TTS_PROVIDER": "espeak",
              "LOG_LEVEL": "error"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          stdin=subprocess.DEVNULL, check=True,
                          env={**os.environ, **limits})
    return " ".join(json.loads(line).get("heard", "")
                    for line in done.stdout.splitlines())


def errors_by_word(reference: str, heard: str) -> np.ndarray:
    """For each word of the reference, the errors at its place."""
    out = jiwer.process_words(reference, heard, reference_transform=WORDS,
                              hypothesis_transform=WORDS)
    errors = np.zeros(len(out.references[0]))
    for chunk in out.alignments[0]:
        if chunk.type in ("substitute", "delete"):
            errors[chunk.ref_start_idx:chunk.ref_end_idx] += 1
        elif chunk.type == "insert":
            at = min(chunk.ref_start_idx, len(errors) - 1)
            errors[at] += chunk.hyp_end_idx - chunk.hyp_start_idx
    return errors


def errors_of_way(pieces: list[Cut], how: str | None) -> dict[str, np.ndarray]:
    """Of each recording, errors at each word, all its cuts together."""
    errors: dict[str, np.ndarray] = {}
    for piece in pieces:
        found = errors_by_word(piece.text.transcript, heard_of(
            piece, prepared(piece.sound, how)))
        errors[piece.text.name] = errors.get(piece.text.name, 0) + found
    return errors


def clusters(errors: dict[str, np.ndarray]) -> np.ndarray:
    """Errors of each stretch of the reference, as long as a segment."""
    return np.array([sum(found[i:i + CLUSTER_WORDS])
                     for found in errors.values()
                     for i in range(0, len(found), CLUSTER_WORDS)])


def interval(difference: np.ndarray, words: int) -> tuple[float, float]:
    """95 % of what the mean difference a word is when the stretches are drawn
    anew: paired, and all cuts of a stretch together."""
    draw = np.random.default_rng(1)
    picked = draw.integers(0, len(difference), (RESAMPLES, len(difference)))
    means = difference[picked].sum(axis=1) / words
    return tuple(np.percentile(means, [2.5, 97.5]))


def ways() -> list[tuple[str, str | None]]:
    """Those that PREPARED asks for, and the sound as it is before them."""
    asked = os.environ.get("PREPARED", "1").split(",")
    return [(name, how) for name, how in PREPARATIONS.items()
            if how is None or asked == ["1"] or name in asked]


def judge_preparations() -> None:
    pieces = [cut(make(), seconds) for make in TEXTS.values()
              for seconds in CUTS]
    say("\nword error rate of the recogniser by how the sound is prepared, "
        "and its difference to the sound as it is:")
    figure("prepared_segments", sum(len(p.slots) for p in pieces), 0)
    plain = None
    for name, how in ways():
        errors = errors_of_way(pieces, how)
        words = sum(map(len, errors.values())) * len(CUTS)
        total = clusters(errors)
        plain = total if plain is None else plain
        key = name.replace(" ", "_").replace(".", "")
        say(f"  {name:22}" + "  ".join(
            f"{text} {sum(found) / len(found) / len(CUTS):.3f}"
            for text, found in errors.items()))
        figure(f"prepared_{key}_wer", float(total.sum()) / words, 3)
        if how is None:
            continue
        low, high = interval(total - plain, words)
        figure(f"prepared_{key}_difference",
               float((total - plain).sum()) / words, 4)
        figure(f"prepared_{key}_from", low, 4)
        figure(f"prepared_{key}_to", high, 4)


def main() -> int:
    only = os.environ.get("ONLY", "").split()
    FOLDER.mkdir(parents=True, exist_ok=True)
    header("bench-quality", "real speech through the chains")
    for chain in CHAINS:
        if only and chain.name not in only:
            continue
        text = TEXTS[chain.text]()
        say(f"\n{chain.name}: {chain.chain}")
        run = run_chain(joined(text.files), text.language, chain)
        for piece in run.fragments:
            say(f"  {piece['total_ms'] / 1000:5.2f} s  {piece['status']:8}"
                f"{piece.get('heard', '-')}  ->  {piece.get('said', '-')}  "
                f"{piece.get('error', '')}")
        judge(chain, text, run)
    if os.environ.get("PREPARED"):
        judge_preparations()
    say(f"\n{load()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
