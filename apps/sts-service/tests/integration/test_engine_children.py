#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_engine_children.py STS_SERVICE SPEECH

Each real engine as the child that it is: `sts-service engine <kind>` with a
socket as descriptor 3, spoken to in frames. It loads, answers, refuses what is
wrong without dying of it, and ends by itself when the service is gone. An
engine that is not built, or whose model is missing, is skipped.
"""

import array
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

STS_SERVICE = ""
SPEECH = ""
WAIT_S = 240
CACHE = Path(os.environ.get("DUBBING_CACHE_DIR")
             or Path.home() / ".cache/live-broadcast-dubbing")
MODELS = CACHE / "models"


def model(*names):
    """Paths of the files of a model."""
    paths = [MODELS / name for name in names]
    for path in paths:
        if not path.exists():
            raise unittest.SkipTest(f"no {path}: make setup")
    return [str(path) for path in paths]


def some_speech(kind, at=0):
    """4 s of it, as ffmpeg calls the kind."""
    return subprocess.run(
        ["ffmpeg", "-v", "error", "-ss", str(at), "-i", SPEECH, "-t", "4", "-f", kind,
         "-ar", "16000", "-ac", "1", "-"], check=True,
        capture_output=True).stdout


class Child:
    def __init__(self, kind, **environment):
        self.log = tempfile.TemporaryFile(mode="w+")
        self.ours, theirs = socket.socketpair()
        self.ours.settimeout(WAIT_S)
        number = theirs.fileno()
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$0" engine "$1" 3<&{number}', STS_SERVICE,
             kind], pass_fds=[number], stderr=self.log,
            env=dict(os.environ, **environment))
        theirs.close()

    def logged(self):
        self.log.seek(0)
        return self.log.read()

    def send(self, payload=b"", **header):
        text = json.dumps(header).encode()
        self.ours.sendall(b"DUBF" + struct.pack("<II", len(text), len(payload))
                          + text + payload)

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.ours.recv(size - len(data))
            if not more:
                raise EOFError("the child has gone")
            data += more
        return data

    def receive(self):
        mark, header, payload = struct.unpack("<4sII", self.read(12))
        assert mark == b"DUBF"
        return json.loads(self.read(header)), self.read(payload)

    def ask(self, payload=b"", **header):
        self.send(payload, **header)
        return self.receive()

    def end(self):
        """Closes the socket; the exit status of the child."""
        self.ours.close()
        return self.process.wait(WAIT_S)


class Engines(unittest.TestCase):
    def start(self, kind, environment=None, **settings):
        child = Child(kind, **(environment or {}))
        self.addCleanup(child.process.wait)
        self.addCleanup(child.process.kill)
        self.addCleanup(child.ours.close)
        self.addCleanup(child.log.close)
        header, _ = child.ask(op="load", threads=2, **settings)
        if "not built" in header.get("message", ""):
            self.skipTest(header["message"])
        return child, header

    def check_voice(self, child, ready, **request):
        self.assertEqual(ready["op"], "ready", ready)
        header, sound = child.ask(op="speak", id=7, speed=1.0,
                                  text="Hello there, good evening.", **request)
        self.assertEqual((header["op"], header["id"]), ("result", 7), header)
        seconds = len(sound) / 4 / ready["rate_hz"]
        self.assertTrue(0.5 < seconds < 6, seconds)
        loudest = max(map(abs, array.array("f", sound)))
        self.assertTrue(0.02 < loudest <= 1.5, loudest)
        header, _ = child.ask(op="speak", id=8, speed=1.0, text="", **request)
        self.assertEqual((header["op"], header["id"]), ("error", 8), header)
        self.assertEqual(child.end(), 0)

    def test_whisper(self):
        [path] = model("ggml-base.bin")
        child, ready = self.start("whisper", model=path, device="cpu")
        self.assertEqual(ready["op"], "ready", ready)
        sound = some_speech("f32le")
        header, _ = child.ask(sound, op="recognise", id=1, language="es",
                              task="transcribe")
        self.assertEqual((header["op"], header["language"]), ("result", "es"))
        self.assertGreater(len(header["text"].split()), 3, header)
        header, _ = child.ask(sound, op="recognise", id=2, language="auto",
                              task="translate")
        self.assertEqual((header["op"], header["language"]), ("result", "es"))
        header, _ = child.ask(b"abc", op="recognise", id=3, language="es")
        self.assertEqual((header["op"], header["id"]), ("error", 3), header)
        self.assertEqual(child.end(), 0)

    def test_whisper_without_the_gpu_that_was_asked_for(self):
        [path] = model("ggml-base.bin")
        child, ready = self.start("whisper", {"LOG_FORMAT": "text"},
                                  model=path, device="cuda")
        self.assertEqual(ready["op"], "ready", ready)
        if ready["device"] == "gpu":
            self.skipTest("there is a GPU")
        self.assertRegex(child.logged(),
                         r"(?m)^[^{].*warning.*DEVICE=cuda.*on the CPU")
        header, _ = child.ask(some_speech("f32le"), op="recognise", id=1,
                              language="es", task="transcribe")
        self.assertGreater(len(header["text"].split()), 3, header)
        self.assertEqual(child.end(), 0)

    def test_whisper_reads_the_transcript_off_what_it_encoded(self):
        [path] = model("ggml-base.bin")
        child, _ = self.start("whisper", model=path, device="cpu")
        for at in (24, 33, 52):
            with self.subTest(at):
                sound = some_speech("f32le", at)
                ask = {"op": "recognise", "language": "es"}
                fresh, _ = child.ask(sound, id=1, task="transcribe", **ask)
                child.ask(sound, id=2, task="translate", **ask)
                again, _ = child.ask(sound, id=3, task="transcribe",
                                     gives_way=1, **ask)
                self.assertFalse(fresh["is_read_again"])
                self.assertTrue(again["is_read_again"])
                self.assertGreater(len(fresh["text"].split()), 3, fresh)
                self.assertEqual(again["text"], fresh["text"])
                self.assertEqual(again["tokens"], fresh["tokens"])
                self.assertAlmostEqual(again["mean_logprob"],
                                       fresh["mean_logprob"], 2)
                self.assertAlmostEqual(again["no_speech"],
                                       fresh["no_speech"], 2)
        # Of another sound, and when who asks does not give way, it listens.
        other, _ = child.ask(some_speech("f32le"), id=4, task="transcribe",
                             gives_way=1, **ask)
        self.assertFalse(other["is_read_again"])
        same, _ = child.ask(some_speech("f32le"), id=5, task="transcribe",
                            **ask)
        self.assertFalse(same["is_read_again"])
        self.assertEqual(child.end(), 0)

    def test_piper(self):
        folder = "piper-en_US-joe-medium"
        path, tokens = model(f"{folder}/model.onnx", f"{folder}/tokens.txt")
        child, ready = self.start("piper", model=path, tokens=tokens,
                                  espeak_voice="en-us")
        self.check_voice(child, ready)

    def test_kokoro(self):
        folder = "kokoro-v1.0-int8"
        path, voices, tokens = model(
            *(f"{folder}/{name}"
              for name in ("model.onnx", "voices.bin", "tokens.txt")))
        child, ready = self.start("kokoro", model=path, voices=voices,
                                  tokens=tokens)
        header, _ = child.ask(op="speak", id=1, speed=1.0, text="Hello.",
                              voice="nobody")
        self.assertEqual((header["op"], header["id"]), ("error", 1), header)
        self.check_voice(child, ready, voice="af_heart", espeak_voice="en-us")

    def test_espeak(self):
        child, ready = self.start("espeak")
        self.check_voice(child, ready, voice="en-us")

    def test_error_model_is_missing(self):
        for kind in ("whisper", "piper", "kokoro"):
            with self.subTest(kind):
                child, header = self.start(kind, model="/invalid/model",
                                           tokens="/invalid", voices="/invalid")
                self.assertEqual(header["op"], "error", header)
                self.assertIn("/invalid/model", header["message"])
                self.assertEqual(child.process.wait(WAIT_S), os.EX_UNAVAILABLE)

    def test_error_what_is_no_frame_ends_it(self):
        child, _ = self.start("espeak")
        child.ours.sendall(b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(child.process.wait(WAIT_S), 0)

    def test_error_unknown_kind(self):
        done = subprocess.run([STS_SERVICE, "engine", "abacus"], check=False,
                              capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("abacus", done.stderr)


class Commands(unittest.TestCase):
    def test_transcribe(self):
        model("ggml-base.bin")
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            file.write(some_speech("wav"))
            file.flush()
            done = subprocess.run(
                [STS_SERVICE, "transcribe", "--language=es", file.name],
                check=False, capture_output=True, text=True, timeout=WAIT_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(len(done.stdout.split()), 3, done.stdout)

    def test_transcribe_leaves_no_sentence_out(self):
        """108 words with pauses; in stretches of 25 s Whisper heard 86."""
        model("ggml-base.bin")
        done = subprocess.run(
            [STS_SERVICE, "transcribe", "--language=de",
             Path(SPEECH).with_name("lv_de.mp3")],
            check=False, capture_output=True, text=True, timeout=WAIT_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(len(done.stdout.split()), 97, done.stdout)

    def test_error_what_settings_name_stops_the_start(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("languages:\n  en:\n    - { voice: joe }\n")
            file.flush()
            for name, value, message in (
                    ("VOICES_FILE", file.name, f"{file.name}, line 3"),
                    ("VOICES_FILE", "/invalid/v.yaml", "/invalid/v.yaml"),
                    ("GLOSSARY_FILE", "/invalid/terms", "GLOSSARY_FILE"),
                    ("ASR_PROVIDER", "ear", "ASR_PROVIDER"),
                    ("TRANSLATION_PROVIDER", "babel", "babel"),
                    ("TTS_PROVIDER", "parrot", "parrot")):
                with self.subTest(name, value=value):
                    done = subprocess.run(
                        [STS_SERVICE, "--port=0"], check=False,
                        capture_output=True, text=True, timeout=WAIT_S,
                        env=dict(os.environ, **{name: value}))
                    self.assertEqual(done.returncode, os.EX_CONFIG)
                    self.assertIn(message, done.stderr)

    def test_error_transcribe_no_such_file(self):
        done = subprocess.run([STS_SERVICE, "transcribe", "/invalid/a.wav"],
                              check=False, capture_output=True, text=True,
                              timeout=WAIT_S)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/invalid/a.wav", done.stderr)


if __name__ == "__main__":
    STS_SERVICE, SPEECH = sys.argv[1:3]
    if shutil.which("ffmpeg") is None:
        print("SKIP: no ffmpeg")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
