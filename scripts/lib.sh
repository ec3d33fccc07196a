# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the bash scripts of this folder share; sourced, never run.

repo_root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# One place for what is built once and used by every build folder. Both can be
# shared by several checkouts.
engines_prefix="${ENGINES_PREFIX:-$repo_root/build/engines}"
tools_prefix="${TOOLS_PREFIX:-$repo_root/build/tools}"
# Last, so that what the machine has goes first.
PATH="$PATH:$tools_prefix/bin"
export repo_root engines_prefix tools_prefix PATH

say() {
  printf '%s\n' "$*" >&2
}

die() {
  say "$(basename "$0"): $*"
  exit 1
}

# On a terminal: how long the step has taken so far, until it or we end.
tick() {
  local begun=$SECONDS
  while sleep 1 && kill -0 "$$" 2>/dev/null; do
    printf '\r  %d s' "$((SECONDS - begun))" >&2
  done
}

# quietly LOG COMMAND...: runs it with its output in LOG, which is shown when
# the command fails.
quietly() {
  local log="$1" ticker="" status=0
  shift
  mkdir -p "$(dirname "$log")"
  if [ -t 2 ]; then
    tick &
    ticker=$!
  fi
  "$@" >"$log" 2>&1 || status=$?
  if [ -n "$ticker" ]; then
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    printf '\r        \r' >&2
  fi
  if [ "$status" != 0 ]; then
    tail -n 40 "$log" >&2
    die "failed: $* (all of it in $log)"
  fi
}

# Two at once would build into the same folder. The lock goes with the process.
lock_folder() {
  mkdir -p "$1"
  exec 9>"$1/.lock-$(basename "$0")"
  if ! flock -n 9; then
    say "another $(basename "$0") is at work in $1, waiting for it"
    flock 9
  fi
}

# The Python for our own tools: that of the virtual environment once it is
# there, since pip may be there only.
python_tool() {
  if [ -x "$repo_root/.venv/bin/python" ]; then
    echo "$repo_root/.venv/bin/python"
  else
    echo python3
  fi
}

fetch() {
  "$(python_tool)" "$repo_root/scripts/fetch" "$@"
}
