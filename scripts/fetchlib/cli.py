# SPDX-License-Identifier: Apache-2.0
"""The command line of scripts/fetch."""

import argparse
import os
import platform
import sys

from . import manifest
from .errors import FetchError
from .places import mebibytes
from .store import Store, cache_folder

EPILOG = """\
Files go to $DUBBING_CACHE_DIR, or $XDG_CACHE_HOME/live-broadcast-dubbing, or
~/.cache/live-broadcast-dubbing. Nothing else of this project downloads anything
while it runs. A file that you put there yourself is taken when its SHA-256 is
the manifest's."""


def parser(default_manifest):
    args = argparse.ArgumentParser(
        prog="scripts/fetch",
        description="Brings the engines and models of the manifest.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    args.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="an item, a set (models, engines, mediamtx), or any Piper voice "
        "(piper-de_DE-thorsten-medium); default: models",
    )
    args.add_argument("--list", action="store_true", help="what there is")
    args.add_argument(
        "--offline",
        action="store_true",
        help="download nothing; say what is missing and how to get it",
    )
    args.add_argument(
        "--verify", action="store_true", help="hash again what is there"
    )
    args.add_argument(
        "--trust",
        action="store_true",
        help="take files too whose publisher gives no hash",
    )
    args.add_argument(
        "--path", action="store_true", help="print the files' paths when done"
    )
    args.add_argument("--manifest", default=default_manifest)
    return args


def chosen(items, names):
    """The items of the names, which may be sets, in the manifest's order."""
    names = names or ["models"]
    for name in names:
        voice = None if name in items else manifest.piper_voice(name)
        if voice is not None:
            items[name] = voice
    known = set(items) | {s for item in items.values() for s in item.sets}
    for name in names:
        if name not in known:
            raise FetchError(
                f"there is no {name!r}; there are: {', '.join(sorted(known))}"
            )
    return [
        item
        for item in items.values()
        if item.name in names or set(item.sets) & set(names)
    ]


def size_of(way):
    """Of its files; where their sizes are not published, what they may be."""
    if all(file.size for file in way.files):
        return sum(file.size for file in way.files)
    return sum(spec.limit for spec in way.inputs)


def show_list(store, out):
    for item in store.items.values():
        way = store.present(item)
        state = "here" if way else "missing"
        size = mebibytes(size_of(way or item.ways[0])) if item.ways else "-"
        print(f"{item.name:20} {state:8} {size:>10}  {item.about}", file=out)
        print(f"{'':20} {'':8} {'':>10}  {item.licence}", file=out)
        for file in way.files if way else []:
            print(f"{'':20} {'':8} {'':>10}  {store.path(file.path)}", file=out)


def describe(file):
    known = [f"{file.size} bytes"] if file.size else []
    known += [f"SHA-256 {file.sha256}"] if file.sha256 else []
    known += [f"SHA-1 {file.sha1}"] if file.sha1 else []
    return ", ".join(known) or "no published size or hash"


def explain_missing(store, missing):
    """What is missing, and the ways to get it onto a machine without network."""
    lines = ["missing, and --offline forbids to fetch:"]
    for item in missing:
        lines.append(f"  {item.name}: {item.about}")
        for file in item.ways[0].files if item.ways else []:
            lines.append(f"    {store.path(file.path)}")
            lines.append(f"      {describe(file)}")
    names = " ".join(item.name for item in missing)
    lines.append(f"With a network: scripts/fetch {names}")
    lines.append(
        "Without: run that on another machine of this kind and copy its cache "
        f"folder to {store.root}"
    )
    return "\n".join(lines)


def fetch_all(store, items, args):
    """Looks without the lock first: mostly there is nothing to do."""
    missing = [i for i in items if store.present(i, args.verify) is None]
    if not missing:
        return
    if args.offline:
        raise FetchError(explain_missing(store, missing))
    unhashed = [i.name for i in missing if i.needs_trust]
    if unhashed and not args.trust:
        raise FetchError(
            f"{', '.join(unhashed)}: the publisher's hash is not known here, so "
            "nothing tells what would come. To take it all the same: "
            f"scripts/fetch --trust {' '.join(unhashed)}"
        )
    with store.locked():
        for item in missing:
            print(f"{item.name}: {item.about} ({item.licence})", file=sys.stderr)
            store.fetch(item)


def run(args):
    items = manifest.load(args.manifest, platform.machine())
    store = Store(cache_folder(), items)
    if args.list:
        show_list(store, sys.stdout)
        return
    wanted = chosen(items, args.names)
    fetch_all(store, wanted, args)
    if args.path:
        for item in wanted:
            for file in store.present(item).files:
                print(store.path(file.path))


def main(argv=None):
    here = os.path.dirname(os.path.abspath(__file__))
    default_manifest = os.path.join(here, "..", "models.json")
    try:
        run(parser(default_manifest).parse_args(argv))
    except FetchError as error:
        print(f"fetch: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nfetch: stopped; the next run goes on from here", file=sys.stderr)
        return 130
    return 0
