"""Requests that Antiphon signed, held against the verification of HubSpot's official Python client."""

import json
import unittest
from pathlib import Path

from hubspot.exceptions import InvalidSignatureTimestampError
from hubspot.utils.signature import Signature

SIGNED = json.loads(Path("signatures.json").read_text(encoding="utf-8"))


def valid(version, request):
    return Signature.is_valid(
        signature=request[version],
        client_secret=request["secret"],
        request_body=request["body"],
        http_uri=request["url"],
        http_method=request["method"],
        signature_version=version,
        timestamp=request["timestamp"],
    )


class Signatures(unittest.TestCase):
    def test_what_antiphon_signs_is_accepted(self):
        self.assertEqual(len(SIGNED["cases"]), 72)
        for request in SIGNED["cases"]:
            for version in ("v1", "v2", "v3"):
                with self.subTest(version=version, request=request):
                    self.assertEqual(valid(version, request), version != "v3" or not request["undone"])

    def test_what_was_changed_since_is_not(self):
        for request in SIGNED["cases"]:
            for version, member, value in (
                ("v1", "body", request["body"] + " "),
                ("v1", "secret", request["secret"] + "0"),
                ("v2", "body", request["body"] + " "),
                ("v2", "url", request["url"] + "0"),
                ("v2", "method", "PUT"),
                ("v3", "body", request["body"] + " "),
                ("v3", "url", request["url"] + "0"),
                ("v3", "method", "PUT"),
                ("v3", "secret", request["secret"] + "0"),
                ("v3", "timestamp", str(int(request["timestamp"]) + 1)),
            ):
                with self.subTest(version=version, changed=member, request=request):
                    self.assertFalse(valid(version, {**request, member: value}))

    def test_what_is_old_is_refused(self):
        self.assertTrue(valid("v1", SIGNED["old"]))
        with self.assertRaises(InvalidSignatureTimestampError):
            valid("v3", SIGNED["old"])


if __name__ == "__main__":
    unittest.main()
