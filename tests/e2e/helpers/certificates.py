# SPDX-License-Identifier: Apache-2.0
"""An authority of the test's own and what it has signed, made by openssl.

good: localhost and 127.0.0.1; other: other.example; expired: as good, until
yesterday; self: as good, signed by itself.
"""

from __future__ import annotations

from pathlib import Path

from . import tools

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"


class Certificates:
    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                      "2", "-subj", "/CN=test-ca", "-keyout", "ca.key",
                      "-out", "ca.pem")
        self._sign("good", "localhost", NAMES)
        self._sign("other", "other.example",
                   "subjectAltName=DNS:other.example")
        self._sign("expired", "localhost", NAMES, days="-1")
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                      "2", "-subj", "/CN=localhost", "-addext", NAMES,
                      "-keyout", "self.key", "-out", "self.crt")

    def _openssl(self, *args: str) -> None:
        tools.run("openssl", *args, cwd=self.folder)

    def _sign(self, name: str, host: str, names: str, days: str = "2") -> None:
        (self.folder / "names").write_text(names + "\n")
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj",
                      f"/CN={host}", "-keyout", f"{name}.key", "-out",
                      f"{name}.csr")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem",
                      "-CAkey", "ca.key", "-CAcreateserial", "-days", days,
                      "-extfile", "names", "-out", f"{name}.crt")

    def path(self, name: str) -> str:
        return str(self.folder / name)

    @property
    def authority(self) -> str:
        return self.path("ca.pem")
