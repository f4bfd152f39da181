"""HubSpot's official Python client against a running Antiphon: the base URL is changed, nothing else."""

import os
import unittest
from urllib.parse import urlsplit

from hubspot import HubSpot
from hubspot.conversations.visitor_identification import ApiClient, Configuration
from urllib3.util.retry import Retry

URL = os.environ["ANTIPHON_URL"]
LIMITED_URL = os.environ["ANTIPHON_LIMITED_URL"]
TOKEN = "pat-demo-antiphon"
V3 = "/conversations/v3/conversations"
BETA = "/conversations/conversations/2026-09-beta"
LATEST = "/conversations/conversations/2026-09"


def client(token=TOKEN, url=URL):
    return HubSpot(access_token=token, base_url=url)


def ask(path, qs=None, status=200, method="GET", body=None, token=TOKEN):
    options = {"path": path, "qs": qs or {}, "method": method}
    if body is not None:
        options["body"] = body
    response = client(token).api_request(options)
    assert response.status_code == status, f"{path}: {response.status_code} {response.text}"
    return None if status == 204 else response.json()


def pages(path, qs=None):
    qs = dict(qs or {})
    while True:
        page = ask(path, qs)
        yield page["results"]
        following = page.get("paging", {}).get("next")
        if not following:
            return
        assert urlsplit(following["link"]).path == path
        qs["after"] = following["after"]


def everything(path, qs=None):
    return [item for page in pages(path, qs) for item in page]


def open_chat():
    accounts = ask(f"{V3}/channel-accounts", {"channelId": [1000]})["results"]
    usable = {account["id"] for account in accounts if account["active"] and account["authorized"]}
    return next(
        thread
        for thread in everything(f"{V3}/threads", {"threadStatus": "OPEN", "limit": 500})
        if thread["originalChannelAccountId"] in usable and thread.get("assignedTo", "").startswith("A-")
    )


class Conversations(unittest.TestCase):
    def test_every_thread_is_listed_once_and_can_be_read(self):
        for prefix in (V3, BETA, LATEST):
            threads = everything(f"{prefix}/threads", {"limit": 40})
            self.assertGreater(len(threads), 100)
            self.assertEqual(len({thread["id"] for thread in threads}), len(threads))
            self.assertEqual(ask(f"{prefix}/threads/{threads[-1]['id']}"), threads[-1])

    def test_booleans_and_repeated_keys_arrive(self):
        inboxes = [inbox["id"] for inbox in ask(f"{V3}/inboxes")["results"]][:2]
        threads = everything(f"{V3}/threads", {"inboxId": inboxes, "archived": False, "limit": 500})
        self.assertEqual({thread["inboxId"] for thread in threads}, set(inboxes))
        archived = everything(f"{V3}/threads", {"archived": True})
        self.assertTrue(archived)
        self.assertTrue(all(thread["archived"] for thread in archived))

    def test_a_history_is_paged(self):
        path = f"{BETA}/threads/{open_chat()['id']}/messages"
        self.assertGreater(len(list(pages(path, {"limit": 2}))), 1)
        newest_first = everything(path, {"limit": 2})
        self.assertEqual(len({message["id"] for message in newest_first}), len(newest_first))
        self.assertEqual(everything(path, {"limit": 3, "sort": ["createdAt"]}), newest_first[::-1])

    def test_a_message_and_a_comment_are_sent(self):
        thread = open_chat()
        path = f"{V3}/threads/{thread['id']}/messages"
        newest = next(m for m in everything(path) if m.get("direction") == "INCOMING")
        sent = ask(path, status=201, method="POST", body={
            "type": "MESSAGE",
            "text": "Grüße aus Python 🐍",
            "senderActorId": thread["assignedTo"],
            "channelId": thread["originalChannelId"],
            "channelAccountId": thread["originalChannelAccountId"],
            "recipients": [
                {"actorId": s["actorId"], "deliveryIdentifiers": [s["deliveryIdentifier"]]} for s in newest["senders"]
            ],
        })
        self.assertEqual(sent["status"]["statusType"], "SENT")
        self.assertEqual(sent["text"], "Grüße aus Python 🐍")
        self.assertEqual(sent["client"], {"clientType": "INTEGRATION", "integrationAppId": 4410})
        self.assertEqual(ask(path, {"limit": 1})["results"], [sent])
        comment = ask(path, status=201, method="POST", body={"type": "COMMENT", "text": "noted", "subject": None})
        self.assertEqual(comment["createdBy"], "I-4410")

    def test_actors_are_read_in_batches(self):
        body = {"inputs": [open_chat()["assignedTo"], "V-9007199254740991"]}
        batch = ask(f"{V3}/actors/batch/read", status=207, method="POST", body=body)
        self.assertEqual([actor["type"] for actor in batch["results"]], ["AGENT"])
        self.assertEqual(batch["numErrors"], 1)

    def test_errors_say_what_clients_look_for(self):
        refused = ask(f"{V3}/threads", status=401, token="nobody")
        self.assertEqual(refused["category"], "INVALID_AUTHENTICATION")
        self.assertTrue(refused["message"].startswith("Authentication credentials not found."))
        missing = ask(f"{V3}/threads/99999999", status=404)
        self.assertEqual(missing["context"]["id"], ["99999999"])
        wrong = ask(f"{V3}/threads", {"limit": 0, "sort": "colour"}, status=400)
        self.assertEqual({problem["in"] for problem in wrong["errors"]}, {"limit", "sort"})

    def test_over_the_limit_the_generated_client_waits_and_tries_again(self):
        retry = Retry(total=3, status_forcelist=(429,), respect_retry_after_header=True, backoff_factor=0)
        configuration = Configuration(host=LIMITED_URL)
        configuration.retries = retry
        limited = ApiClient(configuration).rest_client
        patient = 0
        for _ in range(int(os.environ["ANTIPHON_LIMIT"]) + 2):
            headers = {"Authorization": "Bearer pat-demo-readonly"}
            response = limited.request("GET", f"{LIMITED_URL}{V3}/inboxes", headers=headers)
            self.assertEqual(response.status, 200)
            patient += len(response.urllib3_response.retries.history)
        self.assertGreater(patient, 0, "it never met the limit")


if __name__ == "__main__":
    unittest.main(verbosity=2)
