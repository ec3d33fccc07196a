# SPDX-License-Identifier: Apache-2.0
"""The demo's parts: what it tells, what it sends, that nothing is left."""

import io
import json
import os
import signal
import socket
import sys
import time

import pytest
from conftest import load_script
from demolib import programs, source
from demolib.events import Events, Story

demo = load_script("demo")


def test_a_dub_is_told_as_heard_and_said_with_its_times():
    out = io.StringIO()
    story = Story(out)
    fields = {
        "fragment_id": "f",
        "media_s": "75.250",
        "duration_s": "2.500",
        "lag_ms": "120",
        "transcript": " Hola ",
        "translated_text": "Hello",
    }
    story.take("dub_started", fields, 10.0)
    story.take("dub_heard", fields, 12.5)
    assert out.getvalue() == (
        "[01:15.2] heard  Hola\n[01:15.2] said   Hello  (2.5 s, 120 ms late)\n"
    )
    assert story.said_between(10, 13) == ["Hello"]


@pytest.mark.parametrize("start,end", [(10.5, 13), (9, 12)])
def test_a_dub_that_was_not_recorded_whole_does_not_count(start, end):
    story = Story(io.StringIO())
    story.take("dub_started", {"fragment_id": "f"}, 10.0)
    story.take("dub_heard", {"fragment_id": "f", "translated_text": "x"}, 12.5)
    assert story.said_between(start, end) == []


def test_a_kept_original_is_told_with_its_reason():
    out = io.StringIO()
    story = Story(out)
    story.take("fallback", {"media_s": "1", "detail": "timeout"}, 0)
    story.take("dub_dropped", {"media_s": "2"}, 0)
    unsure = {"error_code": "NO_SPEECH"}
    unsure["error_message"] = "no speech to dub: low_confidence"
    story.take("fallback", {"media_s": "3", "detail": "failed", **unsure}, 0)
    story.take("fallback", {"media_s": "4", "error_code": "TIMEOUT"}, 0)
    assert story.kept == 4
    for reason in ("timeout", "no answer", "low confidence", "TIMEOUT"):
        assert f"({reason})" in out.getvalue()


@pytest.mark.parametrize(
    "video,audio,wanted",
    [
        ("h264", "aac", ["-c:v", "copy", "-c:a", "copy"]),
        ("h264", "mp3", ["-c:v", "copy", "-c:a", "aac"]),
        ("vp9", "opus", ["-c:v", "libx264", "-c:a", "aac"]),
    ],
)
def test_only_what_rtmp_cannot_carry_is_coded(video, audio, wanted):
    streams = [
        {"codec_type": "video", "codec_name": video},
        {"codec_type": "audio", "codec_name": audio},
        {"codec_type": "audio", "codec_name": "ac3"},
    ]
    options = source.coding(streams)
    found = [
        word
        for option, value in zip(options, options[1:])
        if option in ("-c:v", "-c:a")
        for word in (option, value)
    ]
    assert found == wanted


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_a_file_without_a_track_is_refused(kind):
    with pytest.raises(programs.DemoError, match="no "):
        source.coding([{"codec_type": kind, "codec_name": "h264"}])


@pytest.mark.parametrize("value", ["2", "31", "soon", "nan"])
def test_a_delay_out_of_range_is_named(value):
    with pytest.raises(programs.DemoError, match=f"DELAY={value}: must be 3"):
        demo.number({"DELAY": value}, "DELAY", 8, 3, 30)


def test_the_language_is_found_for_a_file_of_ones_own(tmp_path):
    path = tmp_path / "my.mp4"
    path.write_bytes(b"")
    settings = demo.Settings({"FILE": str(path)})
    assert (settings.source, settings.target) == ("auto", "en")
    assert demo.Settings({}).source == "es"
    with pytest.raises(programs.DemoError, match="no such file"):
        demo.Settings({"FILE": str(tmp_path / "none.mp4")})


def test_the_clip_is_of_another_language_than_the_dub():
    for target, source in (("en", "es"), ("en-GB", "es"), ("es", "en")):
        settings = demo.Settings({"TO": target})
        assert settings.source == source
        assert settings.file.name == f"demo_{source}.mp4"
        assert settings.is_clip


def test_a_taken_port_gives_another():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        other = programs.take_port(port)
        assert other != port and programs.is_free(other)


def test_a_program_that_does_not_end_is_ended_with_its_children(tmp_path):
    stack = programs.Programs(tmp_path)
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    stack.start("stubborn", [sys.executable, "-c", code])
    log = tmp_path / "stubborn.log"
    stack.wait_for("its child", lambda: log.read_text().strip(), 20)
    child = int(log.read_text())
    stack.stop("stubborn", 0.2)
    assert stack.running == []
    until = time.monotonic() + 5
    while os.path.exists(f"/proc/{child}") and time.monotonic() < until:
        with open(f"/proc/{child}/stat", encoding="utf-8") as stat:
            if stat.read().rpartition(")")[2].split()[0] == "Z":
                return
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{child}")


def test_a_program_that_ended_by_itself_is_told_with_its_log(tmp_path):
    stack = programs.Programs(tmp_path)
    code = "import sys; sys.exit('no model')"
    process = stack.start("broken", [sys.executable, "-c", code])
    process.wait(20)
    with pytest.raises(programs.DemoError, match="(?s)broken ended.*no model"):
        stack.check()
    stack.stop_all()


def test_events_come_from_the_socket_and_again_from_the_next_worker(tmp_path):
    path = str(tmp_path / "s.sock")
    got = []
    events = Events(path, lambda name, fields, when: got.append((name, fields)))
    try:
        for n in range(2):
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(path)
                server.listen(1)
                server.settimeout(10)
                worker, _ = server.accept()
                line = {"type": "event", "event": "e", "fields": {"n": n}}
                text = '{"type":"hello"}\nnot json\n' + json.dumps(line) + "\n"
                worker.sendall(text.encode())
                worker.close()
            os.unlink(path)
            until = time.monotonic() + 10
            while len(got) <= n and time.monotonic() < until:
                time.sleep(0.02)
    finally:
        events.close()
    assert got == [("e", {"n": 0}), ("e", {"n": 1})]
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
