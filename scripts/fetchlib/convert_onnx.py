# SPDX-License-Identifier: Apache-2.0
"""Metadata that sherpa-onnx wants and published voices do not have.

An ONNX file is one protobuf message, and a protobuf message may be extended by
appending fields to it. So a copy with `metadata_props` (field 14: a message of
key 1 and value 2) at its end is the same model with more metadata.
"""

import json
import shutil
import tarfile

from .errors import FetchError

METADATA_PROPS = 14
KEY = 1
VALUE = 2

# A Kokoro voice: a style for each length of a sentence.
STYLE_SHAPE = (510, 1, 256)
STYLE_BYTES = 510 * 256 * 4


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, data):
    """A length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def metadata(pairs):
    return b"".join(
        field(METADATA_PROPS, field(KEY, k.encode()) + field(VALUE, v.encode()))
        for k, v in pairs.items()
    )


def with_metadata(source, target, pairs):
    shutil.copyfile(source, target)
    with open(target, "ab") as file:
        file.write(metadata(pairs))


def piper_pairs(config):
    """What sherpa-onnx reads of a Piper voice, from the voice's own JSON."""
    return {
        "model_type": "vits",
        "comment": "piper",
        "language": config["language"]["name_english"],
        "voice": config["espeak"]["voice"],
        "has_espeak": "1",
        "n_speakers": str(config["num_speakers"]),
        "sample_rate": str(config["audio"]["sample_rate"]),
    }


def piper_tokens(config):
    """The text of tokens.txt: a phoneme symbol and its number a line."""
    table = [(ids[0], symbol) for symbol, ids in config["phoneme_id_map"].items()]
    return "".join(f"{symbol} {number}\n" for number, symbol in sorted(table))


def convert_piper(onnx, config_path, out_onnx, out_config, out_tokens):
    with open(config_path, encoding="utf-8") as file:
        config = json.load(file)
    with_metadata(onnx, out_onnx, piper_pairs(config))
    shutil.copyfile(config_path, out_config)
    with open(out_tokens, "w", encoding="utf-8") as file:
        file.write(piper_tokens(config))


def kokoro_voices(archive):
    """name -> bytes of each voices/NAME.bin in the npm package, sorted."""
    found = {}
    try:
        with tarfile.open(archive) as tar:
            for info in tar:
                folder, _, file = info.name.rpartition("/")
                if not folder.endswith("/voices") or not file.endswith(".bin"):
                    continue
                if not info.isfile() or info.size != STYLE_BYTES:
                    raise FetchError(f"{info.name} is no Kokoro voice: {info.size} bytes")
                found[file[: -len(".bin")]] = tar.extractfile(info).read()
    except tarfile.TarError as error:
        raise FetchError(f"the archive of voices is damaged: {error}") from error
    if not found:
        raise FetchError("there are no Kokoro voices in the archive")
    return dict(sorted(found.items()))


def kokoro_pairs(names):
    """What sherpa-onnx reads of a Kokoro model; names in the file's order."""
    return {
        "model_type": "kokoro",
        "version": "2",
        "language": "multi-lang",
        "comment": "Kokoro-82M v1.0",
        "has_espeak": "1",
        "voice": "en-us",
        "sample_rate": "24000",
        "style_dim": ",".join(str(n) for n in STYLE_SHAPE),
        "n_speakers": str(len(names)),
        "speaker_names": ",".join(names),
    }


def kokoro_tokens(config):
    """The text of tokens.txt: a phoneme symbol and its number a line."""
    table = sorted((number, symbol) for symbol, number in config["vocab"].items())
    return "".join(f"{symbol} {number}\n" for number, symbol in table)


def convert_kokoro(model, config_path, archive, outs):
    """MODEL: bytes; OUTS: paths of the model, the voices and the tokens."""
    out_onnx, out_voices, out_tokens = outs
    with open(config_path, encoding="utf-8") as file:
        config = json.load(file)
    voices = kokoro_voices(archive)
    with open(out_onnx, "wb") as file:
        file.write(model)
        file.write(metadata(kokoro_pairs(list(voices))))
    with open(out_voices, "wb") as file:
        file.write(b"".join(voices.values()))
    with open(out_tokens, "w", encoding="utf-8") as file:
        file.write(kokoro_tokens(config))
