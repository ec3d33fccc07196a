# SPDX-License-Identifier: Apache-2.0
"""The file that plays the broadcaster: what is in it, how to send it."""

import json
import subprocess

from .programs import DemoError


def streams_of(path):
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-show_streams", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DemoError(f"{path} cannot be read: {done.stderr.strip()}")
    return json.loads(done.stdout)["streams"]


def coding(streams):
    """How each track must be sent: as it is, or coded for RTMP first."""
    kinds = {}
    for stream in streams:
        kinds.setdefault(stream["codec_type"], stream["codec_name"])
    for kind in ("video", "audio"):
        if kind not in kinds:
            raise DemoError(f"the file has no {kind} track")
    video = ["-c:v", "copy"]
    if kinds["video"] != "h264":
        video = ["-c:v", "libx264", "-preset", "veryfast", "-g", "50"]
        video += ["-pix_fmt", "yuv420p", "-threads", "1"]
    audio = ["-c:a", "copy"]
    if kinds["audio"] != "aac":
        audio = ["-c:a", "aac", "-b:a", "160k", "-ar", "48000"]
    return video + audio


def publish_command(path, url):
    """ffmpeg at the file's own pace, round and round."""
    command = ["ffmpeg", "-hide_banner", "-loglevel", "warning", "-nostdin"]
    command += ["-re", "-stream_loop", "-1", "-i", str(path)]
    command += ["-map", "0:v:0", "-map", "0:a:0", *coding(streams_of(path))]
    return command + ["-f", "flv", "-flvflags", "no_duration_filesize", url]


def record_command(url, seconds, target):
    """Keeps what leaves, as it leaves: nothing is coded again."""
    command = ["ffmpeg", "-hide_banner", "-loglevel", "warning", "-nostdin"]
    command += ["-y", "-i", url, "-t", str(seconds), "-c", "copy"]
    return command + ["-movflags", "+faststart", str(target)]


def extract_sound(path, target):
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(path), "-vn"]
        + ["-ac", "1", "-ar", "16000", str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DemoError(f"{path} has no sound: {done.stderr.strip()}")
