# SPDX-License-Identifier: Apache-2.0
"""P1: what operators see of a stream: metrics, the dashboard's queries, logs.

One stream comes by a hook and goes again, with mock engines. The text of
/metrics is judged by promtool and by the names that dashboards ask for.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field

import pytest

from helpers import clips, metrics_parser as mp, promql, tools
from helpers.processes import Stack, free_port, get, wait_for
from helpers.stream_publisher import publish

pytestmark = [pytest.mark.e2e, pytest.mark.p1]

STREAM = f"ops-{os.getpid()}"
CLIP = clips.Clip("operated", seconds=24.0,
                  sound="speech+background+breath+beeps", speech="lv_es.mp3")
DELAY_MS = 5000

HIDDEN = "streamkey-9f27c1"  # of a destination that is never there
W = "media_service_worker_"
# What dashboards of the earlier design ask for, by kind.
WORKER = [W + name for name in """
    info_info segments_processed_total segments_bytes_total
    sts_fragments_sent_total sts_fragments_processed_total
    sts_processing_latency_seconds_bucket sts_inflight_fragments
    circuit_breaker_state circuit_breaker_failures_total
    circuit_breaker_fallbacks_total av_sync_delta_ms
    av_sync_corrections_total av_buffer_video_size av_buffer_audio_size
    errors_total pipeline_state backpressure_events_total
    vad_silence_detections_total vad_forced_emissions_total
    vad_memory_limit_emissions_total vad_min_duration_violations_total
    vad_accumulator_duration_ns vad_accumulator_bytes
    vad_segment_duration_seconds_bucket vad_segments_total
    vad_accumulator_duration_seconds""".split()]
SPECIFIED = """
    worker_audio_fragments_total worker_fallback_total
    worker_gst_bus_errors_total worker_gst_bus_warnings_total
    worker_inflight_fragments worker_av_sync_delta_ms worker_video_queue_ms
    worker_audio_queue_ms worker_sts_breaker_state worker_sts_rtt_ms_bucket
    worker_chunk_end_to_end_latency_ms_bucket
    worker_backpressure_events_total worker_reconnection_total
    worker_fragment_timeouts worker_segments_dropped worker_video_segments
    worker_sts_connected worker_circuit_breaker_failures
    worker_circuit_breaker_fallback worker_circuit_breaker_transitions
    worker_sts_fragments_sent worker_sts_fragments_processed
    worker_av_sync_corrections worker_av_buffer_video_size
    worker_av_buffer_audio_size worker_av_sync_delta_ms_bucket
    worker_info_info vad_segments_total vad_accumulator_duration_seconds
    """.split()
SERVICE = """
    media_worker_streams media_service_stream_state
    media_service_stream_degraded media_service_worker_starts_total
    media_service_hook_events_total process_cpu_seconds_total
    process_resident_memory_bytes process_start_time_seconds
    process_open_fds""".split()
STS = """
    sts_fragment_processing_seconds_bucket sts_fragments_in_flight
    sts_sessions_active sts_gpu_utilization_percent
    sts_gpu_memory_used_bytes ws_connections_total
    ws_fragments_processed_total ws_active_connections ws_active_streams
    ws_queue_depth ws_gpu_utilization_percent ws_batch_size
    sts_asr_duration_seconds_bucket sts_translation_duration_seconds_bucket
    sts_tts_duration_seconds_bucket ws_fragment_processing_ms_bucket
    ws_queue_wait_time_ms_bucket sts_fragment_wait_seconds_bucket
    process_cpu_seconds_total
    process_resident_memory_bytes""".split()

# What rules and dashboard ask for and this run does not have: others' metrics,
# engines of their own process, failures, destinations.
ELSEWHERE = re.compile(
    r"up|paths_bytes_(received|sent)|sts_engine_(ready|restarts_total)"
    r"|sts_queue_seconds_bucket|sts_fragment_errors_total"
    r"|egress_forwarder_retry_total")
DEPLOY = tools.ROOT / "deploy"

# Names of the earlier design whose unit promtool does not like; each has a
# name in base units beside it, which is in the list above.
OLD_UNITS = re.compile(
    r"^(worker_av_sync_delta_ms(_bucket)?|worker_(video|audio)_queue_ms"
    r"|worker_sts_rtt_ms|worker_chunk_end_to_end_latency_ms"
    r"|media_service_worker_(av_sync_delta|video_queue|audio_queue"
    r"|output_delay|output_waiting)_ms"
    r"|media_service_worker_vad_accumulator_duration_ns"
    r"|egress_forwarder_connect_latency_ms"
    r"|ws_fragment_processing_ms|ws_queue_wait_time_ms) ")


@dataclass
class Operated:
    """What was seen of one stream's life."""

    media: str = ""
    sts: str = ""
    gone_s: dict = field(default_factory=dict)
    logs: dict = field(default_factory=dict)


def metrics(process) -> str:
    return get(process.url + "/metrics")[1]


def wait_dubbed(process) -> str:
    """The text once dubs were heard and a picture left."""
    def check():
        text = metrics(process)
        samples = mp.parse(text)
        return mp.value(samples, W + "dubs_heard_total",
                        stream_id=STREAM) >= 2 and text
    return wait_for(check, 60, "two dubs heard", 0.5)


def add_destination(process) -> None:
    """One that is never there, while the stream runs."""
    body = {"destinations": [{"name": "dead",
                              "url": f"rtmp://127.0.0.1:1/app/{HIDDEN}"}]}
    request = urllib.request.Request(
        f"{process.url}/v1/streams/{STREAM}", json.dumps(body).encode(),
        {"Content-Type": "application/json"}, method="PATCH")
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
        assert HIDDEN not in answer.read().decode()


def wait_gone(process, since: float) -> float:
    wait_for(lambda: STREAM not in metrics(process), 90,
             f"no series of {STREAM} at {process.name}", 0.5)
    return time.monotonic() - since


def operate(stack: Stack) -> Operated:
    port = free_port()
    stack.mediamtx(hook=tools.need("mtx-hook"),
                   orchestrator_url=f"http://127.0.0.1:{port}")
    sts = stack.sts(ASR_PROVIDER="mock", TRANSLATION_PROVIDER="mock",
                    TTS_PROVIDER="mock")
    service = stack.media_service(
        sts.url, port, OUTPUT_DELAY_MS=str(DELAY_MS), ORCH_GRACE_PERIOD="1s",
        MEDIAMTX_API_URL=f"http://127.0.0.1:{stack.api_port}")
    publisher = publish(stack, clips.make(CLIP),
                        stack.rtmp_url(f"live/{STREAM}/in"))
    seen = Operated()
    wait_dubbed(service)
    add_destination(service)
    seen.media = wait_for(
        lambda: "egress_forwarder_up{" in (text := metrics(service)) and text,
        20, "series of the destination", 0.5)
    seen.sts = metrics(sts)
    publisher.stop()
    left = time.monotonic()
    for process in (service, sts):
        seen.gone_s[process.name] = wait_gone(process, left)
    stack.close()
    seen.logs = {p.stem: p.read_text("utf-8", "replace")
                 for p in stack.folder.glob("*.log")}
    return seen


@pytest.fixture(scope="module", name="seen")
def _seen() -> Operated:
    shutil.rmtree(tools.ARTIFACTS / "operations", ignore_errors=True)
    with Stack("operations") as stack:
        return operate(stack)


def check_with_promtool(text: str) -> list[str]:
    """What `promtool check metrics` finds, without the old units."""
    promtool = tools.find("promtool")
    if promtool is None:
        pytest.skip("promtool is not there: make setup")
    done = subprocess.run([promtool, "check", "metrics"], input=text,
                          capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode in (0, 3), done.stderr
    return [line for line in (done.stdout + done.stderr).splitlines()
            if not OLD_UNITS.match(line)]


@pytest.mark.parametrize("name", WORKER + SPECIFIED + SERVICE)
def test_media_service_has(seen, name):
    samples = mp.parse(seen.media)
    assert mp.has(samples, name), sorted({s.name for s in samples})


@pytest.mark.parametrize("name", STS)
def test_sts_service_has(seen, name):
    samples = mp.parse(seen.sts)
    assert mp.has(samples, name), sorted({s.name for s in samples})


def test_aliases_say_the_same(seen):
    samples = mp.parse(seen.media)
    assert mp.value(samples, "worker_sts_fragments_sent") \
        == mp.value(samples, W + "sts_fragments_sent_total") > 0
    delay_ms = mp.value(samples, W + "output_delay_ms")
    assert delay_ms == pytest.approx(DELAY_MS, abs=100)
    assert mp.value(samples, W + "output_delay_seconds") \
        == pytest.approx(delay_ms / 1000)
    assert mp.value(samples, "worker_sts_rtt_ms_count") \
        == mp.value(samples, W + "sts_rtt_seconds_count") > 0


def test_figures_are_those_of_a_stream_that_runs(seen):
    samples = mp.parse(seen.media)
    assert mp.value(samples, W + "av_sync_delta_ms") < 10
    assert mp.value(samples, "worker_video_segments") >= 2
    assert mp.value(samples, W + "segments_bytes_total", type="video") > 1e5
    assert mp.value(samples, W + "pipeline_state", pipeline="output") == 1
    assert mp.value(samples, W + "chunk_end_to_end_latency_seconds_sum") \
        / mp.value(samples, W + "chunk_end_to_end_latency_seconds_count") \
        == pytest.approx(DELAY_MS / 1000, abs=0.5)


def test_promtool_finds_nothing(seen):
    assert check_with_promtool(seen.media) == []
    assert check_with_promtool(seen.sts) == []


def test_promtool_is_listened_to():
    bad = "# TYPE worker_bad_ms counter\nworker_bad_ms 1\n"
    assert check_with_promtool(bad) != []


def test_series_of_an_ended_stream_are_gone_within_60_s(seen):
    print(seen.gone_s)
    assert len(seen.gone_s) == 2
    assert max(seen.gone_s.values()) <= 60


def families(text: str) -> dict[str, tuple[str, str]]:
    """name → (kind, help), as the text says it."""
    helps = dict(re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE))
    return {name: (kind, helps.get(name, "")) for name, kind
            in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)}


def test_each_family_is_documented(seen):
    """A row of docs/metrics.md with its kind."""
    page = (tools.ROOT / "docs" / "metrics.md").read_text()
    rows = dict(re.findall(r"^\| `(\S+)` \| (\w+) \|", page, re.MULTILINE))
    told = {**families(seen.media), **families(seen.sts)}
    assert {n: k for n, (k, _) in told.items() if rows.get(n) != k} == {}


@pytest.mark.parametrize("where, expressions", [
    ("dashboard", promql.of_dashboard(DEPLOY / "grafana" / "live-dubbing.json")),
    ("alerts", promql.of_rules(DEPLOY / "prometheus" / "alerts.yml"))])
def test_queries_ask_for_what_is_there(seen, where, expressions):
    """Every name of every panel and rule is in the text of a real stream."""
    told = {s.name for s in mp.parse(seen.media) + mp.parse(seen.sts)}
    assert len(expressions) >= 15, where
    missing = {title: lost for title, expr in expressions.items()
               if (lost := {n for n in promql.names(expr) - told
                            if not ELSEWHERE.fullmatch(n)})}
    assert missing == {}


def test_what_is_elsewhere_is_documented():
    """Names that this run cannot have are checked against docs/metrics.md."""
    page = (DEPLOY.parent / "docs" / "metrics.md").read_text()
    ours = {n for path in (promql.of_dashboard(
                DEPLOY / "grafana" / "live-dubbing.json"),
                promql.of_rules(DEPLOY / "prometheus" / "alerts.yml"))
            for expr in path.values() for n in promql.names(expr)
            if n.startswith(("sts_", "egress_"))}
    assert {n for n in ours
            if f"`{n.removesuffix('_bucket').removesuffix('_count')}`"
            not in page} == set()


# sts-service tells a person where it listens, on standard output.
GREETING = re.compile(r"listening on http://\S+")
HEARD = "This is what the mock"


def lines_of(seen, component: str) -> list[dict]:
    found = []
    for name, text in seen.logs.items():
        if "media-service" in name or "sts" in name:
            found += [json.loads(line) for line in text.splitlines()
                      if not GREETING.fullmatch(line)]
    return [o for o in found if component in ("", o["component"])]


def test_each_line_of_log_is_an_object(seen):
    """JSON, with when, how bad, of what, by whom."""
    lines = lines_of(seen, "")
    assert {o["component"] for o in lines} \
        == {"media-service", "media-worker", "sts-service"}
    for o in lines:
        missing = {"ts", "level", "topic", "component", "instance_id",
                   "message"} - set(o)
        assert not missing, (missing, o)


def test_lines_say_whose_they_are(seen):
    for o in lines_of(seen, "media-worker"):
        assert o["stream_id"] == STREAM and o["run_id"], o
    for o in lines_of(seen, "media-service"):
        if o["topic"] == "media.orchestrator":
            assert o["stream_id"] == STREAM, o
    fragments = [o for o in lines_of(seen, "") if o.get("fragment_id")]
    assert {o["component"] for o in fragments} \
        >= {"media-worker", "sts-service"}
    for o in fragments:
        assert o["stream_id"] == STREAM, o


def test_no_line_per_frame(seen):
    """At debug a few lines a fragment; above it a few of the whole run."""
    lines = [o for o in lines_of(seen, "media-worker")
             if o["topic"] != "media.main"]
    frames = mp.value(mp.parse(seen.media), W + "video_frames_out_total")
    fragments = len({o["fragment_id"] for o in lines if "fragment_id" in o})
    assert frames >= 50 and fragments >= 2
    assert len([o for o in lines if o["level"] == "debug"]) \
        <= 12 * fragments + 20
    assert len([o for o in lines if o["level"] != "debug"]) <= 40


def test_texts_are_told_at_debug_only(seen):
    told = [o["level"] for o in lines_of(seen, "") if HEARD in o["message"]]
    assert told and set(told) == {"debug"}


def test_no_key_of_a_destination_is_told(seen):
    assert "egress_forwarder_up{" in seen.media
    for text in [*seen.logs.values(), seen.media, seen.sts]:
        assert HIDDEN not in text
