"""HubSpot's next Python client, blocking and asynchronous, driven by the same tests."""

from operator import attrgetter

from hubspot_sdk import AsyncHubSpot, HubSpot
from kit import TOKEN, URL, Watched, waited


class Driven:
    """What the tests of a family have: clients of one kind, which are strict about what they are answered."""

    kind = HubSpot
    family = ""

    @classmethod
    def client(cls, **options):
        client = cls.kind(**{"base_url": URL, "_strict_response_validation": True, **options})
        cls.addClassCleanup(lambda: waited(client.close()))
        return client

    @classmethod
    def setUpClass(cls):
        cls.api = cls.of(cls.client(access_token=TOKEN))
        cls.folder = f"/{cls.__name__}"

    @classmethod
    def of(cls, client):
        return Watched(attrgetter(cls.family)(client))

    @classmethod
    def tearDownClass(cls):
        assert cls.api.left() == [], cls.api.left()

    def refused(self, error, category, call, *positional, **named):
        """What a call raises; it was made once."""
        with self.assertRaises(error) as raised:
            call(*positional, **named)
        self.assertEqual(raised.exception.body["category"], category)
        self.assertEqual(raised.exception.request.headers["x-stainless-retry-count"], "0")
        return raised.exception.body


class Asynchronous:
    kind = AsyncHubSpot
