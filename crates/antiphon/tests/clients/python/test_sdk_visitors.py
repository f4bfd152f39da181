"""Visitors' tokens by HubSpot's next Python client."""

import unittest

from hubspot_sdk import AuthenticationError, BadRequestError, PermissionDeniedError
from kit import Watched, ask
from sdk import Asynchronous, Driven

FAMILIES = {"custom_channels", "visitor_identification"}
VISITOR = {"email": "Ineke@harbour.example", "hs_customer_agent_context": {"berth": "4"}}


class Visitors(Driven, unittest.TestCase):
    family = "conversations.visitor_identification"

    def test_a_token_says_who_the_visitor_is(self):
        token = self.api.generate_token(**VISITOR, first_name="Ineke", last_name="Vos").token
        says = ask("/antiphon/v1/visitor-tokens/verify", {"token": token, "email": "ineke@harbour.example"})
        self.assertTrue(says["valid"])
        self.assertEqual((says["visitor"]["firstName"], says["visitor"]["lastName"]), ("Ineke", "Vos"))

    def test_nobody_else_gets_one(self):
        wrong = self.refused(BadRequestError, "VALIDATION_ERROR", self.api.generate_token, **{**VISITOR, "email": "x"})
        self.assertEqual(wrong["errors"][0]["in"], "email")
        reader = self.of(self.client(access_token="pat-demo-readonly"))
        self.refused(PermissionDeniedError, "MISSING_SCOPES", reader.generate_token, **VISITOR)
        stranger = self.of(self.client(access_token="nobody"))
        self.refused(AuthenticationError, "INVALID_AUTHENTICATION", stranger.generate_token, **VISITOR)

    def test_the_client_knows_no_other_family_of_conversations(self):
        known = Watched.operations(self.client().conversations)
        self.assertEqual({path.split(".")[1] for path in known}, FAMILIES)


class AsynchronousVisitors(Asynchronous, Visitors):
    pass
