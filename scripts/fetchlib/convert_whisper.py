# SPDX-License-Identifier: Apache-2.0
"""Float16 Whisper weights of a CTranslate2 file, for whisper.cpp.

The source file: u32 version; a name (u16 length, bytes with a final zero), u32
revision, u32 count; then for each tensor its name, u8 rank, u32 dimensions, u8
type (4 is float16), u32 bytes and the data. `self_attention/linear_0` is
query, key and value stacked (the key has no bias), `attention/linear_1` of the
decoder is key and value.

The target file: whisper.cpp's own header (magic, eleven numbers, mel filters,
vocabulary), which its test model without tensors consists of; then each tensor
as i32 rank, i32 name length, i32 type (0 float32, 1 float16), the dimensions
with the fastest first, the name and the data. whisper.cpp wants tensors of one
dimension, the convolutions' biases (as n x 1) and both positional embeddings in
float32.
"""

import struct

from .errors import FetchError

VERSION = 6
SPEC = "WhisperSpec"
FLOAT16 = 4
COLUMN_BIASES = ("encoder.conv1.bias", "encoder.conv2.bias")


class Reader:
    """Walks over the source file; struct checks the bounds."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, code):
        (value,) = struct.unpack_from("<" + code, self.data, self.at)
        self.at += struct.calcsize("<" + code)
        return value

    def skip(self, size):
        if self.at + size > len(self.data):
            raise struct.error("the file ends inside a tensor")
        self.at += size
        return self.data[self.at - size : self.at]

    def text(self):
        return bytes(self.skip(self.take("H"))[:-1]).decode()


def read_tensors(data):
    """name -> (shape, float16 bytes) of every float16 variable."""
    reader = Reader(memoryview(data))
    try:
        version, spec = reader.take("I"), reader.text()
        if version != VERSION or spec != SPEC:
            raise FetchError(f"not a Whisper model of version 6: {spec} {version}")
        reader.take("I")
        tensors = {}
        for _ in range(reader.take("I")):
            name = reader.text()
            shape = [reader.take("I") for _ in range(reader.take("B"))]
            kind, size = reader.take("B"), reader.take("I")
            values = reader.skip(size)
            if kind == FLOAT16:
                tensors[name] = (shape, values)
        return tensors
    except (struct.error, UnicodeDecodeError) as error:
        raise FetchError(f"the Whisper weights are damaged: {error}") from error


class Writer:
    """Puts tensors under whisper.cpp's names."""

    def __init__(self, tensors, out):
        self.tensors = tensors
        self.out = out

    def part(self, name, index, count):
        """One of COUNT equal pieces stacked along the first axis."""
        shape, data = self.tensors[name]
        size = len(data) // count
        rows = [shape[0] // count] + shape[1:]
        return rows, data[index * size : (index + 1) * size]

    def put(self, name, tensor, wide=False):
        shape, data = tensor
        kind = 1
        if wide or len(shape) < 2:
            count = len(data) // 2
            data = struct.pack(f"<{count}f", *struct.unpack(f"<{count}e", data))
            kind = 0
        if name in COLUMN_BIASES:
            shape = [shape[0], 1]
        raw = name.encode()
        self.out.write(struct.pack("<iii", len(shape), len(raw), kind))
        self.out.write(struct.pack(f"<{len(shape)}i", *reversed(shape)))
        self.out.write(raw)
        self.out.write(data)

    def linear(self, name, source):
        self.put(name + ".weight", self.tensors[source + "/weight"])
        self.put(name + ".bias", self.tensors[source + "/bias"])

    def norm(self, name, source):
        self.put(name + ".weight", self.tensors[source + "/gamma"])
        self.put(name + ".bias", self.tensors[source + "/beta"])

    def self_attention(self, name, source):
        weight = source + "/linear_0/weight"
        bias = source + "/linear_0/bias"
        self.put(name + ".query.weight", self.part(weight, 0, 3))
        self.put(name + ".query.bias", self.part(bias, 0, 3))
        self.put(name + ".key.weight", self.part(weight, 1, 3))
        self.put(name + ".value.weight", self.part(weight, 2, 3))
        self.put(name + ".value.bias", self.part(bias, 2, 3))
        self.linear(name + ".out", source + "/linear_1")

    def cross_attention(self, name, source):
        weight = source + "/linear_1/weight"
        bias = source + "/linear_1/bias"
        self.linear(name + ".query", source + "/linear_0")
        self.put(name + ".key.weight", self.part(weight, 0, 2))
        self.put(name + ".value.weight", self.part(weight, 1, 2))
        self.put(name + ".value.bias", self.part(bias, 1, 2))
        self.linear(name + ".out", source + "/linear_2")

    def block(self, name, source, cross):
        self.self_attention(name + ".attn", source + "/self_attention")
        self.norm(name + ".attn_ln", source + "/self_attention/layer_norm")
        if cross:
            self.cross_attention(name + ".cross_attn", source + "/attention")
            self.norm(name + ".cross_attn_ln", source + "/attention/layer_norm")
        self.linear(name + ".mlp.0", source + "/ffn/linear_0")
        self.linear(name + ".mlp.2", source + "/ffn/linear_1")
        self.norm(name + ".mlp_ln", source + "/ffn/layer_norm")

    def layers(self, side):
        """How many numbered layers a side (encoder, decoder) has."""
        start = side + "/layer_"
        numbers = [n[len(start) :].split("/")[0] for n in self.tensors if n.startswith(start)]
        return 1 + max(int(n) for n in numbers if n.isdigit())

    def positions(self, side):
        tensor = self.tensors[side + "/position_encodings/encodings"]
        self.put(side + ".positional_embedding", tensor, wide=True)

    def encoder(self):
        self.positions("encoder")
        self.linear("encoder.conv1", "encoder/conv1")
        self.linear("encoder.conv2", "encoder/conv2")
        for i in range(self.layers("encoder")):
            self.block(f"encoder.blocks.{i}", f"encoder/layer_{i}", cross=False)
        self.norm("encoder.ln_post", "encoder/layer_norm")

    def decoder(self):
        self.positions("decoder")
        embedding = self.tensors["decoder/embeddings/weight"]
        self.put("decoder.token_embedding.weight", embedding)
        for i in range(self.layers("decoder")):
            self.block(f"decoder.blocks.{i}", f"decoder/layer_{i}", cross=True)
        self.norm("decoder.ln", "decoder/layer_norm")


def convert(weights, header, target):
    """WEIGHTS: bytes of the source; HEADER, TARGET: paths."""
    tensors = read_tensors(weights)
    with open(header, "rb") as file, open(target, "wb") as out:
        out.write(file.read())
        writer = Writer(tensors, out)
        try:
            writer.encoder()
            writer.decoder()
        except KeyError as error:
            raise FetchError(f"the Whisper weights lack {error}") from error
