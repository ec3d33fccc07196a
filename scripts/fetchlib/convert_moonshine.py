# SPDX-License-Identifier: Apache-2.0
"""Moonshine's table of tokens, as sherpa-onnx reads it.

The source file has the tokens one after the other, in the order of their
numbers: a length (one byte below 128; else its lower 7 bits and a second byte
times 128), then the bytes of the token. The target has one line for each:
base64, a space, the number.
"""

import base64
import shutil

from .errors import FetchError

LONG = 0x80


def read_tokens(data):
    tokens, at = [], 0
    while at < len(data):
        length, at = data[at], at + 1
        if length & LONG:
            if at == len(data):
                raise FetchError("the table of tokens ends inside a length")
            length, at = (length & ~LONG) + data[at] * LONG, at + 1
        if at + length > len(data):
            raise FetchError("the table of tokens ends inside a token")
        tokens.append(data[at : at + length])
        at += length
    return tokens


def convert(encoder, decoder, tokenizer, outs):
    shutil.copyfile(encoder, outs[0])
    shutil.copyfile(decoder, outs[1])
    with open(tokenizer, "rb") as file:
        tokens = read_tokens(file.read())
    with open(outs[2], "w", encoding="ascii") as file:
        for number, token in enumerate(tokens):
            file.write(f"{base64.b64encode(token).decode()} {number}\n")
