"""Visitors' tokens by HubSpot's official Python client."""

import unittest

from hubspot import HubSpot
from hubspot.conversations.visitor_identification import (
    ApiException,
    IdentificationTokenGenerationRequest as Visitor,
)
from hubspot.conversations.visitor_identification.exceptions import ForbiddenException, UnauthorizedException
from kit import TOKEN, URL, Watched, ask


def client(token=TOKEN):
    return HubSpot(access_token=token, host=URL).conversations.visitor_identification


def visitor(email="Ineke@harbour.example", **names):
    return Visitor(email=email, **names)


class Visitors(unittest.TestCase):
    def test_a_token_says_who_the_visitor_is(self):
        watched = Watched(client())
        token = watched.generate_api.generate_token(visitor(first_name="Ineke", last_name="Vos")).token
        says = ask("/antiphon/v1/visitor-tokens/verify", {"token": token, "email": "ineke@harbour.example"})
        self.assertTrue(says["valid"])
        self.assertEqual((says["visitor"]["firstName"], says["visitor"]["lastName"]), ("Ineke", "Vos"))
        self.assertEqual(watched.left(), [])

    def test_nobody_else_gets_one(self):
        with self.assertRaises(ApiException) as wrong:
            client().generate_api.generate_token(visitor("nobody"))
        self.assertEqual(wrong.exception.status, 400)
        self.assertIn('"in":"email"', wrong.exception.body)
        with self.assertRaises(ForbiddenException):
            client("pat-demo-readonly").generate_api.generate_token(visitor())
        with self.assertRaises(UnauthorizedException):
            client("nobody").generate_api.generate_token(visitor())
