# SPDX-License-Identifier: Apache-2.0
"""What the worker says while it works: one JSON object a line at its socket."""

import json
import socket
import threading
import time

# A line is at most 64 KiB by the protocol; metrics may be longer.
LINE_LIMIT = 1 << 20


class Events:
    """Calls on_event (name, fields, when) for each event, in a thread.

    The worker comes when the stream does, and may be replaced by another: the
    socket is tried again until close ().
    """

    def __init__(self, path, on_event):
        self.path = path
        self.on_event = on_event
        self.is_closed = False
        self.sock = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.is_closed:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self.sock.connect(self.path)
                with self.sock.makefile("rb") as lines:
                    self._listen(lines)
            except OSError:
                pass
            self.sock.close()
            time.sleep(0.1)

    def _listen(self, lines):
        while not self.is_closed:
            line = lines.readline(LINE_LIMIT)
            if not line:
                return
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if message.get("type") == "event":
                fields = message.get("fields") or {}
                self.on_event(message.get("event"), fields, time.monotonic())

    def close(self):
        self.is_closed = True
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join(3)


NO_SPEECH = "no speech to dub: "


def reason_of(fields):
    """The service's words, else its code, else what the worker calls it."""
    words = fields.get("error_message") or ""
    if words.startswith(NO_SPEECH):
        return words[len(NO_SPEECH) :].replace("_", " ")
    return words or fields.get("error_code") or fields.get("detail") or "no answer"


class Story:
    """Tells the events to a person, and keeps what was said when."""

    def __init__(self, out):
        self.out = out
        self.cut_at = {}
        self.said = []
        self.started = {}
        self.kept = 0
        self.lock = threading.Lock()

    def take(self, name, fields, when):
        tell = {
            "fragment_sent": self._sent,
            "dub_started": self._dub_started,
            "dub_heard": self._dub_heard,
            "dub_dropped": self._kept_original,
            "fallback": self._kept_original,
        }.get(name)
        with self.lock:
            if tell is not None:
                tell(fields, when)
            elif name in ("source_lost", "hold_begin"):
                self._line(fields, f"({name.replace('_', ' ')})")

    def _line(self, fields, text):
        seconds = float(fields.get("media_s", 0))
        minutes, seconds = divmod(seconds, 60)
        print(f"[{int(minutes):02d}:{seconds:04.1f}] {text}", file=self.out)

    def _sent(self, fields, when):
        self.cut_at[fields.get("fragment_id")] = when

    def _dub_started(self, fields, when):
        key = fields.get("fragment_id")
        self.started[key] = when
        length = float(fields.get("duration_s", 0))
        if fields.get("transcript"):
            self._line(fields, f"heard  {fields['transcript'].strip()}")
        text = (fields.get("translated_text") or "").strip()
        notes = [f"{length:.1f} s"]
        if float(fields.get("lag_ms", 0)) >= 20:
            notes.append(f"{fields['lag_ms']} ms late")
        self._line(fields, f"said   {text}  ({', '.join(notes)})")

    def _dub_heard(self, fields, when):
        text = fields.get("translated_text") or ""
        start = self.started.pop(fields.get("fragment_id"), when)
        self.said.append((start, when, text))

    def _kept_original(self, fields, _when):
        self.kept += 1
        self._line(fields, f"kept   the original sound ({reason_of(fields)})")

    def said_between(self, start, end):
        """The texts of the dubs that began and ended in this time."""
        with self.lock:
            return [
                text
                for began, ended, text in self.said
                if began >= start and ended <= end
            ]
