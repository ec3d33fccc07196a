# SPDX-License-Identifier: Apache-2.0
"""Which metrics a PromQL expression asks for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
BRACES = re.compile(r"\{[^}]*\}|\[[^\]]*\]")
GROUPING = re.compile(
    r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
NAME = re.compile(r"(?<![\w.$])[a-zA-Z_:][\w:]*(?!\w|\s*\()")
WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan", "by",
         "without", "on", "ignoring", "group_left", "group_right"}


def names(expr: str) -> set[str]:
    for pattern in (STRING, BRACES, GROUPING):
        expr = pattern.sub(" ", expr)
    return {n for n in NAME.findall(expr) if n.lower() not in WORDS}


def of_dashboard(path: Path) -> dict[str, str]:
    """panel → its expressions, and those of the variables."""
    board = json.loads(path.read_text())
    found = {p["title"]: " or ".join(t["expr"] for t in p["targets"])
             for p in board["panels"] if p["type"] != "row"}
    for variable in board["templating"]["list"]:
        query = variable["query"]
        label = isinstance(query, dict) and re.fullmatch(
            r"label_values\((\w+), \w+\)", query["query"])
        if label:
            found[f"${variable['name']}"] = label[1]
    return found


def of_rules(path: Path) -> dict[str, str]:
    return {rule["alert"]: rule["expr"]
            for group in yaml.safe_load(path.read_text())["groups"]
            for rule in group["rules"]}
