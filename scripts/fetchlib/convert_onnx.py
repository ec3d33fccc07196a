# SPDX-License-Identifier: Apache-2.0
"""Metadata that sherpa-onnx wants and a Piper voice's file does not have.

An ONNX file is one protobuf message, and a protobuf message may be extended by
appending fields to it. So a copy with `metadata_props` (field 14: a message of
key 1 and value 2) at its end is the same model with more metadata.
"""

import json
import shutil

METADATA_PROPS = 14
KEY = 1
VALUE = 2


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
