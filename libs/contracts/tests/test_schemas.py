#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds schemas/*.schema.json to the C types, through contracts-filter.

usage: test_schemas.py FILTER SCHEMAS SAMPLES

What the types emit must fit its schema; every property of a schema must be
emitted by some sample; and each limit of a schema must be the type's own: the
value at the limit is taken, the one beyond it never gets out again.
"""
import copy
import json
import pathlib
import subprocess
import sys
import unittest

try:
    import jsonschema
except ImportError:
    print("1..0 # SKIP the Python package jsonschema is not installed")
    sys.exit(77)

def walk(schema, path=()):
    """(path, schema) of each property, objects inside objects included."""
    for name, sub in schema.get("properties", {}).items():
        yield path + (name,), sub
        for option in [sub] + sub.get("oneOf", []):
            yield from walk(option, path + (name,))


def without_required(schema):
    """What an old peer left out stays out when it is written again."""
    if isinstance(schema, list):
        return [without_required(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: without_required(value) for key, value in schema.items()
            if key not in ("required", "allOf")}


def dig(value, path):
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return value


def changed(payload, path, value):
    payload = copy.deepcopy(payload)
    dig(payload, path[:-1])[path[-1]] = value
    return payload


class Schemas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        program, schemas, samples = PATHS
        cls.filter = subprocess.Popen([program], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        cls.schemas = {p.name.split(".")[0]: json.loads(p.read_text())
                       for p in pathlib.Path(schemas).glob("*.schema.json")}
        cls.samples = {p.stem: json.loads(p.read_text())
                       for p in pathlib.Path(samples).glob("*.json")}

    @classmethod
    def tearDownClass(cls):
        cls.filter.stdin.close()
        cls.filter.wait(timeout=10)
        cls.filter.stdout.close()

    def ask(self, name, payload):
        event = self.samples[name].get("event") or "stream:end"
        line = json.dumps({"event": event, "payload": payload})
        self.filter.stdin.write(line + "\n")
        self.filter.stdin.flush()
        return json.loads(self.filter.stdout.readline())

    def emitted(self, name):
        cases = self.samples[name]["cases"]
        return [case["emits"] for case in cases if "emits" in case]

    def test_each_sample_file_has_a_schema(self):
        self.assertEqual(set(self.schemas), set(self.samples))

    def test_what_is_emitted_fits(self):
        for name, schema in self.schemas.items():
            jsonschema.Draft202012Validator.check_schema(schema)
            whole = jsonschema.Draft202012Validator(schema)
            parts = jsonschema.Draft202012Validator(without_required(schema))
            for payload in self.emitted(name):
                with self.subTest(event=name, payload=payload):
                    parts.validate(payload)
            with self.subTest(event=name):
                self.assertTrue([p for p in self.emitted(name) if whole.is_valid(p)])

    def test_a_foreign_property_does_not_fit(self):
        for name, schema in self.schemas.items():
            payload = dict(self.emitted(name)[0], foreign=1)
            with self.subTest(event=name):
                with self.assertRaises(jsonschema.ValidationError):
                    jsonschema.Draft202012Validator(schema).validate(payload)

    def test_each_property_is_emitted_by_some_sample(self):
        for name, schema in self.schemas.items():
            for path, _ in walk(schema):
                if "_placeholder" in path or "num" in path or "error" in path[:-1]:
                    continue
                with self.subTest(event=name, path=path):
                    found = [p for p in self.emitted(name) if dig(p, path) is not None]
                    self.assertTrue(found, f"no sample emits {'.'.join(path)}")

    def test_number_limits_are_those_of_the_type(self):
        for name, schema in self.schemas.items():
            for path, sub in walk(schema):
                for key, beyond in (("minimum", -1), ("maximum", 1)):
                    if sub.get("type") == "integer" and key in sub:
                        self.check_limit(name, path, sub[key], beyond)

    def check_limit(self, name, path, limit, beyond):
        payload = next((p for p in self.emitted(name) if dig(p, path) is not None), None)
        if payload is None:
            return  # held by the test above
        with self.subTest(event=name, path=path, limit=limit):
            self.assertIn("emits", self.ask(name, changed(payload, path, limit)))
            reply = self.ask(name, changed(payload, path, limit + beyond))
            if "emits" in reply:  # where we are lenient, it does not get out again
                schema = without_required(self.schemas[name])
                jsonschema.Draft202012Validator(schema).validate(reply["emits"])


if __name__ == "__main__":
    PATHS = sys.argv[1:4]
    unittest.main(argv=sys.argv[:1])
