# SPDX-License-Identifier: Apache-2.0
"""The two conversions, read back with parsers written here from the formats'
descriptions."""

import base64
import io
import json
import struct
import tarfile

import pytest
from fetchlib import convert_moonshine, convert_onnx, convert_whisper
from fetchlib.errors import FetchError


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def read_fields(data):
    """(number, bytes) of each length-delimited field."""
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        size, at = read_varint(data, at)
        yield tag >> 3, data[at : at + size]
        at += size


def test_metadata_is_appended_as_protobuf(tmp_path):
    model = b"\x0a\x03abc"
    (tmp_path / "in").write_bytes(model)
    pairs = {"voice": "en-us", "comment": "x" * 300}
    convert_onnx.with_metadata(tmp_path / "in", tmp_path / "out", pairs)
    out = (tmp_path / "out").read_bytes()
    assert out.startswith(model)
    found = {}
    for number, value in read_fields(out[len(model) :]):
        assert number == 14
        inner = dict(read_fields(value))
        found[inner[1].decode()] = inner[2].decode()
    assert found == pairs


@pytest.mark.parametrize(
    "number,wire", [(0, b"\0"), (127, b"\x7f"), (128, b"\x80\x01"), (300, b"\xac\x02")]
)
def test_varint(number, wire):
    assert convert_onnx.varint(number) == wire


def test_piper_voice(tmp_path):
    config = {
        "audio": {"sample_rate": 22050},
        "espeak": {"voice": "en-us"},
        "language": {"name_english": "English"},
        "num_speakers": 1,
        "phoneme_id_map": {"a": [3], "_": [0], " ": [1]},
    }
    (tmp_path / "m").write_bytes(b"model")
    (tmp_path / "c").write_text(json.dumps(config))
    outs = [tmp_path / name for name in ("onnx", "json", "tokens")]
    convert_onnx.convert_piper(tmp_path / "m", tmp_path / "c", *outs)
    assert b"model_type" in outs[0].read_bytes()
    assert json.loads(outs[1].read_text()) == config
    assert outs[2].read_text() == "_ 0\n  1\na 3\n"


def npm_package(path, files):
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def style(fill):
    return bytes([fill]) * convert_onnx.STYLE_BYTES


def test_kokoro_voices_are_joined_by_name(tmp_path):
    package = npm_package(
        tmp_path / "p.tgz",
        {
            "package/voices/ef_b.bin": style(2),
            "package/README.md": b"x",
            "package/voices/af_a.bin": style(1),
        },
    )
    (tmp_path / "c").write_text(json.dumps({"vocab": {"a": 43, ";": 1, " ": 16}}))
    outs = [tmp_path / name for name in ("onnx", "voices", "tokens")]
    convert_onnx.convert_kokoro(b"model", tmp_path / "c", package, outs)
    assert outs[0].read_bytes().startswith(b"model")
    assert b"af_a,ef_b" in outs[0].read_bytes()
    assert outs[1].read_bytes() == style(1) + style(2)
    assert outs[2].read_text() == "; 1\n  16\na 43\n"


@pytest.mark.parametrize(
    "files", [{}, {"package/voices/af_a.bin": b"short"}, {"voices/a.txt": b"x"}]
)
def test_what_is_no_kokoro_voice_is_refused(tmp_path, files):
    package = npm_package(tmp_path / "p.tgz", files)
    with pytest.raises(FetchError, match="Kokoro voice"):
        convert_onnx.kokoro_voices(package)


def test_a_damaged_package_of_voices_is_an_error_of_ours(tmp_path):
    (tmp_path / "p.tgz").write_bytes(b"no archive")
    with pytest.raises(FetchError, match="damaged"):
        convert_onnx.kokoro_voices(tmp_path / "p.tgz")


def text(value):
    raw = value.encode() + b"\0"
    return struct.pack("<H", len(raw)) + raw


def source_file(tensors, version=6, spec="WhisperSpec"):
    out = io.BytesIO()
    out.write(struct.pack("<I", version) + text(spec))
    out.write(struct.pack("<II", 3, len(tensors)))
    for name, (shape, values) in tensors.items():
        data = struct.pack(f"<{len(values)}e", *values)
        out.write(text(name) + struct.pack("<B", len(shape)))
        out.write(struct.pack(f"<{len(shape)}I", *shape))
        out.write(struct.pack("<BI", 4, len(data)) + data)
    return out.getvalue()


def tensor(*shape, start=0):
    count = 1
    for size in shape:
        count *= size
    return list(shape), [float(start + i) for i in range(count)]


def linear(name, rows, columns=2):
    return {
        name + "/weight": tensor(rows, columns),
        name + "/bias": tensor(rows),
    }


def norm(name):
    return {name + "/gamma": tensor(2), name + "/beta": tensor(2)}


def layer(name, cross):
    out = {}
    out.update(linear(name + "/self_attention/linear_0", 6))
    out.update(linear(name + "/self_attention/linear_1", 2))
    out.update(norm(name + "/self_attention/layer_norm"))
    if cross:
        out.update(linear(name + "/attention/linear_0", 2))
        out.update(linear(name + "/attention/linear_1", 4))
        out.update(linear(name + "/attention/linear_2", 2))
        out.update(norm(name + "/attention/layer_norm"))
    out.update(linear(name + "/ffn/linear_0", 8))
    out.update(linear(name + "/ffn/linear_1", 2, 8))
    out.update(norm(name + "/ffn/layer_norm"))
    return out


@pytest.fixture
def small_model():
    """A Whisper of one layer a side and width 2."""
    out = {"encoder/position_encodings/encodings": tensor(3, 2)}
    out["encoder/conv1/weight"] = tensor(2, 4, 3)
    out["encoder/conv1/bias"] = tensor(2)
    out["encoder/conv2/weight"] = tensor(2, 2, 3)
    out["encoder/conv2/bias"] = tensor(2)
    out.update(layer("encoder/layer_0", cross=False))
    out.update(norm("encoder/layer_norm"))
    out["decoder/position_encodings/encodings"] = tensor(3, 2)
    out["decoder/embeddings/weight"] = tensor(5, 2)
    out.update(layer("decoder/layer_0", cross=True))
    out.update(norm("decoder/layer_norm"))
    return out


def read_target(data):
    """name -> (type, dimensions, values)."""
    found = {}
    at = 0
    while at < len(data):
        rank, size, kind = struct.unpack_from("<iii", data, at)
        at += 12
        dims = list(struct.unpack_from(f"<{rank}i", data, at))
        at += 4 * rank
        name = data[at : at + size].decode()
        at += size
        count = 1
        for dim in dims:
            count *= dim
        code, width = (("f", 4), ("e", 2))[kind]
        values = list(struct.unpack_from(f"<{count}{code}", data, at))
        at += count * width
        assert name not in found
        found[name] = (kind, dims, values)
    return found


def convert(tmp_path, model):
    (tmp_path / "header").write_bytes(b"HEAD")
    target = tmp_path / "out"
    convert_whisper.convert(source_file(model), tmp_path / "header", target)
    data = target.read_bytes()
    assert data.startswith(b"HEAD")
    return read_target(data[4:])


def test_whisper_names_shapes_and_values(tmp_path, small_model):
    found = convert(tmp_path, small_model)
    assert found["encoder.conv1.bias"] == (0, [1, 2], [0.0, 1.0])
    assert found["encoder.conv1.weight"][:2] == (1, [3, 4, 2])
    assert found["decoder.positional_embedding"][0] == 0
    query = found["encoder.blocks.0.attn.query.weight"]
    key = found["encoder.blocks.0.attn.key.weight"]
    value = found["encoder.blocks.0.attn.value.weight"]
    assert query == (1, [2, 2], [0.0, 1.0, 2.0, 3.0])
    assert key[2] == [4.0, 5.0, 6.0, 7.0]
    assert value[2] == [8.0, 9.0, 10.0, 11.0]
    # The key has no bias: the middle third of the stacked one is left out.
    assert found["encoder.blocks.0.attn.value.bias"] == (0, [2], [4.0, 5.0])
    assert "encoder.blocks.0.attn.key.bias" not in found
    assert found["decoder.blocks.0.cross_attn.value.bias"][2] == [2.0, 3.0]
    assert not any("encoder" in n and "cross" in n for n in found)


def test_a_damaged_whisper_file_is_an_error_of_ours(tmp_path, small_model):
    data = source_file(small_model)
    for cut in (0, 3, 40, len(data) // 2, len(data) - 1):
        with pytest.raises(FetchError):
            convert_whisper.read_tensors(data[:cut])
    with pytest.raises(FetchError, match="not a Whisper model"):
        convert_whisper.read_tensors(source_file({}, spec="OtherSpec"))
    del small_model["decoder/embeddings/weight"]
    with pytest.raises(FetchError, match="decoder/embeddings/weight"):
        convert(tmp_path, small_model)


def test_moonshine_tokens_by_number(tmp_path):
    long = b"x" * 200
    (tmp_path / "in").write_bytes(b"\x03<s>" + bytes([200 % 128 | 128, 1]) + long)
    for name in ("encoder", "decoder"):
        (tmp_path / name).write_bytes(name.encode())
    outs = [str(tmp_path / f"out-{n}") for n in range(3)]
    convert_moonshine.convert(
        tmp_path / "encoder", tmp_path / "decoder", tmp_path / "in", outs
    )
    with open(outs[2], encoding="ascii") as file:
        lines = [line.split() for line in file]
    assert [(base64.b64decode(t), int(n)) for t, n in lines] == [
        (b"<s>", 0),
        (long, 1),
    ]
    with open(outs[1], "rb") as file:
        assert file.read() == b"decoder"


@pytest.mark.parametrize("data", [b"\x03<s", b"\x81"])
def test_a_damaged_table_of_tokens_is_an_error_of_ours(data):
    with pytest.raises(FetchError):
        convert_moonshine.read_tokens(data)
