"""An app is let in by a user, and lives on its tokens, with HubSpot's next Python client."""

import base64
import hashlib
import secrets
import unittest

from hubspot.utils.oauth import get_auth_url
from hubspot_sdk import AuthenticationError, BadRequestError
from hubspot_sdk.types.auth import AccessTokenResponse, ClientCredentialsTokenResponse, PublicRefreshTokenInfoResponse
from kit import OAUTH as APP
from kit import THREADS, Watched, allowed, ask, waited
from sdk import Asynchronous, Driven

CREDENTIALS = {"client_id": APP["clientId"], "client_secret": APP["clientSecret"]}
GRANTED = ["oauth", "conversations.read", "files", "tickets"]


def code(more=""):
    return allowed(get_auth_url(APP["clientId"], APP["redirectUri"], tuple(GRANTED[:3]), ("tickets",), "a&b") + more)


class OAuth(Driven, unittest.TestCase):
    family = "auth"

    def setUp(self):
        self.oauth = self.api.oauth

    def create(self, grant_type, **fields):
        return self.oauth.create_token(grant_type=grant_type, **{**CREDENTIALS, **fields})

    def exchange(self, code, **fields):
        return self.create("authorization_code", **{"code": code, "redirect_uri": APP["redirectUri"], **fields})

    def introspect(self, token, **more):
        return self.oauth.introspect_token(token=token, **CREDENTIALS, **more)

    def test_a_code_becomes_tokens(self):
        first = code()
        given = self.exchange(first)
        self.assertIsInstance(given, AccessTokenResponse)
        self.assertEqual((given.token_type, given.expires_in), ("bearer", 1800))
        self.assertEqual((given.user_id, given.scopes), (APP["userId"], GRANTED))
        again = self.create("refresh_token", refresh_token=given.refresh_token)
        self.assertEqual(again.refresh_token, given.refresh_token)
        kept = self.introspect(given.refresh_token, token_type_hint="refresh_token")
        self.assertIsInstance(kept, PublicRefreshTokenInfoResponse)
        self.assertEqual(
            (kept.active, kept.token_type, kept.app_id, kept.client_id, kept.hub_id, kept.user, kept.scopes),
            (True, "refresh", APP["appId"], APP["clientId"], given.hub_id, APP["email"], GRANTED),
        )
        for token in (given.access_token, again.access_token):
            self.assertTrue(ask(THREADS, token=token)["results"])
        self.wrong("BAD_AUTH_CODE", "invalid_grant", self.exchange, first)
        ask(THREADS, token=given.access_token, status=401)

    def test_who_began_ends_it_without_a_secret(self):
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        begun = code(f"&code_challenge={challenge}&code_challenge_method=S256")
        without = {"grant_type": "authorization_code", "client_id": APP["clientId"], "redirect_uri": APP["redirectUri"]}
        given = self.oauth.create_token(**without, code=begun, code_verifier=verifier)
        self.assertTrue(ask(THREADS, token=given.access_token)["results"])
        begun = code(f"&code_challenge={challenge}&code_challenge_method=S256")
        wrong = {"code": begun, "code_verifier": verifier[::-1]}
        self.wrong("BAD_AUTH_CODE", "invalid_grant", self.oauth.create_token, **without, **wrong)

    def test_an_access_token_tells_what_it_is_until_it_is_revoked(self):
        given = self.exchange(code())
        # The client's description demands a signed copy of the token, which Antiphon leaves out.
        lenient = Watched(self.client(_strict_response_validation=False).auth).oauth
        seen = lenient.introspect_token(token=given.access_token, **CREDENTIALS)
        self.assertEqual(
            (seen.active, seen.token_use, seen.token_type, seen.app_id, seen.user_id, seen.user, seen.scopes),
            (True, "access_token", "access", APP["appId"], APP["userId"], APP["email"], GRANTED),
        )
        self.assertTrue(1700 < seen.expires_in <= 1800 and seen.is_private_distribution is False)
        revoked = self.oauth.revoke_token(token=given.refresh_token, token_type_hint="refresh_token", **CREDENTIALS)
        self.assertEqual((revoked.status_code, waited(revoked.read())), (200, b""))
        for token in (given.refresh_token, given.access_token):
            self.assertEqual(lenient.introspect_token(token=token, **CREDENTIALS).to_dict(), {"active": False})
        ask(THREADS, token=given.access_token, status=401)
        self.wrong("BAD_REFRESH_TOKEN", "invalid_grant", self.create, "refresh_token", refresh_token=given.refresh_token)

    def test_an_app_has_tokens_of_its_own(self):
        own = self.create("client_credentials", scope="developer.webhooks_journal.read")
        self.assertIsInstance(own, ClientCredentialsTokenResponse)
        self.assertEqual((own.expires_in, own.scopes), (1800, ["developer.webhooks_journal.read"]))
        ask(THREADS, token=own.access_token, status=403)

    def test_a_token_says_in_which_account_it_is(self):
        given = self.exchange(code())
        account = Watched(self.client(access_token=given.access_token).account).get()
        self.assertEqual((account.portal_id, account.account_type), (given.hub_id, "STANDARD"))

    def test_a_client_with_an_expired_token_refreshes_it(self):
        client = self.client(access_token=APP["expired"])
        files = Watched(client.files).file_assets
        message = self.refused(AuthenticationError, "EXPIRED_AUTHENTICATION", files.search)["message"]
        self.assertRegex(message, r"^The OAuth token used to make this call expired \d+ minute\(s\) ago\.$")
        client.access_token = self.create("refresh_token", refresh_token=APP["refresh"]).access_token
        self.assertIsNotNone(files.search())

    def wrong(self, status, error, call, *positional, **named):
        with self.assertRaises(BadRequestError) as raised:
            call(*positional, **named)
        self.assertEqual((raised.exception.body["status"], raised.exception.body["error"]), (status, error))
        self.assertEqual(raised.exception.body["message"], raised.exception.body["error_description"])

    def test_what_is_wrong_is_said_in_both_languages(self):
        for status, error, fields in (
            ("BAD_AUTH_CODE", "invalid_grant", {}),
            ("BAD_CLIENT_ID", "invalid_client", {"client_id": "00000000-0000-0000-0000-000000000000"}),
            ("BAD_CLIENT_SECRET", "invalid_client", {"client_secret": "wrong"}),
            ("BAD_REDIRECT_URI", "invalid_request", {"redirect_uri": "https://app.example/elsewhere"}),
        ):
            with self.subTest(status=status):
                self.wrong(status, error, self.exchange, "nothing", **fields)
        self.wrong("BAD_GRANT_TYPE", "unsupported_grant_type", self.oauth.create_token, **CREDENTIALS)
        self.wrong("BAD_CLIENT_SECRET", "invalid_client", self.oauth.introspect_token, token="x", client_id=APP["clientId"], client_secret="x")


class AsynchronousOAuth(Asynchronous, OAuth):
    pass
