# SPDX-License-Identifier: Apache-2.0
"""The whole system as on a machine that strangers can reach: every door has
its key, each key is another one."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from . import tools
from .processes import Process, Stack, free_port, free_udp_port, wait_for
from .secret_hunt import ask, new_key

CONFIG = (tools.ROOT / "apps" / "media-service" / "deploy" / "mediamtx"
          / "mediamtx.production.yml")
USERS = ("dubbing", "encoder", "viewer", "operator", "monitor")


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class NosyDeepl:
    """Translates; from `refuses` on it refuses, and says the key aloud."""

    def __init__(self):
        self.refuses = False
        self.keys: list[str] = []
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                size = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(size) or b"{}")
                key = self.headers.get("Authorization", "")
                peer.keys.append(key)
                if peer.refuses:
                    self._answer(403, {"message": f"{key} is not valid"})
                else:
                    texts = [{"text": "one two three",
                              "detected_source_language": "ES"}
                             for _ in body.get("text", [])]
                    self._answer(200, {"translations": texts})

            def _answer(self, status: int, value: dict) -> None:
                data = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True,
                         args=(0.1,)).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Secured:
    """Starts what a production host runs. Keys lie in files of `key_folder`,
    which is not part of the run's own folder."""

    def __init__(self, stack: Stack, key_folder: Path):
        self.stack, self.key_folder = stack, key_folder
        self.keys = {name: new_key(name) for name in (
            "api", "metrics", "hook", "sts", "sts-metrics", "deepl",
            *USERS)}
        self.service: Process | None = None
        self.sts: Process | None = None
        self.media_url = f"http://127.0.0.1:{free_port()}"

    def file(self, name: str) -> str:
        self.key_folder.mkdir(parents=True, exist_ok=True)
        path = self.key_folder / name
        path.write_text(self.keys[name] + "\n")
        path.chmod(0o600)
        return str(path)

    # --- the media server ---

    def start_mediamtx(self) -> Process:
        text = CONFIG.read_text()
        for user in USERS:
            digest = hashlib.sha256(self.keys[user].encode()).digest()
            text = text.replace(f"HASH+OF+THE+PASSWORD+OF+{user}",
                                base64.b64encode(digest).decode())
        config = self.stack.folder / "mediamtx.yml"
        config.write_text(text)
        ports = {name: free_port() for name in
                 ("RTMP", "RTSP", "API", "METRICS", "HLS", "WEBRTC")}
        ports["WEBRTCLOCALUDP"] = free_udp_port()
        self.stack.rtmp_port, self.stack.api_port = ports["RTMP"], ports["API"]
        self.stack.hls_port = ports["HLS"]
        self.stack.webrtc_port = ports["WEBRTC"]
        self.metrics_port = ports["METRICS"]
        hooks = Path(tools.need("mtx-hook")).parent
        server = self.stack.start(
            "mediamtx", [tools.need("mediamtx"), config],
            env={**{f"MTX_{n}ADDRESS": f"127.0.0.1:{p}"
                    for n, p in ports.items()},
                 "ORCHESTRATOR_URL": self.media_url,
                 "ORCHESTRATOR_TOKEN_FILE": self.file("hook"),
                 "PATH": f"{hooks}{os.pathsep}{os.environ['PATH']}"})
        server.url = f"http://127.0.0.1:{ports['API']}"
        wait_for(lambda: self.paths(server.url) is not None, 15,
                 "MediaMTX's list of paths")
        return server

    def paths(self, url: str) -> dict | None:
        status, body = ask(url + "/v3/paths/list", Authorization=basic(
            "dubbing", self.keys["dubbing"]))
        return {"body": body} if status == 200 else None

    def url(self, path: str, user: str, more: str = "") -> str:
        """An RTMP URL with the user's name and password."""
        key = self.keys[user].replace("+", "%2B")
        return (f"rtmp://127.0.0.1:{self.stack.rtmp_port}/{path}"
                f"?user={user}&pass={key}{more}")

    # --- ours ---

    def start_sts(self, deepl_url: str, **env: str) -> Process:
        """Every engine pretends, but the translator, which has a key."""
        self.sts = self.stack.sts(
            STS_API_KEY_FILE=self.file("sts"),
            METRICS_TOKEN=self.keys["sts-metrics"], ASR_PROVIDER="mock",
            TTS_PROVIDER="mock", TRANSLATION_PROVIDER="deepl",
            DEEPL_URL=deepl_url, DEEPL_AUTH_KEY=self.keys["deepl"], **env)
        return self.sts

    def start_service(self, **env: str) -> Process:
        port = int(self.media_url.rpartition(":")[2])
        self.service = self.stack.media_service(
            self.sts.url if self.sts else "http://127.0.0.1:9", port=port,
            ORCH_HTTP_ADDR="127.0.0.1", API_TOKEN_FILE=self.file("api"),
            METRICS_TOKEN=self.keys["metrics"],
            HOOK_TOKEN_FILE=self.file("hook"), STS_TOKEN=self.keys["sts"],
            MEDIAMTX_USER="dubbing", MEDIAMTX_PASS=self.keys["dubbing"],
            MEDIAMTX_API_URL=f"http://127.0.0.1:{self.stack.api_port}",
            **env)
        return self.service
