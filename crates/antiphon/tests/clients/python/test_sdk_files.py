"""Files and folders by HubSpot's next Python client."""

import hashlib
import json
import tempfile
import unittest
from datetime import datetime, timezone
from pathlib import Path

import requests
from hubspot_sdk import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    RateLimitError,
)
from kit import LIMITED_URL, PICTURE, Listener, ask, until, width
from sdk import Asynchronous, Driven

PRIVATE = json.dumps({"access": "PRIVATE"})


class Files(Driven, unittest.TestCase):
    family = "files"

    def setUp(self):
        self.files, self.folders = self.api.file_assets, self.api.folders

    def missing(self, call, *arguments):
        return self.refused(NotFoundError, "OBJECT_NOT_FOUND", call, *arguments)

    def note(self, content, **more):
        return self.files.upload(file=("note.txt", content, "text/plain"), **{"options": PRIVATE, **more})

    def test_what_is_uploaded_is_read_back(self):
        folder = f"{self.folder}/plans"
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "berth.png"
            path.write_bytes(PICTURE)
            picture = self.files.upload(file=path, folder_path=folder, options=PRIVATE)
            with path.open("rb") as opened:
                again = self.files.upload(file=opened, folder_path=folder, options=PRIVATE)
        self.assertEqual((picture.path, again.path), (f"{folder}/berth.png", f"{folder}/berth-1.png"))
        self.assertEqual((picture.type, picture.encoding, picture.width, picture.access), ("IMG", "png", 1, "PRIVATE"))
        text = self.files.upload(
            file="Grüße".encode(),
            file_name="greeting.txt",
            folder_id=picture.parent_folder_id,
            charset_hunch="utf-8",
            options=PRIVATE,
        )
        self.assertEqual((text.path, text.file_md5), (f"{folder}/greeting.txt", hashlib.md5("Grüße".encode()).hexdigest()))

        self.assertEqual(self.files.get(picture.id), picture)
        some = self.files.get(picture.id, properties=["name", "size"])
        self.assertEqual((some.name, some.size, some.path), ("berth", len(PICTURE), None))
        self.assertEqual(requests.get(picture.url, timeout=20).status_code, 404)
        signed = self.files.get_signed_url(text.id, expiration_seconds=60)
        self.assertLess((signed.expires_at - datetime.now(timezone.utc)).total_seconds(), 61)
        self.assertEqual((f"{signed.name}.{signed.extension}", signed.size), ("greeting.txt", 7))
        self.assertEqual(requests.get(signed.url, timeout=20).content.decode(), "Grüße")
        scaled = self.files.get_signed_url(picture.id, size="thumb", upscale=True)
        self.assertEqual(width(requests.get(scaled.url, timeout=20).content), 128)

    def test_a_file_is_changed_replaced_deleted_and_erased(self):
        file = self.note(b"one", folder_path=f"{self.folder}/changing")
        changed = self.files.update(
            file.id,
            clear_expires=False,
            name="renamed",
            access="PUBLIC_NOT_INDEXABLE",
            parent_folder_path=f"{self.folder}/changed",
            is_usable_in_content=False,
            expires_at=datetime(2099, 1, 1, tzinfo=timezone.utc),
        )
        self.assertEqual((changed.path, changed.is_usable_in_content), (f"{self.folder}/changed/renamed.txt", False))
        self.assertEqual(changed.expires_at, 4_070_908_800_000)
        self.assertEqual(requests.get(changed.url, timeout=20).text, "one")
        back = self.files.update(file.id, parent_folder_id=file.parent_folder_id, clear_expires=True)
        self.assertEqual((back.path, back.expires_at), (f"{self.folder}/changing/renamed.txt", None))

        options = json.dumps({"access": "PUBLIC_INDEXABLE"})
        replaced = self.files.replace(file.id, file=b"two, longer", charset_hunch="utf-8", options=options)
        self.assertEqual((replaced.id, replaced.size, replaced.access), (file.id, 11, "PUBLIC_INDEXABLE"))
        self.assertEqual(requests.get(replaced.url, timeout=20).text, "two, longer")

        self.files.delete(file.id)
        self.missing(self.files.get, file.id)
        self.missing(self.files.delete, file.id)
        self.files.gdpr_delete(file.id)
        self.missing(self.files.gdpr_delete, file.id)

    def test_files_are_found_page_by_page(self):
        path = f"{self.folder}/found"
        made = [self.note(b"x" * size, folder_path=path, file_name=f"leaf {size}") for size in range(1, 6)]
        second, third = made[1:3]
        for wanted, expected in (
            ({"path": path, "sort": ["-size"], "limit": 2, "properties": ["name", "size"]}, [5, 4, 3, 2, 1]),
            ({"ids": [int(second.id), int(third.id)]}, [2, 3]),
            ({"id_gte": int(third.id), "parent_folder_ids": [int(third.parent_folder_id)]}, [3, 4, 5]),
            ({"name": "LEAF", "size_gte": 4, "path": path, "extension": "txt", "type": "DOCUMENT"}, [4, 5]),
            ({"file_md5": second.file_md5, "allows_anonymous_access": False, "path": path}, [2]),
            ({"created_at_gte": third.created_at, "created_at_lte": third.created_at, "path": path}, [3]),
            ({"updated_at_lte": datetime(1970, 1, 1, tzinfo=timezone.utc)}, []),
            ({"url": second.url, "is_usable_in_content": True}, [2]),
        ):
            with self.subTest(wanted=wanted):
                found = self.files.search(**{"sort": ["id"], **wanted})
                self.assertEqual([file.size for file in found], expected)

    def test_a_file_comes_from_elsewhere(self):
        wanted = {
            "access": "PRIVATE",
            "folder_path": f"{self.folder}/imported",
            "name": "logo",
            "overwrite": False,
            "duplicate_validation_strategy": "NONE",
            "duplicate_validation_scope": "ENTIRE_PORTAL",
        }
        task = self.files.import_from_url_async(**wanted, url=f"{Listener(self).url}/logo.png")
        self.assertTrue(task.links["status"].endswith(f"/files/2026-03/files/import-from-url/async/tasks/{task.id}/status"))
        complete = lambda answer: answer.status == "COMPLETE"
        done = until(lambda: self.files.get_import_task_status(task.id), complete)
        self.assertLessEqual(done.started_at, done.completed_at)
        self.assertEqual((done.result.path, done.result.size), (f"{self.folder}/imported/logo.png", len(PICTURE)))
        task = self.files.import_from_url_async(**wanted, url="http://127.0.0.1:1/logo.png")
        failed = until(lambda: self.files.get_import_task_status(task.id), complete)
        self.assertEqual((failed.num_errors, len(failed.errors), failed.result), (1, 1, None))
        self.missing(self.files.get_import_task_status, "nothing")

    def test_folders_are_made_found_moved_and_deleted(self):
        at = self.folder
        harbour = self.files.create(name="harbour", parent_path=at)
        quay = self.files.create(name="quay", parent_folder_id=harbour.id)
        self.assertEqual(quay.path, f"{at}/harbour/quay")
        self.assertEqual(self.folders.get_by_id(quay.id), quay)
        self.assertEqual(self.folders.get_by_path(f"{at}/harbour/quay", properties=["name"]).name, "quay")
        self.files.create(name="wharf", parent_folder_id=harbour.id)
        found = self.folders.search(parent_folder_ids=[int(harbour.id)], sort=["-name"], limit=1)
        self.assertEqual([folder.name for folder in found], ["wharf", "quay"])
        self.assertEqual(self.folders.update_by_id(quay.id, name="pier").path, f"{at}/harbour/pier")
        inside = self.note(b"x", folder_id=quay.id, file_name="inside")
        basin = self.files.create(name="basin", parent_path=at)
        task = self.folders.update_async_by_id(id=quay.id, parent_folder_id=int(basin.id), name="jetty")
        done = until(lambda: self.folders.get_update_async_status(task.id), lambda answer: answer.status == "COMPLETE")
        self.assertEqual(done.result.path, f"{at}/basin/jetty")
        self.assertEqual(self.files.get(inside.id).path, f"{at}/basin/jetty/inside.txt")
        self.folders.delete_by_path(f"{at}/basin/jetty")
        self.folders.delete_by_id(harbour.id)
        self.missing(self.folders.get_by_id, harbour.id)
        self.missing(self.folders.get_by_path, f"{at}/basin/jetty")
        self.missing(self.files.get, inside.id)

    def test_what_is_wrong_is_raised(self):
        both = {"folder_id": "1", "folder_path": "/both"}
        wrong = self.refused(BadRequestError, "VALIDATION_ERROR", self.note, b"x", **both)
        self.assertEqual(wrong["errors"][0]["in"], "folderPath")
        once = {"access": "PRIVATE", "duplicateValidationStrategy": "REJECT", "duplicateValidationScope": "EXACT_FOLDER"}
        once = {"folder_path": f"{self.folder}/once", "options": json.dumps(once)}
        self.note(b"once", **once)
        self.refused(ConflictError, "CONFLICT", self.note, b"once", **once)
        stranger = self.of(self.client(access_token="nobody")).file_assets
        self.refused(AuthenticationError, "INVALID_AUTHENTICATION", stranger.get, "1")

    def test_too_much_at_once_is_refused_and_too_much_in_a_row_is_tried_again(self):
        # A token of its own, since each has its limit.
        token = ask("/antiphon/v1/tokens", {"label": "x", "appId": "4410", "scopes": ["files"]}, url=LIMITED_URL, status=201)
        client = self.client(access_token=token["token"], base_url=LIMITED_URL)
        hasty = self.of(client.with_options(max_retries=0)).file_assets
        large = self.refused(APIStatusError, "PAYLOAD_TOO_LARGE", hasty.upload, file=bytes(80_000), options=PRIVATE)
        self.assertEqual(large["status"], "error")
        with self.assertRaises(RateLimitError) as refused:
            for _ in range(10):
                hasty.search()
        self.assertEqual(refused.exception.body["policyName"], "TEN_SECONDLY_ROLLING")
        self.assertEqual(list(self.of(client).file_assets.search()), [])


class AsynchronousFiles(Asynchronous, Files):
    pass
