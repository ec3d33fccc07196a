#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_echo_public_client.py STS_SERVICE

The real `sts-service echo`, spoken to by the public Python client of Socket.IO:
each transport and path, each dialect of the peers that exist, the codes of the
echo mode, its test events, order, limits, the key.

Every wait is for a state. Without the client (`make setup` installs it) the
test is skipped.
"""

import base64
import glob
import http.client
import json
import os
import queue
import site
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *[".."] * 4))
for folder in glob.glob(os.path.join(ROOT, ".venv/lib/python3*/site-packages")):
    site.addsitedir(folder)
try:
    import socketio
except ImportError:
    print("SKIP: python-socketio is not installed")
    sys.exit(77)

STS_SERVICE = ""
WAIT_S = 20
SOUND = bytes(range(256)) * 40


def clean_env(**more):
    """Nothing of the caller's settings; what sanitizers need."""
    kept = {k: v for k, v in os.environ.items()
            if k in ("PATH", "ASAN_OPTIONS", "LSAN_OPTIONS", "G_SLICE")}
    return {**kept, "HOME": "/invalid", **more}


class Service:
    """One sts-service echo on a free port."""

    def __init__(self, **env):
        self.process = subprocess.Popen(
            [STS_SERVICE, "echo", "--port=0"],
            env=clean_env(**env),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise RuntimeError(f"no service: {line!r}")
        self.url = line.split()[-1].replace("0.0.0.0", "127.0.0.1")

    def stop(self):
        self.process.terminate()
        self.process.stdout.close()
        return self.process.wait(WAIT_S)

    def get(self, path, key=""):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        request = urllib.request.Request(self.url + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=WAIT_S) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


class Client:
    """A public client that keeps what it hears, in order."""

    EVENTS = ("stream:ready", "stream:complete", "fragment:ack",
              "fragment:processed", "backpressure", "error",
              "config:error_simulation:ack", "simulate:disconnect:ack")

    def __init__(self, service, transports=("websocket",), path="socket.io",
                 key=""):
        self.heard = queue.Queue()
        self.sio = socketio.Client(reconnection=False)
        for name in self.EVENTS:
            self.sio.on(name, self._keeper(name))
        self.sio.on("disconnect", lambda *_: self.heard.put(("gone", None)))
        self.sio.connect(
            service.url, transports=list(transports), socketio_path=path,
            wait_timeout=WAIT_S,
            headers={"Authorization": f"Bearer {key}"} if key else {})

    def _keeper(self, name):
        return lambda payload=None: self.heard.put((name, payload))

    def say(self, name, payload):
        self.sio.emit(name, payload)

    def hear(self, name):
        """The next event, which must be this one."""
        event, payload = self.heard.get(timeout=WAIT_S)
        if event != name:
            raise AssertionError(f"{event} {payload} instead of {name}")
        return payload

    def hear_later(self, name):
        """The next event of that name; others are passed over."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            event, payload = self.heard.get(timeout=WAIT_S)
            if event == name:
                return payload
        raise AssertionError(f"no {name}")

    def init(self, **more):
        self.say("stream:init", {"stream_id": "s1", "worker_id": "w1",
                                 "config": {}, **more})
        return self.hear("stream:ready")

    def send(self, number, name=None, **audio):
        self.say("fragment:data", {
            "fragment_id": name or f"f{number}", "stream_id": "s1",
            "sequence_number": number, "timestamp": 1767225600000,
            "audio": {"format": "m4a", "sample_rate_hz": 48000, "channels": 1,
                      "duration_ms": 100,
                      "data_base64": base64.b64encode(SOUND).decode(),
                      **audio}})

    def close(self):
        self.sio.disconnect()


def no_null(value):
    if isinstance(value, dict):
        return all(no_null(v) for v in value.values())
    if isinstance(value, list):
        return all(no_null(v) for v in value)
    return value is not None


class EchoTest(unittest.TestCase):
    env = {}

    @classmethod
    def setUpClass(cls):
        cls.service = Service(**cls.env)

    @classmethod
    def tearDownClass(cls):
        assert cls.service.stop() == 0

    def client(self, *args, **kwargs):
        client = Client(self.service, *args, **kwargs)
        self.addCleanup(client.close)
        return client


class Basics(EchoTest):
    def test_every_transport_and_path(self):
        for transports in (("websocket",), ("polling",),
                           ("polling", "websocket")):
            for path in ("socket.io", "ws/sts"):
                with self.subTest(transports=transports, path=path):
                    client = self.client(transports, path)
                    ready = client.init(max_inflight=5)
                    self.assertEqual(ready["stream_id"], "s1")
                    self.assertEqual(ready["max_inflight"], 5)
                    client.send(0)
                    ack = client.hear("fragment:ack")
                    self.assertEqual(ack["fragment_id"], "f0")
                    self.assertEqual(ack["queue_position"], 0)
                    self.assertIsInstance(ack["timestamp"], int)
                    done = client.hear("fragment:processed")
                    self.assertEqual(
                        base64.b64decode(done["dubbed_audio"]["data_base64"]),
                        SOUND)

    def test_ready_has_what_each_known_peer_looks_for(self):
        ready = self.client().init()
        for name in ("asr", "translation", "tts", "duration_matching"):
            self.assertIn(name, ready["capabilities"])
        self.assertIs(ready["capabilities"]["async_delivery"], True)
        self.assertIs(ready["capabilities"]["batch_processing"], False)
        self.assertIs(ready["capabilities"]["pcm_s16le_binary"], True)

    def test_processed_is_that_of_the_echo_mode(self):
        client = self.client()
        client.init()
        client.send(0)
        client.hear("fragment:ack")
        done = client.hear("fragment:processed")
        self.assertTrue(no_null(done), done)
        self.assertEqual(done["status"], "success")
        self.assertEqual(done["transcript"], "[ECHO] Original audio (seq=0)")
        self.assertEqual(done["translated_text"],
                         "[ECHO] Audio original (seq=0)")
        self.assertEqual(done["dubbed_audio"]["duration_ms"], 100)
        self.assertEqual(done["metadata"]["asr_model"], "echo-mock")
        self.assertEqual(set(done["stage_timings"]),
                         {"asr_ms", "translation_ms", "tts_ms"})

    def test_binary_goes_back_binary(self):
        client = self.client()
        client.init()
        client.send(0, format="pcm_s16le", data_base64=SOUND)
        client.hear("fragment:ack")
        done = client.hear("fragment:processed")
        self.assertEqual(done["dubbed_audio"]["data_base64"], SOUND)
        self.assertEqual(done["dubbed_audio"]["format"], "pcm_s16le")

    def test_flat_dialect(self):
        client = self.client()
        client.say("stream:init", {
            "source_language": "en", "target_language": "es",
            "sample_rate": 16000, "channels": 1, "format": "pcm_f32le"})
        session = client.hear("stream:ready")["session_id"]
        text = base64.b64encode(SOUND).decode()
        client.say("fragment:data", {
            "fragment_id": "f0", "stream_id": session, "sequence_number": 0,
            "timestamp": 0, "audio": text, "sample_rate": 16000,
            "channels": 1, "format": "pcm_f32le", "duration_ms": 6000})
        client.hear("fragment:ack")
        self.assertEqual(client.hear("fragment:processed")["dubbed_audio"],
                         text)

    def test_results_in_order(self):
        client = self.client()
        client.init()
        client.send(1)
        client.send(0)
        numbers = [client.hear_later("fragment:processed")["sequence_number"]
                   for _ in range(2)]
        self.assertEqual(numbers, [0, 1])

    def test_end(self):
        client = self.client()
        client.init()
        for number in range(3):
            client.send(number)
        client.say("stream:end", {"stream_id": "s1", "reason": "test"})
        complete = client.hear_later("stream:complete")
        self.assertEqual(complete["total_fragments"], 3)
        self.assertEqual(complete["statistics"]["success_count"], 3)
        self.assertEqual(complete["success_count"], 3)
        self.assertEqual(complete["total_audio_duration_ms"], 300)

    def test_bad_input_is_always_answered(self):
        client = self.client()
        client.send(0)
        self.assertEqual(client.hear("error")["code"], "STREAM_NOT_FOUND")
        client.say("stream:init", [])
        self.assertEqual(client.hear("error")["code"], "INVALID_CONFIG")
        client.say("stream:init", {"stream_id": 5})
        error = client.hear("error")
        self.assertEqual(error["code"], "INVALID_CONFIG")
        self.assertIn("stream_id", error["message"])
        self.assertEqual(error["severity"], "error")
        self.assertIs(error["retryable"], False)
        client.init()
        client.say("fragment:data", {"fragment_id": "bad"})
        error = client.hear("error")
        self.assertEqual(error["code"], "INVALID_CONFIG")
        self.assertEqual(error["fragment_id"], "bad")
        client.send(0, data_base64="A" * 13981018)
        self.assertEqual(client.hear("error")["code"], "FRAGMENT_TOO_LARGE")
        # The number of the refused one leaves no gap.
        client.send(1)
        client.hear("fragment:ack")
        self.assertEqual(client.hear("fragment:processed")["fragment_id"],
                         "f1")

    def test_two_clients_do_not_meet(self):
        one, two = self.client(), self.client()
        one.init()
        two.init()
        one.send(0, name="one")
        two.send(0, name="two")
        self.assertEqual(one.hear("fragment:ack")["fragment_id"], "one")
        self.assertEqual(two.hear("fragment:ack")["fragment_id"], "two")

    def test_an_ack_that_is_asked_for_is_given(self):
        client = self.client()
        answered = queue.Queue()
        client.sio.emit("stream:pause", {}, callback=lambda *a: answered.put(a))
        self.assertEqual(answered.get(timeout=WAIT_S), ())

    def test_http(self):
        status, body = self.service.get("/health")
        self.assertEqual(status, 200)
        self.assertEqual(json.loads(body)["status"], "healthy")
        self.assertEqual(json.loads(body)["service"], "echo-sts")
        self.assertEqual(self.service.get("/health/ready")[0], 200)
        self.assertEqual(self.service.get("/health/moon")[0], 404)
        self.assertEqual(self.service.get("/moon")[0], 404)

    def test_a_connection_that_will_close_says_so(self):
        host = self.service.url.split("//")[1]
        for path in ("/health", "/socket.io/?EIO=4&transport=polling",
                     "/metrics"):
            http_client = http.client.HTTPConnection(host, timeout=WAIT_S)
            http_client.request("GET", path)
            with http_client.getresponse() as reply:
                self.assertEqual(reply.status, 200)
                self.assertEqual(reply.getheader("Connection"), "close")
                self.assertTrue(reply.read())

    def test_metrics_follow_the_streams(self):
        client = self.client()
        client.say("stream:init", {"stream_id": "metered", "worker_id": "w",
                                   "config": {}})
        client.hear("stream:ready")
        client.send(0)
        client.hear_later("fragment:processed")
        text = self.service.get("/metrics")[1]
        self.assertIn('sts_fragment_processing_seconds_count'
                      '{status="success",stream_id="metered"} 1', text)
        client.close()
        end = time.monotonic() + WAIT_S
        while "metered" in self.service.get("/metrics")[1]:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)


class Simulation(EchoTest):
    def test_errors_by_rule(self):
        client = self.client()
        client.say("config:error_simulation", {"enabled": True})
        self.assertEqual(client.hear("error")["code"], "STREAM_NOT_FOUND")
        client.init()
        client.say("config:error_simulation", {"enabled": True, "rules": [
            {"trigger": "sequence_number", "value": 1, "error_code": "TIMEOUT",
             "stage": "asr"}]})
        ack = client.hear("config:error_simulation:ack")
        self.assertEqual((ack["status"], ack["rules_count"]), ("accepted", 1))
        for number in range(2):
            client.send(number)
        self.assertEqual(
            client.hear_later("fragment:processed")["status"], "success")
        failed = client.hear_later("fragment:processed")
        self.assertEqual(failed["status"], "failed")
        self.assertEqual(failed["error"]["code"], "TIMEOUT")
        self.assertEqual(failed["error"]["stage"], "asr")
        self.assertIs(failed["error"]["retryable"], True)
        self.assertNotIn("dubbed_audio", failed)
        client.say("config:error_simulation", {"rules": 5})
        self.assertEqual(
            client.hear("config:error_simulation:ack")["status"], "rejected")

    def test_errors_of_another_stream(self):
        """By name, for sessions that are there and that come; twice."""
        asking, client = self.client(), self.client()
        client.init(stream_id="named")
        rules = [{"trigger": "nth_fragment", "value": 1, "count": 2,
                  "error_code": "TIMEOUT"}]
        for name, expected in (("other", ["success"]),
                               ("named", ["failed", "failed", "success"]),
                               ("*", ["failed", "failed", "success"])):
            asking.say("config:error_simulation", {
                "stream_id": name, "enabled": True, "rules": rules})
            self.assertEqual(asking.hear("config:error_simulation:ack")
                             ["status"], "accepted")
            if name == "*":
                asking.say("config:error_simulation", {
                    "stream_id": "named", "enabled": False})
                client = self.client()
                client.init(stream_id="late")
            for number, status in enumerate(expected):
                client.send(number if name == "*" else self.next_number())
                self.assertEqual(client.hear_later("fragment:processed")
                                 ["status"], status)

    def next_number(self):
        self.number = getattr(self, "number", -1) + 1
        return self.number

    def test_disconnect_of_another_stream(self):
        asking, named, other = (self.client() for _ in range(3))
        named.init(stream_id="named")
        other.init(stream_id="other")
        asking.say("simulate:disconnect", {"stream_id": "named"})
        self.assertEqual(
            asking.hear("simulate:disconnect:ack")["status"], "scheduled")
        named.hear("gone")
        other.send(0)
        other.hear_later("fragment:processed")
        asking.say("simulate:disconnect", {"stream_id": "*"})
        other.hear("gone")

    def test_disconnect(self):
        client = self.client()
        client.say("simulate:disconnect", {"delay_ms": 50})
        ack = client.hear("simulate:disconnect:ack")
        self.assertEqual(ack["status"], "scheduled")
        self.assertIsInstance(ack["disconnect_at_ms"], int)
        client.hear("gone")


class Slow(EchoTest):
    env = {"ECHO_PROCESSING_DELAY_MS": "400", "BACKPRESSURE_ENABLED": "true",
           "AUTO_DISCONNECT_DELAY": "1"}

    def test_ack_before_the_work_and_drain_at_the_end(self):
        client = self.client()
        client.init()
        client.send(0)
        client.hear("fragment:ack")
        client.say("stream:end", {})
        client.hear("fragment:processed")
        client.hear("stream:complete")
        client.hear("gone")

    def test_backpressure_ends_with_none(self):
        client = self.client()
        client.init()
        for number in range(3):
            client.send(number)
        # Up by 2 and 3 in flight, down by 2 and 1: low, high, low, none.
        seen = [client.hear_later("backpressure") for _ in range(4)]
        self.assertEqual([(e["severity"], e["action"]) for e in seen],
                         [("low", "none"), ("high", "pause"), ("low", "none"),
                          ("low", "none")])
        self.assertEqual(seen[1]["recommended_delay_ms"], 1000)
        self.assertTrue(all(no_null(e) for e in seen))

    def test_the_eleventh_is_refused(self):
        client = self.client()
        client.init(max_inflight=10)
        for number in range(11):
            client.send(number)
        error = client.hear_later("error")
        self.assertEqual(error["code"], "BACKPRESSURE_EXCEEDED")
        self.assertEqual(error["fragment_id"], "f10")
        self.assertIs(error["retryable"], True)


class Key(EchoTest):
    env = {"STS_API_KEY": "sesame"}  # pragma: allowlist secret

    def test_key(self):
        for key in ("", "wrong", "sesam", "sesamesesame"):
            with self.subTest(key=key):
                with self.assertRaises(socketio.exceptions.ConnectionError):
                    Client(self.service, key=key)
        self.client(key="sesame").init()
        self.assertEqual(self.service.get("/metrics")[0], 401)
        self.assertEqual(self.service.get("/metrics", "sesame")[0], 200)
        self.assertEqual(self.service.get("/health")[0], 200)


class Limits(unittest.TestCase):
    """Each address may ask for so much, each connection say so much."""

    def start(self, **env):
        service = Service(**env)
        self.addCleanup(service.stop)
        return service

    def flood(self, service, path, most=40):
        for _ in range(most):
            try:
                with urllib.request.urlopen(service.url + path,
                                            timeout=WAIT_S) as reply:
                    reply.read()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, dict(error.headers), error.read()
        raise AssertionError(f"{most} of {path} were answered")

    def test_requests(self):
        for path in ("/health", "/metrics",
                     "/socket.io/?EIO=4&transport=polling"):
            with self.subTest(path=path):
                service = self.start(STS_RATE_LIMIT="1")
                status, headers, body = self.flood(service, path)
                self.assertEqual(status, 429)
                self.assertEqual(headers["Retry-After"], "1")
                problem = json.loads(body)
                self.assertEqual(problem["code"], "RATE_LIMIT")
                self.assertIs(problem["retryable"], True)
                time.sleep(1.2)
                self.assertEqual(service.get("/health")[0], 200)

    def test_what_is_wrong_counts_too(self):
        for path in ("/nothing", "/api/v1/sts/process",
                     "/socket.io/?EIO=4&transport=polling&sid=none"):
            with self.subTest(path=path):
                service = self.start(STS_RATE_LIMIT="1")
                seen = {service.get(path)[0] for _ in range(10)}
                self.assertIn(429, seen)

    def test_a_proxy_says_who_asks(self):
        """One flood behind it is not another's; nobody else is believed."""
        def ask(service, forwarded):
            try:
                with urllib.request.urlopen(urllib.request.Request(
                        service.url + "/health",
                        headers={"X-Forwarded-For": forwarded}),
                        timeout=WAIT_S) as reply:
                    return reply.status
            except urllib.error.HTTPError as error:
                with error:
                    return error.code

        for proxies, other in (("127.0.0.0/8", 200), ("10.0.0.1", 429)):
            with self.subTest(proxies=proxies):
                service = self.start(STS_RATE_LIMIT="1",
                                     TRUSTED_PROXIES=proxies)
                seen = {ask(service, "9.9.9.9, 192.0.2.1") for _ in range(10)}
                self.assertIn(429, seen)
                self.assertEqual(ask(service, "192.0.2.1, 192.0.2.2"), other)

    def test_a_session_by_polling_goes_on(self):
        """Its own polls are many; they are not those of a stranger."""
        service = self.start(STS_RATE_LIMIT="2")
        client = Client(service, transports=("polling",))
        self.addCleanup(client.sio.disconnect)
        client.init()
        for number in range(12):
            client.send(number)
            client.hear_later("fragment:processed")

    def test_who_is_told_and_does_not_listen_is_cut(self):
        service = self.start(STS_EVENT_LIMIT="2")
        client = Client(service)
        client.init()
        for number in range(30):
            client.send(number)
        said = []
        while not said or said[-1][0] != "gone":
            said.append(client.heard.get(timeout=WAIT_S))
        errors = [what for name, what in said if name == "error"]
        self.assertEqual({e["code"] for e in errors}, {"RATE_LIMIT"})
        self.assertEqual(len(errors), 8)
        # Of the eight events that were allowed one was the init; who is cut
        # does not hear of all that was under way.
        self.assertLessEqual(
            sum(name == "fragment:processed" for name, _ in said), 7)
        other = Client(service)
        self.addCleanup(other.sio.disconnect)
        other.init()


class Start(unittest.TestCase):
    def run_with(self, *args, **env):
        return subprocess.run(
            [STS_SERVICE, "echo", *args], env=clean_env(**env), timeout=WAIT_S,
            capture_output=True, text=True, check=False)

    def test_an_open_address_needs_a_key(self):
        done = self.run_with(HOST="0.0.0.0", PORT="0")
        self.assertEqual(done.returncode, 78)
        self.assertIn("STS_API_KEY", done.stderr)

    def test_bad_settings_stop_the_start(self):
        done = self.run_with(PORT="70000")
        self.assertEqual(done.returncode, 78)
        self.assertIn("PORT", done.stderr)
        self.assertIn("65535", done.stderr)

    def test_a_proxy_that_is_no_address(self):
        done = self.run_with(TRUSTED_PROXIES="proxy.example")
        self.assertEqual(done.returncode, 78)
        self.assertIn("TRUSTED_PROXIES", done.stderr)
        self.assertIn("proxy.example", done.stderr)

    def test_a_taken_port(self):
        service = Service()
        try:
            done = self.run_with(f"--port={service.url.rsplit(':', 1)[1]}")
            self.assertEqual(done.returncode, 69)
            self.assertIn("cannot listen on 127.0.0.1", done.stderr)
        finally:
            service.stop()


if __name__ == "__main__":
    STS_SERVICE = sys.argv.pop(1)
    unittest.main(verbosity=2)
