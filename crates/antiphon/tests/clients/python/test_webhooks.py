"""The webhooks of an app, set up by HubSpot's official Python client with the app's developer key."""

import os
import unittest

from hubspot import HubSpot
from hubspot.webhooks import (
    ApiException,
    BatchInputSubscriptionBatchUpdateRequest,
    SettingsChangeRequest,
    SubscriptionBatchUpdateRequest,
    SubscriptionCreateRequest,
    SubscriptionPatchRequest,
    ThrottlingSettings,
)

URL = os.environ["ANTIPHON_URL"]
APP = 4410
TARGET = "https://bot.example.org/hooks"


def webhooks(key="key-demo-antiphon"):
    return HubSpot(api_key=key, host=URL).webhooks


class Webhooks(unittest.TestCase):
    def refused(self, status, call, *arguments):
        with self.assertRaises(ApiException) as raised:
            call(*arguments)
        self.assertEqual(raised.exception.status, status)
        return raised.exception

    def test_settings_are_configured_read_and_cleared(self):
        settings = webhooks().settings_api
        self.refused(404, settings.get_all, APP)
        wanted = SettingsChangeRequest(target_url=TARGET, throttling=ThrottlingSettings(max_concurrent_requests=10))
        made = settings.configure(APP, wanted)
        self.assertEqual((made.target_url, made.throttling.max_concurrent_requests), (TARGET, 10))
        self.assertIsNone(made.updated_at)
        self.assertEqual(settings.get_all(APP), made)
        settings.clear(APP)
        self.refused(404, settings.get_all, APP)
        self.refused(401, webhooks("nobody").settings_api.get_all, APP)
        self.refused(404, settings.get_all, 99)

    def test_subscriptions_live(self):
        api = webhooks().subscriptions_api
        made = api.create(APP, SubscriptionCreateRequest(event_type="conversation.propertyChange", property_name="status"))
        self.assertFalse(made.active)
        self.assertEqual(made.property_name, "status")
        twice = SubscriptionCreateRequest(event_type="conversation.propertyChange", property_name="status", active=True)
        self.assertEqual(self.refused(409, api.create, APP, twice).headers["x-should-retry"], "false")
        patched = api.update(int(made.id), APP, SubscriptionPatchRequest(active=True))
        self.assertTrue(patched.active)
        self.assertEqual(api.get_by_id(int(made.id), APP), patched)
        self.assertEqual(api.get_all(APP).results, [patched])
        off = [SubscriptionBatchUpdateRequest(id=id, active=False) for id in (int(made.id), 2147483647)]
        batch = api.update_batch(APP, BatchInputSubscriptionBatchUpdateRequest(inputs=off))
        self.assertEqual([one.active for one in batch.results], [False])
        self.assertEqual(batch.errors[0].context, {"id": ["2147483647"]})
        api.archive(int(made.id), APP)
        self.assertEqual(api.get_all(APP).results, [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
