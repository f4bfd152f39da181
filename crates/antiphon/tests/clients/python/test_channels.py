"""A channel of an app's own by HubSpot's official Python client, which knows these paths by its generic request alone."""

import unittest

from hubspot import HubSpot
from kit import APP, DEVELOPER_KEY, TOKEN, URL, ask

V3 = "/conversations/v3/custom-channels"
VERSIONS = ("v3", "2025-09", "2026-03", "2026-09")


def phone(value):
    return {"type": "HS_PHONE_NUMBER", "value": value}


class Channels(unittest.TestCase):
    def send(self, client, path, status=200, **options):
        answer = client.api_request({"path": path, **options})
        self.assertEqual(answer.status_code, status, answer.text)
        return answer.json() if answer.text else None

    def app(self, path, status=200, **options):
        return self.send(HubSpot(api_key=DEVELOPER_KEY, base_url=URL), path, status, qs={"appId": APP}, **options)

    def portal(self, path, status=200, **options):
        return self.send(HubSpot(access_token=TOKEN, base_url=URL), path, status, **options)

    def test_a_channel_lives_on_every_path(self):
        for base in (V3, *(f"/conversations/custom-channels/{version}" for version in VERSIONS)):
            body = {"name": "Harbour SMS", "capabilities": {"deliveryIdentifierTypes": ["HS_PHONE_NUMBER"]}}
            made = self.app(f"{base}/", 201, method="POST", body=body)
            path = f"{base}/{made['id']}"
            self.assertEqual(self.app(path), made)
            changed = self.app(path, method="PATCH", body={"capabilities": {"richText": ["BOLD"]}})
            self.assertEqual(changed, {**made, "capabilities": {"richText": ["BOLD"]}})
            self.assertIn(changed, self.app(f"{base}/")["results"])

            inbox = ask("/conversations/v3/conversations/inboxes")["results"][0]["id"]
            account = {"name": "Harbour", "inboxId": inbox, "authorized": True, "deliveryIdentifier": phone("+4940555012")}
            account = self.portal(f"{path}/channel-accounts", 201, method="POST", body=account)
            found = self.portal(f"{path}/channel-accounts", qs={"deliveryIdentifierValue": ["+4940555012"], "archived": False})
            self.assertEqual((found["total"], found["results"]), (1, [account]))
            said = {
                "channelAccountId": account["id"],
                "messageDirection": "INCOMING",
                "text": "Is berth 4 free?",
                "senders": [{"deliveryIdentifier": phone("+31205550178")}],
            }
            said = self.portal(f"{path}/messages", 201, method="POST", body=said)
            self.assertEqual(self.portal(f"{path}/messages/{said['id']}"), said)
            self.app(path, 204, method="DELETE")
            self.assertEqual(self.app(path, 404)["category"], "OBJECT_NOT_FOUND")
