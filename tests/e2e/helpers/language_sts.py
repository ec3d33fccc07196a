# SPDX-License-Identifier: Apache-2.0
"""A speech service that answers each language in its own way, so that one can
be told from another by ear: an echo, and for "de" silence."""

from __future__ import annotations

import time

from .scripted_sts import Fragment, ScriptedSts


class LanguageSts(ScriptedSts):
    def __init__(self):
        super().__init__(LanguageSts.act, 0.1)
        self.sessions: list[dict] = []
        self.language_of: dict[str, str] = {}

    def _on_init(self, sid: str, data: dict) -> None:
        self.sessions.append({"at_s": time.monotonic(), **data})
        self.language_of[sid] = data["config"]["target_language"]
        super()._on_init(sid, data)

    def act(self, fragment: Fragment) -> None:
        if self.language_of[fragment.sid] == "de":
            self.answer(fragment, bytes(len(fragment.pcm)))
        else:
            self.echo(fragment)

    def fragments_of(self, language: str) -> list[Fragment]:
        return [f for f in self.fragments
                if self.language_of[f.sid] == language]
