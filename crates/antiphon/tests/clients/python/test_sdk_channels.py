"""A channel of an app's own by HubSpot's next Python client."""

import unittest
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import requests
from hubspot_sdk import APIStatusError, AuthenticationError, BadRequestError, ConflictError, NotFoundError
from kit import APP, DEVELOPER_KEY, PICTURE, THREADS, TOKEN, Listener, Watched, ask
from sdk import Asynchronous, Driven

CAPABILITIES = {"deliveryIdentifierTypes": ["HS_PHONE_NUMBER"], "richText": ["BOLD"], "outgoingAttachmentTypes": ["FILE"]}
# What the client demands for every field that is not changed.
UNTOUCHED = {
    "capabilities": {},
    "name": {},
    "webhook_url": {},
    "channel_account_connection_redirect_url": {},
    "channel_description": {},
    "channel_logo_url": {},
}


def phone(value):
    return {"type": "HS_PHONE_NUMBER", "value": value}


class Channels(Driven, unittest.TestCase):
    family = "conversations.custom_channels"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.api = cls.of(cls.client(developer_api_key=DEVELOPER_KEY, access_token=TOKEN))
        cls.accounts, cls.messages = cls.api.channel_accounts, cls.api.messages
        cls.inbox = ask("/conversations/v3/conversations/inboxes")["results"][0]["id"]
        cls.agent = ask("/antiphon/v1/agents")["results"][0]

    def channel(self, **more):
        return int(self.api.create(name="Harbour SMS", capabilities=CAPABILITIES, **more).id)

    def account(self, channel, number, name="Harbour"):
        named = {"name": name, "inbox_id": self.inbox, "authorized": True}
        return self.accounts.create(channel, delivery_identifier=phone(number), **named)

    def say(self, channel, account, text="Is berth 4 free?", attachments=(), **more):
        said = {
            "message_direction": "INCOMING",
            "timestamp": datetime.now(timezone.utc),
            "senders": [{"name": "Ineke", "delivery_identifier": phone("+31205550178")}],
            "recipients": [{"delivery_identifier": phone("+4940555012")}],
            **more,
        }
        return self.messages.create(channel, channel_account_id=account, text=text, attachments=attachments, **said)

    def test_a_channel_lives(self):
        described = {
            "webhook_url": "https://sms.example/events",
            "channel_account_connection_redirect_url": "https://sms.example/connect",
            "channel_description": "Text messages",
            "channel_logo_url": "https://sms.example/logo.png",
        }
        made = self.api.create(name="Harbour SMS", capabilities=CAPABILITIES, **described)
        self.assertEqual(made.capabilities, CAPABILITIES)
        self.assertEqual({name: getattr(made, name) for name in described}, described)
        changed = self.api.update(int(made.id), **{**UNTOUCHED, "capabilities": {"richText": []}, "channel_description": None})
        self.assertEqual((changed.capabilities, changed.channel_description), ({"richText": []}, None))
        self.assertEqual((changed.name, changed.webhook_url), (made.name, made.webhook_url))
        other = self.channel()
        listed = list(self.api.list(limit=1, sort=["-id"], default_page_length=5))
        self.assertEqual([channel.id for channel in listed[:2]], [str(other), made.id])
        self.api.delete(other)
        self.assertNotIn(str(other), [channel.id for channel in self.api.list()])
        self.refused(NotFoundError, "OBJECT_NOT_FOUND", self.api.update, other, **UNTOUCHED)

    def test_who_may_make_channels(self):
        alone = self.of(self.client(developer_api_key=DEVELOPER_KEY))
        bearing = self.of(self.client(access_token=TOKEN))
        for api in (alone, bearing):
            made = api.create(name="x", capabilities={}, extra_query={"appId": APP})
            self.assertIn(made.id, [channel.id for channel in self.api.list()])
        stranger = self.of(self.client(developer_api_key="nobody"))
        self.refused(AuthenticationError, "INVALID_AUTHENTICATION", stranger.list)
        wrong = self.refused(BadRequestError, "VALIDATION_ERROR", self.api.create, name="x", capabilities={"richText": 7})
        self.assertEqual(wrong["context"]["capabilityKeysAndValues"], ["richText: 7"])
        self.refused(APIStatusError, "PAYLOAD_TOO_LARGE", self.api.create, name="x" * 300_000, capabilities={})

    def test_accounts_are_connected_found_and_changed(self):
        channel = self.channel(channel_account_connection_redirect_url="https://sms.example/connect?a=1")
        made = self.account(channel, "+4940555013")
        self.assertEqual((made.active, made.inbox_id, made.delivery_identifier.value), (True, self.inbox, "+4940555013"))
        self.refused(ConflictError, "CONFLICT", self.account, channel, "0049 40555013")
        begin = {"inboxId": self.inbox, "userId": self.agent["id"]}
        begun = ask(f"/antiphon/v1/channels/{channel}/connect", begin, status=201)
        token = parse_qs(urlsplit(begun["location"]).query)["accountToken"][0]
        staged = {"channel_id": channel, "account_name": "Quay", "delivery_identifier": phone("+4940555014")}
        told = self.accounts.update_staging_token(token, **staged)
        self.assertEqual((told.generic_channel_id, told.inbox_id, told.account_name), (channel, int(self.inbox), "Quay"))
        self.refused(ConflictError, "CONFLICT", self.accounts.update_staging_token, token, **staged)
        found = list(self.accounts.list(channel, limit=1, sort=["-name"]))
        self.assertEqual([account.name for account in found], ["Quay", "Harbour"])
        sought = {"delivery_identifier_type": ["HS_PHONE_NUMBER", "HS_SHORT_CODE"], "delivery_identifier_value": ["+4940555014"]}
        self.assertEqual([account.name for account in self.accounts.list(channel, **sought)], ["Quay"])
        self.assertEqual(list(self.accounts.list(channel, archived=True)), [])
        off = self.accounts.update(int(made.id), channel_id=channel, authorized=False, name="Closed")
        self.assertEqual((off.active, off.authorized, off.name), (False, False, "Closed"))
        self.assertEqual(self.api.get(int(made.id), channel_id=channel, archived=False), off)
        inactive = self.refused(BadRequestError, "VALIDATION_ERROR", self.say, channel, made.id)
        self.assertEqual(inactive["subCategory"], "CustomChannelsError.CHANNEL_ACCOUNT_INACTIVE")

    def test_what_users_and_agents_say_goes_through_the_app(self):
        app = Listener(self)
        channel = self.channel(webhook_url=f"{app.url}/events")
        account = self.account(channel, "+4940555012").id
        self.assertEqual(app.event("CHANNEL_ACCOUNT_CREATED")["channelAccountId"], account)
        first = {"integration_thread_id": "relay-1", "integration_idempotency_id": "first"}
        said = self.say(channel, account, **first)
        self.assertEqual(self.say(channel, account, **first), said)
        self.assertEqual(self.messages.get(said.id, channel_id=channel), said)
        self.assertEqual((said.direction, said.status.status_type, said.senders[0].name), ("INCOMING", "RECEIVED", "Ineke"))
        answer = self.say(channel, account, "Or berth 5?", in_reply_to_id=said.id)
        self.assertEqual(answer.conversations_thread_id, said.conversations_thread_id)

        sent = {
            "type": "MESSAGE",
            "text": "Until nine.",
            "richText": "<b>Until nine.</b>",
            "senderActorId": self.agent["actorId"],
            "channelId": str(channel),
            "channelAccountId": account,
            "attachments": [{"type": "FILE", "fileId": self.picture()}],
        }
        sent = ask(f"{THREADS}/{said.conversations_thread_id}/messages", sent, status=201)
        event = app.event("OUTGOING_CHANNEL_MESSAGE_CREATED")
        self.assertEqual((event["message"]["id"], event["channelIntegrationThreadIds"]), (sent["id"], ["relay-1"]))
        self.assertEqual(event["message"]["recipients"][0]["deliveryIdentifier"], phone("+31205550178"))
        self.assertEqual(event["message"]["senders"][0]["name"], self.agent["name"])
        self.assertEqual(requests.get(event["message"]["attachments"][0]["url"], timeout=20).content, PICTURE)
        read = self.messages.update(sent["id"], channel_id=channel, status_type="READ")
        self.assertEqual(read.status.status_type, "READ")
        failed = self.messages.update(sent["id"], channel_id=channel, status_type="FAILED", error_message="no such number")
        self.assertEqual(failed.status.failure_details.error_message, "no such number")
        in_vain = {"channel_id": channel, "status_type": "READ"}
        self.refused(BadRequestError, "VALIDATION_ERROR", self.messages.update, said.id, **in_vain)

        theirs = {"senders": [{"delivery_identifier": phone("+4940555012")}], "recipients": said_to("+31205550178")}
        early = datetime.now(timezone.utc) - timedelta(days=1)
        published = self.say(channel, account, "Automatic.", message_direction="OUTGOING", timestamp=early, **theirs, **{"integration_thread_id": "relay-1"})
        self.assertEqual(published.conversations_thread_id, said.conversations_thread_id)
        self.assertEqual((published.direction, published.created_by), ("OUTGOING", f"I-{APP}"))
        self.assertGreater(published.created_at, answer.created_at)
        self.refused(NotFoundError, "OBJECT_NOT_FOUND", self.messages.get, "0" * 32, channel_id=channel)

    def picture(self):
        files = Watched(self.client(access_token=TOKEN).files).file_assets
        return files.upload(file=("plan.png", PICTURE, "image/png"), folder_path="/sdk", options="{}").id

    def test_attachments_of_every_type_come_back(self):
        channel = self.channel()
        account = self.account(channel, "+4940555015").id
        picture = self.picture()
        profile = {
            "addresses": [{"city": "Hamburg", "country_code": "DE", "type": "WORK"}],
            "emails": [{"email": "ineke@harbour.example", "type": "HOME"}],
            "phones": [{"phone": "+31205550178", "type": "CELL"}],
            "urls": [{"url": "https://harbour.example", "type": "WORK"}],
            "name": {"first_name": "Ineke", "last_name": "Vos"},
            "org": {"company": "Harbour"},
        }
        attachments = [
            {"type": "FILE", "file_id": picture},
            {"type": "LOCATION", "latitude": 53.5, "longitude": 9.9, "address": "Berth 4", "name": "Quay"},
            {"type": "CONTACT", "contact_profile": profile},
            {"type": "MESSAGE_HEADER", "file_id": int(picture), "text": "Plan"},
            {"type": "SOCIAL_MEDIA_METADATA", "social_metadata": {"media_type": "PHOTO", "media_title": "The quay"}},
            {"type": "QUICK_REPLIES", "quick_replies": [{"value": "yes", "value_type": "TEXT", "label": "Yes"}]},
            {"type": "UNSUPPORTED_CONTENT"},
        ]
        resolved = {"contacts": [{"contact_vid": 1, "contact_properties_leading_to_match": ["email"]}]}
        more = {"rich_text": "<p>See.</p>", "pre_resolved_contacts": resolved, "associate_with_contact_id": 1}
        said = self.say(channel, account, "See.", attachments, **more)
        back = said.attachments
        self.assertEqual([one.type for one in back], [one["type"] for one in attachments])
        self.assertEqual((back[0].file_id, back[0].file_usage_type), (picture, "IMAGE"))
        self.assertEqual(requests.get(back[0].url, timeout=20).content, PICTURE)
        self.assertEqual((back[1].latitude, back[1].address), (53.5, "Berth 4"))
        self.assertEqual(back[2].contact_profile.to_dict(use_api_names=False, exclude_none=True), profile)
        self.assertEqual((back[3].file_id, back[3].text), (int(picture), "Plan"))
        self.assertEqual(back[4].social_metadata.media_title, "The quay")
        self.assertEqual((back[5].quick_replies[0].label, back[5].allow_multi_select), ("Yes", False))


def said_to(number):
    return [{"delivery_identifier": phone(number)}]


class AsynchronousChannels(Asynchronous, Channels):
    pass
