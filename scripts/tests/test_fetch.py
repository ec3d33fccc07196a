# SPDX-License-Identifier: Apache-2.0
"""scripts/fetch against a server on loopback: it resumes, refuses what is not
what the manifest says, goes on to the next place and tells what is missing."""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import zipfile

import pytest
from conftest import SCRIPTS
from fetchlib import cli, manifest, places
from fetchlib.errors import FetchError
from fetchlib.store import Store, cache_folder

DATA = bytes(range(256)) * 4096


def digest(data):
    return hashlib.sha256(data).hexdigest()


def url_input(url, data=DATA, **more):
    return {"url": url, "size": len(data), "sha256": digest(data), **more}


def item(*inputs, data=DATA, make="copy", **more):
    """One item with one way for each input, which makes models/a.bin."""
    file = {"models/a.bin": {"size": len(data), "sha256": digest(data)}}
    return {
        "name": "a",
        "about": "a thing",
        "licence": "MIT",
        "sets": ["models"],
        "ways": [{"make": make, "inputs": [i], "files": file} for i in inputs],
        **more,
    }


@pytest.fixture
def shop(tmp_path):
    """shop(item...) -> a store over a manifest of these items."""

    def open_shop(*items):
        path = tmp_path / "models.json"
        path.write_text(json.dumps({"items": list(items)}))
        loaded = manifest.load(path, "x86_64")
        return Store(str(tmp_path / "cache"), loaded)

    return open_shop


def test_brings_a_file_and_places_it(server, shop):
    server.files["/a"] = DATA
    store = shop(item(url_input(server.url("/a"))))
    store.fetch(store.items["a"])
    with open(store.path("models/a.bin"), "rb") as file:
        assert file.read() == DATA
    assert store.present(store.items["a"]) is not None
    leftovers = [n for n in os.listdir(store.root) if n.startswith(".making")]
    assert leftovers == []
    assert os.listdir(store.path("downloads")) == []


def test_what_is_there_is_not_fetched_again(server, shop):
    server.files["/a"] = DATA
    store = shop(item(url_input(server.url("/a"))))
    store.fetch(store.items["a"])
    store.fetch(store.items["a"])
    assert len(server.ranges) == 1


def test_a_cut_download_resumes(server, shop):
    server.files["/a"] = DATA
    server.cut = 300_000
    store = shop(item(url_input(server.url("/a"))))
    with pytest.raises(FetchError):
        store.fetch(store.items["a"])
    store.fetch(store.items["a"])
    assert server.ranges == [None, "bytes=300000-"]
    with open(store.path("models/a.bin"), "rb") as file:
        assert file.read() == DATA


def test_a_server_that_cannot_resume_sends_all_again(server, shop):
    server.files["/a"] = DATA
    server.cut = 300_000
    server.resumes = False
    store = shop(item(url_input(server.url("/a"))))
    with pytest.raises(FetchError):
        store.fetch(store.items["a"])
    store.fetch(store.items["a"])
    assert store.present(store.items["a"]) is not None


def test_a_first_piece_of_another_file_is_dropped(server, shop):
    server.files["/a"] = DATA
    store = shop(item(url_input(server.url("/a"))))
    os.makedirs(store.path("downloads"))
    part = store.path("downloads", digest(DATA) + ".part")
    with open(part, "wb") as file:
        file.write(b"x" * 1000)
    store.fetch(store.items["a"])
    assert server.ranges == ["bytes=1000-", None]
    assert store.present(store.items["a"]) is not None


def test_a_wrong_hash_is_refused_and_nothing_kept(server, shop):
    server.files["/a"] = b"y" * len(DATA)
    store = shop(item(url_input(server.url("/a"))))
    with pytest.raises(FetchError, match="wrong SHA-256"):
        store.fetch(store.items["a"])
    assert not os.path.exists(store.path("models/a.bin"))
    assert os.listdir(store.path("downloads")) == []


def sha1_item(url, data=DATA, sha1=None):
    sha1 = sha1 or hashlib.sha1(data).hexdigest()
    entry = item({"url": url, "max_size": 2 * len(DATA), "sha1": sha1})
    entry["ways"][0]["files"] = {"models/a.bin": {"sha1": sha1}}
    return entry


def test_a_sha1_does_where_the_publisher_gives_no_other(server, shop):
    server.files["/a"] = DATA
    store = shop(sha1_item(server.url("/a")))
    assert store.present(store.items["a"]) is None
    store.fetch(store.items["a"])
    assert store.present(store.items["a"], True) is not None
    with open(store.path("models/a.bin"), "ab") as file:
        file.write(b"x")
    assert store.present(store.items["a"]) is None


def test_a_wrong_sha1_is_refused_and_nothing_kept(server, shop):
    server.files["/a"] = b"y" * len(DATA)
    store = shop(sha1_item(server.url("/a")))
    with pytest.raises(FetchError, match="wrong SHA-1"):
        store.fetch(store.items["a"])
    assert not os.path.exists(store.path("models/a.bin"))
    assert os.listdir(store.path("downloads")) == []


def test_without_a_known_size_the_limit_holds(server, shop):
    server.files["/a"] = DATA * 3
    store = shop(sha1_item(server.url("/a")))
    with pytest.raises(FetchError, match="more than"):
        store.fetch(store.items["a"])


def unhashed(url):
    entry = item({"url": url, "max_size": 2 * len(DATA)})
    entry["ways"][0]["files"] = {"models/a.bin": {}}
    return entry


def test_what_nobody_hashed_is_taken_only_when_trusted(server, shop, tmp_path):
    server.files["/a"] = DATA
    store = shop(unhashed(server.url("/a")))
    args = cli.parser(str(tmp_path / "models.json"))
    with pytest.raises(FetchError, match="fetch --trust a"):
        cli.fetch_all(store, [store.items["a"]], args.parse_args(["a"]))
    assert server.ranges == []
    cli.fetch_all(store, [store.items["a"]], args.parse_args(["--trust", "a"]))
    with open(store.path("models/a.bin"), "rb") as file:
        assert file.read() == DATA


def test_any_piper_voice_has_its_place_and_needs_trust():
    items = {}
    (voice,) = cli.chosen(items, ["piper-de_DE-thorsten-medium"])
    assert voice.needs_trust
    assert [i.place.rpartition("/main/")[2] for i in voice.ways[0].inputs] == [
        "de/de_DE/thorsten/medium/de_DE-thorsten-medium.onnx",
        "de/de_DE/thorsten/medium/de_DE-thorsten-medium.onnx.json",
    ]
    for name in ("piper-de-thorsten", "piper-../x_XX-a-low", "piper-de_DE-a b-low"):
        with pytest.raises(FetchError, match="there is no"):
            cli.chosen({}, [name])


def test_an_input_without_any_bound_is_refused(shop):
    with pytest.raises(FetchError, match="no size"):
        shop(item({"url": "http://127.0.0.1/a"}))


def test_more_than_the_size_is_refused(server, shop):
    server.files["/a"] = DATA + b"more"
    store = shop(item(url_input(server.url("/a"))))
    with pytest.raises(FetchError, match="more than"):
        store.fetch(store.items["a"])


def test_the_second_place_is_used_when_the_first_fails(server, shop, capsys):
    server.files["/b"] = DATA
    first, second = server.url("/gone"), server.url("/b")
    store = shop(item(url_input(first), url_input(second)))
    store.fetch(store.items["a"])
    assert store.present(store.items["a"]) is not None
    assert "trying the next place" in capsys.readouterr().err


def test_the_error_names_every_place(server, shop):
    store = shop(item(url_input(server.url("/x")), url_input(server.url("/y"))))
    with pytest.raises(FetchError) as error:
        store.fetch(store.items["a"])
    assert "/x" in str(error.value) and "/y" in str(error.value)


def test_a_member_comes_out_of_an_archive(server, shop, tmp_path):
    with zipfile.ZipFile(tmp_path / "w.whl", "w") as archive:
        archive.writestr("data/a.bin", DATA)
    packed = (tmp_path / "w.whl").read_bytes()
    server.files["/w"] = packed
    spec = url_input(server.url("/w"), packed, member="data/a.bin")
    store = shop(item(spec))
    store.fetch(store.items["a"])
    assert store.present(store.items["a"]) is not None


def test_a_missing_member_is_an_error_of_ours(server, shop, tmp_path):
    with zipfile.ZipFile(tmp_path / "w.whl", "w") as archive:
        archive.writestr("other", b"")
    packed = (tmp_path / "w.whl").read_bytes()
    server.files["/w"] = packed
    spec = url_input(server.url("/w"), packed, member="data/a.bin")
    store = shop(item(spec))
    with pytest.raises(FetchError, match="data/a.bin"):
        store.fetch(store.items["a"])


def test_a_file_laid_there_by_hand_is_taken(shop):
    store = shop(item(url_input("http://127.0.0.1:9/never")))
    os.makedirs(store.path("models"))
    with open(store.path("models/a.bin"), "wb") as file:
        file.write(DATA)
    assert store.present(store.items["a"]) is not None


def test_a_damaged_file_is_noticed(server, shop):
    server.files["/a"] = DATA
    store = shop(item(url_input(server.url("/a"))))
    store.fetch(store.items["a"])
    path = store.path("models/a.bin")
    info = os.stat(path)
    with open(path, "r+b") as file:
        file.write(b"zz")
    assert store.present(store.items["a"]) is None
    # The same time and size: only hashing again can tell.
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
    assert store.present(store.items["a"], again=True) is None


def test_offline_says_what_is_missing_and_how_to_get_it(shop):
    store = shop(item(url_input("http://127.0.0.1:9/never")))
    arguments = cli.parser("unused").parse_args(["--offline"])
    with pytest.raises(FetchError) as error:
        cli.fetch_all(store, list(store.items.values()), arguments)
    text = str(error.value)
    for part in ("a thing", digest(DATA), "scripts/fetch a", store.root):
        assert part in text


def test_two_at_once_wait_for_each_other(server, shop, tmp_path):
    server.files["/a"] = DATA
    store = shop(item(url_input(server.url("/a"))))
    os.makedirs(store.root)
    command = [sys.executable, str(SCRIPTS / "fetch"), "models"]
    command += ["--manifest", str(tmp_path / "models.json")]
    env = {**os.environ, "DUBBING_CACHE_DIR": store.root}
    with open(store.path(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        child = subprocess.Popen(
            command, env=env, stderr=subprocess.PIPE, text=True
        )
        assert "waiting" in child.stderr.readline()
        assert server.ranges == []
    assert child.wait(30) == 0
    child.stderr.close()
    assert store.present(store.items["a"]) is not None


def test_an_unknown_name_lists_the_known_ones(shop):
    store = shop(item(url_input("http://127.0.0.1:9/never")))
    with pytest.raises(FetchError, match="there are: a, models"):
        cli.chosen(store.items, ["b"])


def test_names_and_sets_choose_items(shop):
    first = item(url_input("http://127.0.0.1:9/a"))
    second = dict(first, name="b", sets=["tools"])
    store = shop(first, second)
    assert [i.name for i in cli.chosen(store.items, [])] == ["a"]
    assert [i.name for i in cli.chosen(store.items, ["tools"])] == ["b"]


def test_ways_for_another_machine_are_left_out(shop):
    entry = item(url_input("http://127.0.0.1:9/a"))
    entry["ways"][0]["machine"] = "s390x"
    store = shop(entry)
    with pytest.raises(FetchError, match="none for this machine"):
        store.fetch(store.items["a"])


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../a", "models/../../a"]
)
def test_a_path_outside_the_cache_is_refused(shop, path):
    entry = item(url_input("http://127.0.0.1:9/a"))
    entry["ways"][0]["files"] = {path: {"size": 1, "sha256": digest(b"")}}
    with pytest.raises(FetchError, match="outside"):
        shop(entry)


def test_pip_gets_a_pinned_hash_and_the_right_kind():
    def spec(archive):
        return manifest.Input("pip", "thing==1", 1, digest(b""), archive)

    wheel = places.pip_command(spec("thing-1-py3-none-any.whl"), "r.txt", "d")
    source = places.pip_command(spec("thing-1.tar.gz"), "r.txt", "d")
    assert "--require-hashes" in wheel and "--no-deps" in wheel
    assert wheel[wheel.index("--only-binary") + 1] == ":all:"
    assert source[source.index("--no-binary") + 1] == "thing"
    assert "--abi" not in wheel
    bound = places.pip_command(spec("thing-1-cp311-cp311-linux_x86_64.whl"),
                               "r.txt", "d")
    assert bound[bound.index("--python-version"):][:6] == [
        "--python-version", "311", "--abi", "cp311",
        "--platform", "linux_x86_64"]


def test_the_cache_folder_follows_the_environment():
    assert cache_folder({"DUBBING_CACHE_DIR": "/x"}) == "/x"
    assert cache_folder({"XDG_CACHE_HOME": "/y"}) == (
        "/y/live-broadcast-dubbing"
    )
    assert cache_folder({}).endswith("/.cache/live-broadcast-dubbing")


def test_the_real_manifest_is_complete():
    items = manifest.load(SCRIPTS / "models.json", "x86_64")
    assert {"whisper-base", "silero-vad", "piper-joe"} <= set(items)
    for entry in items.values():
        assert entry.ways and entry.licence
        for way in entry.ways:
            for spec in way.inputs:
                assert spec.kind != "item" or spec.place in items
                assert spec.kind not in ("pip", "npm") or spec.archive


# As listed in whisper.cpp's models/README.md, but base, which has a SHA-256.
WHISPER_SIZES = ("tiny", "tiny.en", "base.en", "small", "small.en", "medium",
                 "medium.en", "large-v1", "large-v2", "large-v2-q5_0",
                 "large-v3", "large-v3-q5_0", "large-v3-turbo",
                 "large-v3-turbo-q5_0")


def test_every_size_of_whisper_has_its_place_and_hash():
    items = manifest.load(SCRIPTS / "models.json", "x86_64")
    seen = set()
    for size in WHISPER_SIZES:
        entry = items[f"whisper-{size}"]
        (way,) = entry.ways
        (spec,) = way.inputs
        (file,) = way.files
        assert spec.place == ("https://huggingface.co/ggerganov/whisper.cpp/"
                              f"resolve/main/ggml-{size}.bin")
        assert file.path == f"models/ggml-{size}.bin"
        assert spec.sha1 and spec.sha1 == file.sha1 and spec.sha1 not in seen
        assert not entry.needs_trust
        seen.add(spec.sha1)
