"""An app is let in by a user, and lives on its tokens, with HubSpot's official Python client."""

import json
import unittest

from hubspot import HubSpot
from hubspot.files.exceptions import UnauthorizedException
from hubspot.oauth import ApiException
from hubspot.oauth.exceptions import NotFoundException
from hubspot.utils.oauth import get_auth_url
from kit import OAUTH as APP
from kit import THREADS, URL, Watched, allowed, ask

CREDENTIALS = {"client_id": APP["clientId"], "client_secret": APP["clientSecret"]}
GRANTED = ["oauth", "conversations.read", "files", "tickets"]
WATCHED = Watched(HubSpot(host=URL).oauth)
TOKENS, ACCESS, REFRESH = WATCHED.tokens_api, WATCHED.access_tokens_api, WATCHED.refresh_tokens_api


def tearDownModule():
    assert WATCHED.left() == [], WATCHED.left()


def code():
    return allowed(get_auth_url(APP["clientId"], APP["redirectUri"], tuple(GRANTED[:3]), ("tickets",), "a&b"))


def exchange(code, **others):
    fields = {"code": code, "redirect_uri": APP["redirectUri"], **CREDENTIALS, **others}
    return TOKENS.create(grant_type="authorization_code", **fields)


def refresh(token):
    return TOKENS.create(grant_type="refresh_token", refresh_token=token, **CREDENTIALS)


class OAuth(unittest.TestCase):
    def refused(self, status, call, *arguments, **named):
        with self.assertRaises(ApiException) as raised:
            call(*arguments, **named)
        self.assertEqual(raised.exception.status, 400)
        body = json.loads(raised.exception.body)
        self.assertEqual(body["status"], status)
        self.assertEqual(body["message"], body["error_description"])
        return body["error"]

    def test_a_code_becomes_tokens(self):
        first = code()
        given = exchange(first)
        self.assertEqual((given.token_type, given.expires_in), ("bearer", 1800))
        access = ACCESS.get(given.access_token)
        self.assertEqual(
            (access.token, access.token_type, access.user, access.user_id, access.app_id, access.scopes),
            (given.access_token, "access", APP["email"], APP["userId"], APP["appId"], GRANTED),
        )
        self.assertTrue(1700 < access.expires_in <= 1800)
        kept = REFRESH.get(given.refresh_token)
        self.assertEqual(
            (kept.token, kept.token_type, kept.client_id, kept.hub_id, kept.hub_domain, kept.scopes),
            (given.refresh_token, "refresh", APP["clientId"], access.hub_id, access.hub_domain, GRANTED),
        )
        again = refresh(given.refresh_token)
        self.assertEqual(again.refresh_token, given.refresh_token)
        for token in (given.access_token, again.access_token):
            self.assertTrue(ask(THREADS, token=token)["results"])
        self.assertEqual(self.refused("BAD_AUTH_CODE", exchange, first), "invalid_grant")
        ask(THREADS, token=given.access_token, status=401)

    def test_a_client_with_an_expired_token_refreshes_it(self):
        client = HubSpot(access_token=APP["expired"], host=URL)
        with self.assertRaises(UnauthorizedException) as expired:
            client.files.files_api.do_search()
        body = json.loads(expired.exception.body)
        self.assertEqual(body["category"], "EXPIRED_AUTHENTICATION")
        self.assertRegex(body["message"], r"^The OAuth token used to make this call expired \d+ minute\(s\) ago\.$")
        client.access_token = refresh(APP["refresh"]).access_token
        self.assertIsNotNone(client.files.files_api.do_search().results)
        with self.assertRaises(NotFoundException):
            ACCESS.get(APP["expired"])

    def test_a_refresh_token_that_is_deleted_refreshes_nothing(self):
        given = exchange(code())
        REFRESH.archive(given.refresh_token)
        with self.assertRaises(NotFoundException):
            REFRESH.get(given.refresh_token)
        self.refused("BAD_REFRESH_TOKEN", refresh, given.refresh_token)
        ask(THREADS, token=given.access_token)

    def test_what_is_wrong_is_said_in_both_languages(self):
        for status, error, fields in (
            ("BAD_AUTH_CODE", "invalid_grant", {}),
            ("BAD_CLIENT_ID", "invalid_client", {"client_id": "00000000-0000-0000-0000-000000000000"}),
            ("BAD_CLIENT_SECRET", "invalid_client", {"client_secret": "wrong"}),
            ("BAD_REDIRECT_URI", "invalid_request", {"redirect_uri": "https://app.example/elsewhere"}),
        ):
            with self.subTest(status=status):
                self.assertEqual(self.refused(status, exchange, "nothing", **fields), error)
        self.assertEqual(self.refused("BAD_GRANT_TYPE", TOKENS.create, **CREDENTIALS), "unsupported_grant_type")

    def test_the_newer_versions_are_reached_by_the_generic_request(self):
        client = HubSpot(base_url=URL)

        def send(path, status=200, **fields):
            options = {"path": path, "method": "POST", "default_json": False, "body": {**CREDENTIALS, **fields}}
            answer = client.api_request(options)
            self.assertEqual(answer.status_code, status, answer.text)
            return answer.json() if answer.text else None

        for version in ("v3", "2026-03", "2026-09"):
            prefix = f"/oauth/{version}/token"
            own = send(prefix, grant_type="client_credentials")
            self.assertEqual((own["token_use"], own.get("refresh_token")), ("client_credentials", None))
            given = send(prefix, grant_type="authorization_code", code=code(), redirect_uri=APP["redirectUri"])
            self.assertEqual(send(f"{prefix}/introspect", token=given["access_token"])["app_id"], APP["appId"])
            self.assertIsNone(send(f"{prefix}/revoke", token=given["refresh_token"]))
            self.assertEqual(send(f"{prefix}/introspect", token=given["access_token"]), {"active": False})
            ask(THREADS, token=given["access_token"], status=401)
