# SPDX-License-Identifier: Apache-2.0
"""A Dockerfile as stages of steps: as much of the language as ours use."""

import json
import re
from dataclasses import dataclass, field

STEPS = ("ARG", "COPY", "ENV", "EXPOSE", "RUN", "USER", "VOLUME", "WORKDIR", "CMD",
         "HEALTHCHECK")


class DockerfileError(Exception):
    """What is not understood, with its line."""


@dataclass
class Stage:
    """base: the name of an image, or of a stage above."""

    name: str
    base: str
    steps: list = field(default_factory=list)

    def last(self, kind):
        """The text of the last step of that kind; "" for none."""
        found = [text for step, text in self.steps if step == kind]
        return found[-1] if found else ""


def instructions(text):
    """Whole ones: comments left out, continued lines joined."""
    joined, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not joined and not line.strip() or line.lstrip().startswith("#"):
            continue
        first = first if joined else number
        joined += line.strip()
        if joined.endswith("\\"):
            joined = joined[:-1] + " "
            continue
        yield first, joined
        joined = ""


def parse(text, arguments=None):
    """The stages by name, in their order. arguments: --build-arg."""
    values, stages = {}, {}
    for number, line in instructions(text):
        word, _, rest = line.partition(" ")
        word, rest = word.upper(), rest.strip()
        if word == "ARG" and not stages:
            name, _, default = rest.partition("=")
            values[name] = (arguments or {}).get(name, default)
        elif word == "FROM":
            match = re.fullmatch(r"(\S+)(?:\s+AS\s+(\S+))?", rest, re.I)
            if match is None:
                raise DockerfileError(f"line {number}: {line}")
            base = re.sub(r"\$\{(\w+)\}",
                          lambda m: values.get(m[1], ""), match[1])
            name = match[2] or str(len(stages))
            stages[name] = Stage(name, base)
        elif word in STEPS and stages:
            list(stages.values())[-1].steps.append((word, rest))
        else:
            raise DockerfileError(f"line {number}: {line}")
    return stages


def command(text):
    """What CMD or a HEALTHCHECK runs, as a list of words."""
    text = re.sub(r"^(--\S+\s+)*(CMD\s+)?", "", text)
    return json.loads(text) if text.startswith("[") else ["sh", "-c", text]


def assignments(text):
    """Of ENV and ARG: NAME=value ..., without blanks in the values."""
    return dict(part.split("=", 1) for part in text.split())
