"""Files and folders by HubSpot's official Python client."""

import hashlib
import json
import tempfile
import unittest
from datetime import datetime, timezone
from pathlib import Path

import requests
from hubspot import HubSpot
from hubspot.files import (
    ApiException,
    FileUpdateInput,
    FolderInput,
    FolderUpdateInput,
    FolderUpdateInputWithId,
    ImportFromUrlInput,
)
from hubspot.files.exceptions import NotFoundException, UnauthorizedException
from kit import LIMITED_URL, PICTURE, TOKEN, URL, Listener, Watched, until, width
from urllib3.util.retry import Retry

PRIVATE = json.dumps({"access": "PRIVATE"})
CLIENT = HubSpot(access_token=TOKEN, host=URL, base_url=URL)
WATCHED = Watched(CLIENT.files)
FILES, FOLDERS = WATCHED.files_api, WATCHED.folders_api


def tearDownModule():
    assert WATCHED.left() == [], WATCHED.left()


def download(id):
    return CLIENT.api_request({"path": f"/files/v3/files/{id}/download"}).content


class Files(unittest.TestCase):
    def upload(self, content, name="note.txt", **more):
        """The client reads files from disk alone."""
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = Path(directory.name) / name
        path.write_bytes(content)
        return FILES.upload(file=str(path), options=more.pop("options", PRIVATE), **more)

    def missing(self, call, *arguments):
        with self.assertRaises(NotFoundException) as raised:
            call(*arguments)
        self.assertEqual(json.loads(raised.exception.body)["category"], "OBJECT_NOT_FOUND")

    def test_what_is_uploaded_is_read_back(self):
        picture = self.upload(PICTURE, "berth.png", folder_path="/python/plans")
        self.assertEqual(
            (picture.path, picture.type, picture.encoding, picture.width, picture.access),
            ("/python/plans/berth.png", "IMG", "png", 1, "PRIVATE"),
        )
        self.assertIsInstance(picture.created_at, datetime)
        text = self.upload("Grüße".encode(), folder_id=picture.parent_folder_id, file_name="greeting", charset_hunch="utf-8")
        self.assertEqual(text.path, "/python/plans/greeting.txt")
        self.assertEqual(text.file_md5, hashlib.md5("Grüße".encode()).hexdigest())
        self.assertEqual(download(text.id).decode(), "Grüße")

        self.assertEqual(FILES.get_by_id(picture.id), picture)
        some = FILES.get_by_id(picture.id, properties=["name", "size"])
        self.assertEqual((some.name, some.size, some.path), ("berth", len(PICTURE), None))
        self.assertEqual(FILES.get_metadata("python/plans/greeting.txt").file, text)
        self.assertEqual(FILES.get_metadata("python/plans").folder.id, picture.parent_folder_id)

        self.assertEqual(requests.get(picture.url, timeout=20).status_code, 404)
        signed = FILES.get_signed_url(picture.id, expiration_seconds=60)
        self.assertLess((signed.expires_at - datetime.now(timezone.utc)).total_seconds(), 61)
        self.assertEqual((f"{signed.name}.{signed.extension}", signed.size), ("berth.png", len(PICTURE)))
        self.assertEqual(requests.get(signed.url, timeout=20).content, PICTURE)
        scaled = FILES.get_signed_url(picture.id, size="thumb", upscale=True)
        self.assertEqual(width(requests.get(scaled.url, timeout=20).content), 128)

    def test_a_file_is_changed_replaced_deleted_and_erased(self):
        file = self.upload(b"one", folder_path="/python/changing")
        change = FileUpdateInput(
            name="renamed",
            access="PUBLIC_NOT_INDEXABLE",
            parent_folder_path="/python/changed",
            is_usable_in_content=False,
            expires_at=datetime(2099, 1, 1, tzinfo=timezone.utc),
        )
        changed = FILES.update_properties(file.id, change)
        self.assertEqual((changed.path, changed.is_usable_in_content), ("/python/changed/renamed.txt", False))
        self.assertEqual(changed.expires_at, 4_070_908_800_000)
        self.assertEqual(requests.get(changed.url, timeout=20).text, "one")
        back = FILES.update_properties(file.id, FileUpdateInput(parent_folder_id=file.parent_folder_id, clear_expires=True))
        self.assertEqual((back.path, back.expires_at), ("/python/changing/renamed.txt", None))

        with tempfile.NamedTemporaryFile(suffix=".txt") as other:
            other.write(b"two, longer")
            other.flush()
            options = json.dumps({"access": "PUBLIC_INDEXABLE"})
            replaced = FILES.replace(file.id, file=other.name, charset_hunch="utf-8", options=options)
        self.assertEqual((replaced.id, replaced.size, replaced.access), (file.id, 11, "PUBLIC_INDEXABLE"))
        self.assertEqual(requests.get(replaced.url, timeout=20).text, "two, longer")

        FILES.archive(file.id)
        self.missing(FILES.get_by_id, file.id)
        self.missing(FILES.archive, file.id)
        FILES.delete(file.id)
        self.missing(FILES.delete, file.id)

    def test_files_are_found_page_by_page(self):
        made = [self.upload(b"x" * size, folder_path="/python/found", file_name=f"leaf {size}") for size in range(1, 6)]
        found, after = [], {}
        while after is not None:
            page = FILES.do_search(path="/python/found", sort=["-size"], limit=2, properties=["name", "size"], **after)
            self.assertLessEqual(len(page.results), 2)
            found += page.results
            after = {"after": page.paging.next.after} if page.paging else None
        self.assertEqual([file.size for file in found], [5, 4, 3, 2, 1])
        second, third = made[1:3]
        for wanted, expected in (
            ({"ids": [int(second.id), int(third.id)]}, [2, 3]),
            ({"id_gte": int(third.id), "parent_folder_ids": [int(third.parent_folder_id)]}, [3, 4, 5]),
            ({"name": "LEAF", "size_gte": 4, "path": "/python/found", "extension": "txt", "type": "DOCUMENT"}, [4, 5]),
            ({"file_md5": second.file_md5, "allows_anonymous_access": False, "path": "/python/found"}, [2]),
            ({"created_at_gte": third.created_at, "created_at_lte": third.created_at, "path": "/python/found"}, [3]),
            ({"updated_at_lte": datetime(1970, 1, 1, tzinfo=timezone.utc)}, []),
            ({"url": second.url, "is_usable_in_content": True}, [2]),
        ):
            with self.subTest(wanted=wanted):
                self.assertEqual([file.size for file in FILES.do_search(sort=["id"], **wanted).results], expected)

    def test_a_file_comes_from_elsewhere(self):
        elsewhere = Listener(self)
        wanted = ImportFromUrlInput(
            access="PRIVATE",
            url=f"{elsewhere.url}/logo.png",
            folder_path="/python/imported",
            name="logo",
            overwrite=False,
            duplicate_validation_strategy="NONE",
            duplicate_validation_scope="ENTIRE_PORTAL",
        )
        task = FILES.import_from_url(wanted)
        self.assertTrue(task.links["status"].endswith(f"/tasks/{task.id}/status"))
        done = until(lambda: FILES.check_import(task.id), lambda answer: answer.status == "COMPLETE")
        self.assertLessEqual(done.started_at, done.completed_at)
        self.assertEqual(done.result.path, "/python/imported/logo.png")
        self.assertEqual(download(done.result.id), PICTURE)
        wanted.url = "http://127.0.0.1:1/logo.png"
        task = FILES.import_from_url(wanted)
        failed = until(lambda: FILES.check_import(task.id), lambda answer: answer.status == "COMPLETE")
        self.assertEqual((failed.num_errors, len(failed.errors), failed.result), (1, 1, None))
        self.missing(FILES.check_import, "nothing")

    def test_folders_are_made_found_moved_and_deleted(self):
        harbour = FOLDERS.create(FolderInput(name="harbour", parent_path="/python"))
        quay = FOLDERS.create(FolderInput(name="quay", parent_folder_id=harbour.id))
        self.assertEqual(quay.path, "/python/harbour/quay")
        self.assertEqual(FOLDERS.get_by_id(quay.id), quay)
        self.assertEqual(FOLDERS.get_by_path("python/harbour/quay", properties=["name"]).name, "quay")
        self.assertEqual(FOLDERS.do_search(parent_folder_ids=[int(harbour.id)], limit=1).results, [quay])
        self.assertEqual(FOLDERS.update_properties(quay.id, FolderUpdateInput(name="pier")).path, "/python/harbour/pier")
        inside = self.upload(b"x", folder_id=quay.id, file_name="inside")
        basin = FOLDERS.create(FolderInput(name="basin", parent_path="/python"))
        move = FolderUpdateInputWithId(id=quay.id, parent_folder_id=int(basin.id), name="jetty")
        task = FOLDERS.update_properties_recursively(move)
        done = until(lambda: FOLDERS.check_update_status(task.id), lambda answer: answer.status == "COMPLETE")
        self.assertEqual(done.result.path, "/python/basin/jetty")
        self.assertEqual(FILES.get_by_id(inside.id).path, "/python/basin/jetty/inside.txt")
        FOLDERS.archive_by_path("python/basin/jetty")
        FOLDERS.archive(harbour.id)
        self.missing(FOLDERS.get_by_id, harbour.id)
        self.missing(FOLDERS.get_by_path, "python/basin/jetty")
        self.missing(FILES.get_by_id, inside.id)

    def test_what_is_wrong_is_raised(self):
        with self.assertRaises(ApiException) as wrong:
            self.upload(b"x", folder_id="1", folder_path="/both")
        self.assertEqual(wrong.exception.status, 400)
        self.assertEqual(json.loads(wrong.exception.body)["errors"][0]["in"], "folderPath")
        self.upload(b"once", folder_path="/python/once")
        reject = {"access": "PRIVATE", "duplicateValidationStrategy": "REJECT", "duplicateValidationScope": "EXACT_FOLDER"}
        with self.assertRaises(ApiException) as twice:
            self.upload(b"once", folder_path="/python/once", options=json.dumps(reject))
        self.assertEqual(twice.exception.status, 409)
        with self.assertRaises(UnauthorizedException):
            HubSpot(access_token="nobody", host=URL).files.files_api.get_by_id("1")

    def test_too_much_at_once_is_refused_and_too_much_in_a_row_is_tried_again(self):
        def files(**more):
            return HubSpot(access_token="pat-demo-other", host=LIMITED_URL, **more).files.files_api

        hasty = files(retry=Retry(0))
        with tempfile.NamedTemporaryFile() as large:
            large.write(bytes(80_000))
            large.flush()
            with self.assertRaises(ApiException) as refused:
                hasty.upload(file=large.name, options=PRIVATE)
        self.assertEqual(refused.exception.status, 413)
        for _ in range(10):
            with self.assertRaises(ApiException) as refused:
                hasty.get_by_id("999999999")
            if refused.exception.status == 429:
                break
        self.assertEqual(json.loads(refused.exception.body)["policyName"], "TEN_SECONDLY_ROLLING")
        patient = files(retry=Retry(total=3, status_forcelist=(429,), backoff_factor=0))
        self.assertEqual(patient.do_search().results, [])
