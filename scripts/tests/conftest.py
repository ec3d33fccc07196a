# SPDX-License-Identifier: Apache-2.0
"""The scripts' modules by name, and a small HTTP server that can misbehave."""

import http.server
import importlib.machinery
import importlib.util
import sys
import threading
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SCRIPTS))


def load_script(name):
    """A script without an ending, as a module."""
    loader = importlib.machinery.SourceFileLoader(
        name.replace("-", "_"), str(SCRIPTS / name)
    )
    spec = importlib.util.spec_from_loader(loader.name, loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves server.files; stops after server.cut bytes when that is set."""

    def do_GET(self):
        server = self.server
        server.ranges.append(self.headers.get("Range"))
        data = server.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        start = self.range_start(len(data))
        self.send_response(206 if start else 200)
        if start:
            span = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self.send_header("Content-Range", span)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        body = data[start:]
        if server.cut is not None:
            body, server.cut = body[: server.cut], None
        self.wfile.write(body)

    def range_start(self, size):
        asked = self.headers.get("Range")
        if not asked or not self.server.resumes:
            return 0
        return min(int(asked.removeprefix("bytes=").rstrip("-")), size - 1)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    """On a free loopback port; .url(path) makes addresses."""
    http_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http_server.files = {}
    http_server.ranges = []
    http_server.cut = None
    http_server.resumes = True
    port = http_server.server_address[1]
    http_server.url = lambda path: f"http://127.0.0.1:{port}{path}"
    thread = threading.Thread(target=http_server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield http_server
    http_server.shutdown()
    http_server.server_close()
    thread.join(5)
