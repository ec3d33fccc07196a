# SPDX-License-Identifier: Apache-2.0
"""What runs, for people and for Prometheus: metrics and streams."""

import json
import urllib.error
import urllib.request

from . import stacks
from .stacks import ServiceError


def get(url, token=""):
    """The body, or None when nobody answers."""
    request = urllib.request.Request(url)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        raise ServiceError(f"{url} answered {error.code}") from None
    except (OSError, ValueError):
        return None


def metrics(all_ports, env):
    """Prometheus text of each service that answers."""
    tokens = {
        "media": env.get("API_TOKEN", ""),
        "sts": env.get("STS_API_KEY", ""),
    }
    texts, seen = [], set()
    for ports in all_ports:
        for name in ("media", "sts", "metrics"):
            url = stacks.http(ports, name, "/metrics")
            if url in seen:
                continue
            seen.add(url)
            text = get(url, tokens.get(name, ""))
            if text is not None:
                texts.append(f"# {url}\n{text.rstrip()}\n")
    if not texts:
        raise ServiceError(
            "nothing answers at " + ", ".join(sorted(seen))
            + ": make e2e-up or make media-dev"
        )
    return "".join(texts)


def streams(all_ports):
    """MediaMTX's list of paths as a table."""
    asked = []
    for ports in all_ports:
        url = stacks.http(ports, "api", "/v3/paths/list?itemsPerPage=1000")
        if url in asked:
            continue
        asked.append(url)
        text = get(url)
        if text is not None:
            return f"{url}\n" + table(json.loads(text)["items"])
    raise ServiceError(
        f"no MediaMTX answers at {', '.join(asked)}: "
        "make e2e-up or make media-dev"
    )


def table(items):
    rows = [("PATH", "STATE", "SINCE", "SOURCE", "TRACKS", "READERS", "IN", "OUT")]
    rows += [row(item) for item in sorted(items, key=lambda i: i["name"])]
    if not items:
        return "no streams\n"
    widths = [max(len(r[n]) for r in rows) for n in range(len(rows[0]))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(r, widths)).rstrip()
        + "\n"
        for r in rows
    )


def row(item):
    source = item.get("source") or {}
    return (
        item["name"],
        "ready" if item.get("ready") else "waiting",
        (item.get("readyTime") or "-").partition(".")[0].partition("Z")[0],
        source.get("type", "-"),
        ", ".join(item.get("tracks") or ()) or "-",
        str(len(item.get("readers") or ())),
        amount(item.get("bytesReceived", 0)),
        amount(item.get("bytesSent", 0)),
    )


def amount(count):
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
