"""Files with a stranger at the other end, who speaks docs/files.md, well or badly."""
import hashlib
import os
import secrets
import unittest

import msgpack

from files_test import FilesTest
from programs import NOT_DELIVERED, PATIENCE_S, await_true
from raw_peer import META_IN_REPLY_TO, META_REJECTED, Kind, RawPeer

META_CONTENT_TYPE = 5
OFFER, CHUNK, DONE, STOP = (f"application/x-zpost-file-{word}"
                            for word in ("offer", "chunk", "done", "stop"))


class StrangerTest(FilesTest):
    """The other end as docs/files.md describes it, and as nobody should write it."""

    def setUp(self):
        super().setUp()
        self.saver = self.start_saver()
        self.mallory = RawPeer(self.broker.endpoint, "mallory", acks=True, patience=PATIENCE_S)
        self.addCleanup(self.mallory.disconnect)
        self.mallory.join(wait_for_name=True)
        self.transfer = secrets.token_hex(16)

    def ask(self, content_type, **fields):
        """The fields of the answer; a text: why it was rejected."""
        id = self.mallory.send(self.bob, msgpack.packb({"transfer": self.transfer, **fields}),
                               kind=Kind.REQUEST, meta={META_CONTENT_TYPE: content_type})
        reply = self.mallory.expect(Kind.REPLY, lambda e: e.meta.get(META_IN_REPLY_TO) == id)
        return reply.body if reply.meta.get(META_REJECTED) else reply.fields()

    def ask_until(self, key, content_type, **fields):
        """As a sender that is told to wait, and does."""
        while "wait" in (answer := self.ask(content_type, **fields)):
            pass
        self.assertIn(key, answer)
        return answer[key]

    def chunk(self, offset, content, transfer=None):
        return self.mallory.send(
            self.bob, msgpack.packb({"transfer": transfer or self.transfer, "offset": offset,
                                     "bytes": content}), meta={META_CONTENT_TYPE: CHUNK})

    def stop_text(self):
        stop = self.mallory.expect(Kind.SEND)
        self.assertEqual(stop.meta[META_CONTENT_TYPE], STOP)
        return stop.fields()

    def test_the_exchange_of_the_documentation(self):
        content = b"hello, bob"
        answer = self.ask(OFFER, name="hello.txt", size=10, future={"key": [1, 2]})
        self.assertEqual(answer, {"offset": 0, "sha256": hashlib.sha256().digest()})
        self.chunk(0, content[:4])
        self.chunk(0, content[:6])  # Repeated in part.
        answer = self.ask(DONE, size=10, sha256=hashlib.sha256(content).digest())
        self.assertEqual(answer, {"offset": 6, "sha256": hashlib.sha256(content[:6]).digest()})
        self.chunk(8, content[8:])  # A gap: void.
        self.chunk(6, content[6:])
        done = {"size": 10, "sha256": hashlib.sha256(content).digest()}
        self.assertEqual(self.ask_until("name", DONE, **done), "hello.txt")
        self.assertEqual(self.ask(DONE, **done), {"name": "hello.txt"})  # Said again.
        self.assertEqual((self.saved / "hello.txt").read_bytes(), content)

    def test_names_that_lead_astray_are_refused_in_words(self):
        before = sorted(self.folder.rglob("*"))
        for name, words in (("../evil", "is a path"), ("/tmp/evil", "is a path"), ("a/b", "is a path"),
                            ("..", "begins with a dot"), (".", "begins with a dot"),
                            (".bashrc", "begins with a dot"), ("", "needs a name"),
                            ("a\0b", "cannot be shown"), ("a\nb", "cannot be shown"),
                            ("a\x1b[2Jb", "cannot be shown"), ("gpj.\u202eexe", "cannot be shown"),
                            ("x" * 256, "256 bytes"), ("ü" * 128, "256 bytes")):
            with self.subTest(name=name):
                self.assertIn(words, self.ask(OFFER, name=name, size=1))
        self.assertEqual(sorted(self.folder.rglob("*")), before)

    def test_offers_that_are_none_are_refused(self):
        for fields in ({"name": "a"}, {"size": 1, "name": 5}, {"size": -1, "name": "a"},
                       {"size": 1, "name": "a", "transfer": "../../x"},
                       {"size": 1, "name": b"\xff"}):
            with self.subTest(fields=fields):
                self.assertIn("no offer", self.ask(OFFER, **fields))
        self.assertIn("that large", self.ask(OFFER, name="a", size=(1 << 64) - 1))
        self.assertIn("there is room for", self.ask(OFFER, name="a", size=1 << 60))
        self.assertEqual(self.names(), [])

    def test_a_link_is_not_followed(self):
        outside = self.file("outside", b"precious")
        (self.saved / "name").symlink_to(outside)
        (self.saved / f".part.{self.transfer}.part").symlink_to(outside)
        self.assertIn("Too many levels", self.ask(OFFER, name="part", size=1))
        self.assertEqual(self.send(self.file("name", b"new"))[1][0]["name"], "name (2)")
        self.assertEqual(outside.read_bytes(), b"precious")

    def test_a_part_that_is_another_files_hard_link_is_not_written(self):
        outside = self.file("outside", b"precious")
        os.link(outside, self.saved / f".part.{self.transfer}.part")
        self.assertIn("not a part", self.ask(OFFER, name="part", size=1))
        self.assertEqual(outside.read_bytes(), b"precious")

    def test_more_than_was_offered_ends_it(self):
        self.ask(OFFER, name="a", size=3)
        self.chunk(0, b"four")
        self.assertIn("more of it than was offered", self.stop_text()["text"])
        await_true(lambda: not self.names(), "nothing is left of it")

    def test_a_wrong_checksum_is_rejected_and_nothing_is_left(self):
        self.ask(OFFER, name="a", size=3)
        self.chunk(0, b"abc")
        answer = self.ask(DONE, size=3, sha256=hashlib.sha256(b"abd").digest())
        self.assertIn("checksum differs", answer)
        self.assertEqual(self.names(), [])

    def test_a_chunk_of_an_unknown_transfer_is_answered_once(self):
        for offset in range(5):
            self.chunk(offset, b"x")
        self.assertTrue(self.stop_text()["again"])
        self.assertIn("offset", self.ask(OFFER, name="a", size=3))
        self.assertEqual([e for e in self.mallory.seen if e.kind == Kind.SEND], [])

    def test_a_transfer_belongs_to_who_offered_it_last(self):
        self.ask(OFFER, name="a", size=6)
        eve = RawPeer(self.broker.endpoint, "eve", acks=True, patience=PATIENCE_S)
        self.addCleanup(eve.disconnect)
        eve.join(wait_for_name=True)
        mallory, self.mallory = self.mallory, eve
        self.assertEqual(self.ask(OFFER, name="a", size=6)["offset"], 0)
        self.chunk(0, b"abc")
        mallory, self.mallory = eve, mallory
        self.chunk(3, b"xyz")
        stop = self.stop_text()
        self.assertEqual((stop["text"], stop.get("again", False)), ("eve sends this file now", False))

    def test_beyond_the_limit_of_transfers_an_offer_is_refused_in_words(self):
        for number in range(16):
            self.transfer = secrets.token_hex(16)
            self.assertEqual(self.ask(OFFER, name=f"f{number}", size=1)["offset"], 0)
        code, _, err = self.send(self.file("another", b"x"))
        self.assertEqual(code, NOT_DELIVERED)
        self.assertIn(f"{self.bob} is receiving 16 files, which is its limit", err)
        self.chunk(0, b"x")
        self.ask_until("name", DONE, size=1, sha256=hashlib.sha256(b"x").digest())
        self.assertEqual(self.send(self.file("another", b"x"))[0], 0)

    def test_a_recipient_of_another_hand_gets_a_file(self):
        path = self.file("a", 600_000)
        self.bob = "mallory"
        sender = self.start_sender(path)
        taken, size = bytearray(), path.stat().st_size
        while True:
            envelope = self.mallory.expect_payload(1)[0]
            fields, content_type = envelope.fields(), envelope.meta[META_CONTENT_TYPE]
            if content_type == CHUNK:
                self.assertEqual(fields["offset"], len(taken))
                taken += fields["bytes"]
                continue
            if content_type == OFFER:
                self.assertEqual((fields["name"], fields["size"]), ("a", size))
                answer = {"offset": 0, "sha256": hashlib.sha256().digest()}
            else:
                self.assertEqual(fields["sha256"], hashlib.sha256(taken).digest())
                answer = {"name": "theirs"}
            self.mallory.send(envelope.frm, msgpack.packb(answer), kind=Kind.REPLY,
                              meta={META_IN_REPLY_TO: envelope.id})
            if content_type == DONE:
                break
        self.assertEqual(bytes(taken), path.read_bytes())
        code, (report,), err = self.ended(sender)
        self.assertEqual((code, report["name"]), (0, "theirs"), err)


if __name__ == "__main__":
    unittest.main()
