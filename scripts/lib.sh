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

# quietly LOG COMMAND...: runs it with its output in LOG, which is shown when
# the command fails.
quietly() {
  local log="$1"
  shift
  mkdir -p "$(dirname "$log")"
  if ! "$@" >"$log" 2>&1; then
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
