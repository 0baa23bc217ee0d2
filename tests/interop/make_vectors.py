#!/usr/bin/python3
"""Writes the test vectors of the protocol, and what is made from them.

    make_vectors.py           writes protocol/vectors/*.json, SPEC.md section 15, the fuzz corpus
    make_vectors.py --check   exits 1 and names the files that differ from what it would write

It shares no code with the C++ sources: bytes come from python3-msgpack or stand here as hex, and
what is wrong with them, and where, is said here by hand.
"""
import json
import pathlib
import sys

import exchange
import msgpack

ROOT = pathlib.Path(__file__).resolve().parents[2]

META_KEYS = {"wanted": 1, "durable": 2, "deadline": 3, "in_reply_to": 4, "content_type": 5, "sent": 6,
             "trace": 7, "again": 8, "retained": 9, "rejected": 10,
             "idempotent": 11, "retain": 12, "more": 13, "will": 14}
RUN = "0123456789abcdef" * 2
INSTANCE = "fedcba9876543210" * 2


def pack(value):
    return msgpack.packb(value, use_bin_type=True)


def unhex(text):
    return bytes.fromhex(text)


def entry(name, data, **more):
    return {"name": name, "hex": data.hex(), **more}


# ---- Envelopes that are right -----------------------------------------------------------------

def envelope(name, kind=16, to="bob", frm="alice", id=1, meta=None, body=b"hi"):
    """An envelope in the one form a writer should choose."""
    meta = meta or {}
    data = pack([kind, to, frm, id, {META_KEYS[key]: value for key, value in meta.items()}, body])
    return described(name, data, kind, to, frm, id, meta, body, canonical=True)


def described(name, data, kind=16, to="bob", frm="alice", id=1, meta=None, body=b"hi",
              canonical=False):
    text = isinstance(body, str)
    fields = {"kind": kind, "to": to, "from": frm, "id": id, "meta": meta or {},
              "body": (body.encode() if text else body).hex(), "text": text}
    return entry(name, data, canonical=canonical, fields=fields)


def raw(kind="10", to="a3626f62", frm="a5616c696365", id="01", meta="80", body="c4026869",
        extra="", array="96"):
    """An envelope from pieces of hex: the usual ones, except those given."""
    return unhex(array + kind + to + frm + id + meta + body + extra)


def nested(depth):
    return "91" * depth + "01"


def valid_envelopes():
    long_name = "n" * 64
    all_meta = {"wanted": 1, "durable": True, "deadline": 1700000000000000005, "in_reply_to": 7,
                "content_type": "text/plain", "sent": 1700000000000000000,
                "trace": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "again": 2,
                "retained": True, "rejected": True, "idempotent": True, "retain": True,
                "more": True, "will": True}
    meta32 = "de0020" + "".join(pack(key).hex() + "01" for key in range(100, 132))
    plain = [
        envelope("the smallest payload", body=b""),
        envelope("a ping to the broker", kind=5, to="", id=0, body=b"\x01\x02"),
        envelope("from the broker", kind=6, to="alice", frm="", id=0),
        envelope("names of 31 bytes, the longest fixstr", to="t" * 31, frm="f" * 31),
        envelope("names of 32 bytes, the shortest str 8", to="t" * 32, frm="f" * 32),
        envelope("names of 64 bytes", to=long_name, frm=long_name),
        envelope("a text body", body="h\u00e9llo \u2603 \U0001f600"),
        envelope("a text body of 40 bytes", body="x" * 40),
        envelope("a bin 16 body", body=bytes(300)),
        envelope("a str 16 body", body="y" * 300),
        envelope("the highest kind", kind=127),
        envelope("every meta key", kind=18, meta=all_meta),
        envelope("a reply", kind=18, meta={"in_reply_to": 2**64 - 1}),
        envelope("a reply to id 0", kind=18, meta={"in_reply_to": 0}),
    ]
    for id in (0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**64 - 1):
        plain.append(envelope(f"id {id}", id=id))
    odd = [
        described("array 16", raw(array="dc0006")),
        described("array 32", raw(array="dd00000006")),
        described("kind as uint 64", raw(kind="cf0000000000000010")),
        described("kind as uint 8", raw(kind="cc10")),
        described("id as uint 8", raw(id="cc01")),
        described("id as uint 16", raw(id="cd0001")),
        described("id as uint 32", raw(id="ce00000001")),
        described("id as uint 64", raw(id="cf0000000000000001")),
        described("names as str 8 and str 16", raw(to="d903626f62", frm="da0005616c696365")),
        described("a name as str 32", raw(to="db00000003626f62")),
        described("body as bin 16", raw(body="c500026869")),
        described("body as bin 32", raw(body="c6000000026869")),
        described("body as str 32", raw(body="db000000026869"), body="hi"),
        described("empty meta as map 16", raw(meta="de0000")),
        described("meta as map 32, key as uint 64",
                  raw(meta="df00000001cf000000000000000404"), meta={"in_reply_to": 4}),
        described("meta keys in any order", raw(meta="820ac3cc0407"),
                  meta={"rejected": True, "in_reply_to": 7}),
        described("unknown meta keys of every type", raw(
            meta="8e" "14c0" "15c2" "16cb3ff0000000000000" "17ca3f800000" "18ff" "19d1ff00"
                 "1ad3ffffffffffffffff" "1bc70305010203" "1cd40501" "1dd8" "05" + "00" * 16 +
                 "1e9301a16102" "1f82a16101a16201" "20c403000000" "cdffff00")),
        described("32 meta entries", raw(meta=meta32)),
        described("meta nested 8 deep", raw(meta="8164" + nested(8))),
        described("256 objects in meta", raw(meta="8164dc00ff" + "01" * 255)),
        described("256 objects in meta and extra",
                  raw(array="97", meta="8164dc007f" + "01" * 127, extra="dc007f" + "01" * 127)),
        described("one extra element", raw(array="97", extra="c0")),
        described("ten extra elements", raw(array="dc0010", extra="c0" * 10)),
        described("an extra element nested 8 deep", raw(array="97", extra=nested(8))),
    ]
    return plain + odd


# ---- Envelopes that can be read but are wrong, and bytes that are none ---------------------------

def wrong_envelopes():
    """Readable; a receiver that checks says what is wrong."""
    def meta(hex_text):
        return raw(meta=hex_text)

    def case(name, data, error, code="malformed"):
        return entry(name, data, error=error, code=code)

    return [
        case("a name that starts with a dot", raw(to="a22e61"), "to: not a name", "bad-name"),
        case("a name of 65 bytes", raw(to="d941" + "61" * 65), "to: not a name", "bad-name"),
        case("a name with a space", raw(frm="a3612062"), "from: not a name", "bad-name"),
        case("a name that is not ASCII", raw(frm="a2c3a9"), "from: not a name", "bad-name"),
        case("a name with a zero byte", raw(to="a3610062"), "to: not a name", "bad-name"),
        case("wanted is a str", meta("8101a131"), "meta.wanted: wrong type"),
        case("durable is a uint", meta("810201"), "meta.durable: wrong type"),
        case("deadline is negative", meta("8103ff"), "meta.deadline: wrong type"),
        case("in_reply_to is nil", meta("8104c0"), "meta.in_reply_to: wrong type"),
        case("content_type is a bin", meta("8105c40161"), "meta.content_type: wrong type"),
        case("content_type of 129 bytes", meta("8105d981" + "61" * 129),
             "meta.content_type: too long"),
        case("content_type is not UTF-8", meta("8105a1ff"), "meta.content_type: not UTF-8"),
        case("sent is a float", meta("8106cb41d0000000000000"), "meta.sent: wrong type"),
        case("trace of 257 bytes", meta("8107da0101" + "61" * 257), "meta.trace: too long"),
        case("trace is not UTF-8", meta("8107a3eda080"), "meta.trace: not UTF-8"),
        case("again is a bool", meta("8108c3"), "meta.again: wrong type"),
        case("retained is a uint", meta("810901"), "meta.retained: wrong type"),
        case("rejected is a str", meta("810aa0"), "meta.rejected: wrong type"),
        case("a text body with a lone byte", raw(body="a2c328"), "body: not UTF-8"),
        case("a text body with an overlong form", raw(body="a2c0af"), "body: not UTF-8"),
        case("a text body with a surrogate", raw(body="a3eda080"), "body: not UTF-8"),
        case("a text body beyond U+10FFFF", raw(body="a4f4908080"), "body: not UTF-8"),
        case("a text body cut inside a character", raw(body="a2e298"), "body: not UTF-8"),
    ]


def invalid_envelopes():
    """No envelopes: the field, what is wrong with it, and the byte where the bad value starts."""
    def case(name, data, error, offset):
        return entry(name, data, error=error, offset=offset)

    deep, wide = "91" * 1000, "ddffffffff"
    return [
        case("a byte that is no array", unhex("10"), "envelope: wrong type", 0),
        case("a map", unhex("80"), "envelope: wrong type", 0),
        case("the reserved byte", unhex("c1"), "envelope: reserved byte 0xc1", 0),
        case("an array without its length", unhex("dc00"), "envelope: truncated", 0),
        case("5 elements", unhex("9510a0a00180"), "envelope: too few", 0),
        case("17 elements", raw(array="dc0011", extra="c0" * 11), "envelope: too many", 0),
        case("4 billion elements", unhex(wide), "envelope: too many", 0),
        case("an array alone", unhex("96"), "kind: truncated", 1),
        case("kind 128", raw(kind="cc80"), "kind: out of range", 1),
        case("kind 2^64-1", raw(kind="cf" + "ff" * 8), "kind: out of range", 1),
        case("kind is negative", raw(kind="ff"), "kind: wrong type", 1),
        case("kind is a str", raw(kind="a110"), "kind: wrong type", 1),
        case("kind is reserved", raw(kind="c1"), "kind: reserved byte 0xc1", 1),
        case("to is a bin", raw(to="c403626f62"), "to: wrong type", 2),
        case("to is nil", raw(to="c0"), "to: wrong type", 2),
        case("to of 4 billion bytes", raw(to="dbffffffff"), "to: truncated", 2),
        case("from is a uint", raw(frm="01"), "from: wrong type", 6),
        case("id is negative", raw(id="d0ff"), "id: wrong type", 12),
        case("id is a float", raw(id="ca3f800000"), "id: wrong type", 12),
        case("meta is an array", raw(meta="90"), "meta: wrong type", 13),
        case("meta is nil", raw(meta="c0"), "meta: wrong type", 13),
        case("33 meta entries", raw(meta="de0021" + "".join(
            pack(key).hex() + "01" for key in range(33))), "meta: too many", 13),
        case("4 billion meta entries", raw(meta="dfffffffff"), "meta: too many", 13),
        case("a meta key that is a str", raw(meta="81a13101"), "meta: wrong type", 14),
        case("a small meta key twice", raw(meta="8204010402"), "meta: duplicate key", 16),
        case("a small meta key twice, in two widths", raw(meta="820401cc0402"),
             "meta: duplicate key", 16),
        case("a large meta key twice", raw(meta="82cd012c01cd012c02"), "meta: duplicate key", 18),
        case("a meta value that is reserved", raw(meta="8104c1"), "meta: reserved byte 0xc1", 15),
        case("meta nested 9 deep", raw(meta="8164" + nested(9)), "meta: too deep", 23),
        case("maps nested 9 deep in meta", raw(meta="8164" + "8101" * 9 + "01"),
             "meta: too deep", 31),
        case("meta nested 1,000 deep", raw(meta="8164" + deep), "meta: too deep", 23),
        case("257 objects in meta", raw(meta="8164dc0100" + "01" * 256), "meta: too many", 15),
        case("257 objects in meta, nested", raw(meta="81649296" + "01" * 6 + "dc00f8" + "01" * 248),
             "meta: too many", 23),
        case("an array of 4 billion in meta", raw(meta="8164" + wide), "meta: too many", 15),
        case("a map of 4 billion in meta", raw(meta="8164dfffffffff"), "meta: too many", 15),
        case("an ext of 4 billion in meta", raw(meta="8164c9ffffffff05"), "meta: truncated", 15),
        case("body is nil", raw(body="c0"), "body: wrong type", 14),
        case("body is an array", raw(body="90"), "body: wrong type", 14),
        case("body is reserved", raw(body="c1"), "body: reserved byte 0xc1", 14),
        case("body of 4 billion bytes", raw(body="c6ffffffff"), "body: truncated", 14),
        case("a text body of 4 billion bytes", raw(body="dbffffffff"), "body: truncated", 14),
        case("body cut by one byte", raw()[:-1], "body: truncated", 14),
        case("an extra element is missing", raw(array="97"), "extra: truncated", 18),
        case("an extra element nested 9 deep", raw(array="97", extra=nested(9)),
             "extra: too deep", 26),
        case("257 objects in meta and extra", raw(
            array="97", meta="8164dc007f" + "01" * 127, extra="dc0080" + "01" * 128),
             "extra: too many", 149),
        case("an extra element is reserved", raw(array="97", extra="c1"),
             "extra: reserved byte 0xc1", 18),
    ]


def frames():
    def frame(name, parts, tail=b"", **more):
        return entry(name, b"".join(parts) + tail, envelopes=[part.hex() for part in parts], **more)

    one = raw()
    two = raw(id="02", body="c403" "796573")
    odd = raw(array="dc0007", id="cd0003", extra="c0")
    meta = raw(kind="12", id="04", meta="810401")
    big = raw(id="05", body="c50200" + "ab" * 512)
    return [
        frame("no bytes", []),
        frame("one envelope", [one]),
        frame("two envelopes", [one, two]),
        frame("envelopes of several shapes", [one, odd, meta, two, big, one]),
        frame("a hundred envelopes", [one, two] * 50),
        frame("two envelopes, then a byte", [one, two], b"\x00",
              error="envelope: wrong type", offset=len(one + two)),
        frame("an envelope, then one cut short", [one], two[:-2],
              error="body: truncated", offset=len(one) + 14),
        frame("many envelopes, then one with a bad meta", [one, two] * 20,
              raw(meta="8204010402") + one, error="meta: duplicate key",
              offset=20 * len(one + two) + 16),
    ]


# ---- Bodies of control envelopes ---------------------------------------------------------------

def hello(**more):
    fields = {"instance": INSTANCE, "versions": [1], "software": "vectors 1",
              "abilities": ["acks", "resume", "pong"], "window": 1 << 20, "frames": 32, "run": RUN,
              "epoch": 7, "taken": 300, "outcomes": 2, "metadata": {"display": "Zo\u00eb"}}
    return {**fields, **more}


def welcome(**more):
    fields = {"version": 1, "broker": "zpost", "run": RUN, "epoch": 8, "resumed": True,
              "first_id": 4096, "highest_id": 4000, "received": 99999, "credit": 362143,
              "pair": 65536, "taken": 300, "outcomes": 2, "window": 1 << 20,
              "max_envelope": 1 << 20, "max_frame": (1 << 20) + 65536, "heartbeat_ms": 2000,
              "silence_ms": 6000, "resume_ms": 10000, "time": 1700000000123456789}
    return {**fields, **more}


def valid_bodies():
    def case(name, body, value, fields=None, canonical=True):
        data = value if isinstance(value, bytes) else pack(value)
        return entry(name, data, body=body, canonical=canonical,
                     fields=value if fields is None else fields)

    short_hello = {"instance": INSTANCE, "versions": [1]}
    empty_hello = {"software": "", "abilities": [], "window": 0, "frames": 0, "run": "",
                   "epoch": 0, "taken": 0, "outcomes": 0, "metadata": {}}
    short_welcome = {key: value for key, value in welcome().items() if key in (
        "version", "run", "epoch", "first_id", "credit", "pair", "max_envelope")}
    refused = {"code": 66, "name": "name-held", "text": "held since noon", "retry": False}
    presence = {"event": "joined", "peer": "bob", "instance": INSTANCE, "reason": "",
                "metadata": {"room": "blue", "seat": "4"}}
    ack = ["taken", "outcomes", "credit"]
    receipt = {"credit": 400000, "pair": 65536, "entries": [["bob", 1001, 0], ["carol", 70000, 1]]}
    credit = {"credit": 2**40, "pair": 2**20, "entries": []}
    return [
        case("hello", "hello", hello()),
        case("hello without what is optional", "hello", short_hello,
             {**empty_hello, **short_hello}, canonical=False),
        case("hello with empty optional keys", "hello", {**hello(), **empty_hello},
             {**hello(), **empty_hello}),
        case("hello with unknown keys and abilities", "hello",
             {"later": {"a": [1, 2]}, **hello(abilities=["fly", "pong"])},
             hello(abilities=["pong"]), canonical=False),
        case("hello with a demand", "hello", hello(demand=3)),
        case("hello of a peer that has much to send again", "hello", hello(backlog=5 << 20)),
        case("hello with three versions", "hello", hello(versions=[1, 2, 2**64 - 1])),
        case("hello with metadata of 1,024 bytes", "hello",
             hello(metadata={"k": "v" * 1018})),
        case("welcome", "welcome", welcome()),
        case("welcome after a session that is over", "welcome",
             welcome(resumed=False, earlier_taken=290)),
        case("welcome with the least", "welcome", short_welcome,
             {**{key: "" if key == "broker" else False if key == "resumed" else 0
                 for key in welcome()}, **short_welcome}, canonical=False),
        case("refused", "refused", refused),
        case("refused with a later code", "refused", {"code": 4000, "name": "too-blue"},
             {"code": 4000, "text": "", "retry": False}, canonical=False),
        case("goodbye", "goodbye", {"taken": 5, "outcomes": 1}),
        case("goodbye of no bytes", "goodbye", b"", {"taken": 0, "outcomes": 0}, canonical=False),
        case("goodbye of an empty map", "goodbye", {}, {"taken": 0, "outcomes": 0},
             canonical=False),
        case("ack", "ack", [300, 2], dict(zip(ack, [300, 2, 0]))),
        case("ack with the credit adopted", "ack", [300, 2, 362143],
             dict(zip(ack, [300, 2, 362143]))),
        case("ack with a demand", "ack", [300, 2, 362143, 310],
             {**dict(zip(ack, [300, 2, 362143])), "demand": 310}),
        case("ack with later elements", "ack", [300, 2, 362143, 310, "later", {"a": 1}],
             {**dict(zip(ack, [300, 2, 362143])), "demand": 310}, canonical=False),
        case("receipt", "receipt", list(receipt.values()), receipt),
        case("receipt with later elements", "receipt",
             [400000, 65536, [["bob", 1001, 2, "x"], ["carol", 70000, 3]], None],
             receipt, canonical=False),
        case("credit", "receipt", [2**40, 2**20], credit),
        case("receipt without entries", "receipt", [2**40, 2**20, []], credit, canonical=False),
        case("outcome", "outcome", [11, "carol", "no peer of that name"],
             {"code": 11, "recipient": "carol", "text": "no peer of that name"}),
        case("outcome with later elements", "outcome", [999, "", "", 1, 2],
             {"code": 999, "recipient": "", "text": ""}, canonical=False),
        case("presence", "presence", presence),
        case("presence with the least", "presence", {"peer": "bob", "event": "left"},
             {"event": "left", "peer": "bob", "instance": "", "reason": "", "metadata": {}},
             canonical=False),
        case("watch", "watch", ["sensor-*"], {"pattern": "sensor-*", "on": True}),
        case("watch everybody", "watch", ["*"], {"pattern": "*", "on": True}),
        case("watch ended", "watch", ["bob", False], {"pattern": "bob", "on": False}),
        case("watch said to be on", "watch", ["bob", True, 0], {"pattern": "bob", "on": True},
             canonical=False),
    ]


def invalid_bodies():
    def case(name, body, value, error):
        return entry(name, value if isinstance(value, bytes) else pack(value), body=body,
                     error=error)

    def bad_hello(name, error, **more):
        return case(name, "hello", hello(**more), error)

    def without(fields, key):
        return {k: v for k, v in fields.items() if k != key}

    one = pack("instance") + pack(INSTANCE) + pack("versions") + pack([1])
    key_values = {"a": 1, "b": 2}
    cases = [
        bad_hello("instance of 31 digits", "hello.instance: out of range", instance="a" * 31),
        bad_hello("instance in capitals", "hello.instance: out of range", instance="A" * 32),
        bad_hello("instance is a uint", "hello.instance: wrong type", instance=1),
        bad_hello("versions is a uint", "hello.versions: wrong type", versions=1),
        bad_hello("a version is a str", "hello.versions: wrong type", versions=["1"]),
        bad_hello("33 versions", "hello.versions: too many", versions=list(range(33))),
        bad_hello("software of 129 bytes", "hello.software: too long", software="s" * 129),
        bad_hello("abilities is a str", "hello.abilities: wrong type", abilities="acks"),
        bad_hello("33 abilities", "hello.abilities: too many", abilities=["x"] * 33),
        bad_hello("window is a str", "hello.window: wrong type", window="1"),
        bad_hello("window is negative", "hello.window: wrong type", window=-1),
        bad_hello("frames is nil", "hello.frames: wrong type", frames=None),
        bad_hello("run is no hex", "hello.run: out of range", run="x" * 32),
        bad_hello("epoch is a float", "hello.epoch: wrong type", epoch=1.0),
        bad_hello("metadata is an array", "hello.metadata: wrong type", metadata=[]),
        bad_hello("a metadata value is a uint", "hello.metadata: wrong type", metadata={"a": 1}),
        bad_hello("metadata of 1,025 bytes", "hello.metadata: too long",
                  metadata={"k": "v" * 1019}),
        bad_hello("513 metadata entries", "hello.metadata: too many",
                  metadata={str(i): "" for i in range(513)}),
        case("no instance", "hello", without(hello(), "instance"), "hello.instance: missing"),
        case("no versions", "hello", without(hello(), "versions"), "hello.versions: missing"),
        case("no bytes", "hello", b"", "hello: truncated"),
        case("an array", "hello", [], "hello: wrong type"),
        case("the reserved byte", "hello", b"\xc1", "hello: reserved byte 0xc1"),
        case("65 keys", "hello", {str(i): 0 for i in range(65)}, "hello: too many"),
        case("4 billion keys", "hello", unhex("dfffffffff"), "hello: too many"),
        case("a key that is a uint", "hello", {1: 1}, "hello: wrong type"),
        case("a key that is not UTF-8", "hello", unhex("81a1ff01"), "hello: not UTF-8"),
        case("a known key twice", "hello", b"\x83" + one + pack("versions") + pack([2]),
             "hello.versions: duplicate key"),
        case("an unknown key twice", "hello", b"\x84" + one + pack("x") + b"\x01" + pack("x")
             + b"\x01", "hello: duplicate key"),
        case("a metadata key twice", "hello", b"\x83" + one + pack("metadata") +
             unhex("82a161a0a161a0"), "hello.metadata: duplicate key"),
        case("a text that is not UTF-8", "hello", b"\x83" + one + pack("software") +
             unhex("a2c328"), "hello.software: not UTF-8"),
        case("an ability that is not UTF-8", "hello", b"\x83" + one + pack("abilities") +
             unhex("91a1ff"), "hello.abilities: not UTF-8"),
        case("versions of 4 billion", "hello", b"\x81" + pack("versions") + unhex("ddffffffff"),
             "hello.versions: too many"),
        case("software of 4 billion bytes", "hello", b"\x81" + pack("software") +
             unhex("dbffffffff"), "hello.software: truncated"),
        case("an unknown key nested 9 deep", "hello", b"\x83" + one + pack("x") +
             unhex(nested(9)), "hello: too deep"),
        case("bytes after the map", "hello", pack(hello()) + b"\x00", "hello: trailing bytes"),
        case("resumed is a uint", "welcome", welcome(resumed=1), "welcome.resumed: wrong type"),
        case("run is empty", "welcome", welcome(run=""), "welcome.run: out of range"),
        case("no code", "refused", {"text": ""}, "refused.code: missing"),
        case("code 0", "refused", {"code": 0}, "refused.code: out of range"),
        case("code 65536", "refused", {"code": 65536}, "refused.code: out of range"),
        case("retry is a uint", "refused", {"code": 1, "retry": 1}, "refused.retry: wrong type"),
        case("taken is a str", "goodbye", {"taken": "1"}, "goodbye.taken: wrong type"),
        case("no bytes", "ack", b"", "ack: truncated"),
        case("one element", "ack", [1], "ack: too few"),
        case("17 elements", "ack", list(range(17)), "ack: too many"),
        case("4 billion elements", "ack", unhex("ddffffffff"), "ack: too many"),
        case("a map", "ack", key_values, "ack: wrong type"),
        case("taken is a str", "ack", ["1", 1], "ack.taken: wrong type"),
        case("outcomes is nil", "ack", [1, None], "ack.outcomes: wrong type"),
        case("credit is negative", "ack", [1, 1, -1], "ack.credit: wrong type"),
        case("a later element is reserved", "ack", unhex("9501" "01" "01" "01" "c1"),
             "ack: reserved byte 0xc1"),
        case("bytes after the array", "ack", pack([1, 1]) + b"\x00", "ack: trailing bytes"),
        case("pair is a str", "receipt", [1, "1"], "receipt.pair: wrong type"),
        case("entries is a uint", "receipt", [1, 1, 1], "receipt.entries: wrong type"),
        case("an entry is a str", "receipt", [1, 1, ["bob"]], "receipt.entries: wrong type"),
        case("an entry of two", "receipt", [1, 1, [["bob", 1]]], "receipt.entries: too few"),
        case("a recipient that is not UTF-8", "receipt", unhex("93010191" "93a1ff0100"),
             "receipt.entries: not UTF-8"),
        case("4 billion entries", "receipt", unhex("930101ddffffffff"),
             "receipt.entries: too many"),
        case("entries are missing", "receipt", unhex("93010193" "93a3626f620100"),
             "receipt.entries: truncated"),
        case("two elements", "outcome", [11, "carol"], "outcome: too few"),
        case("code is a str", "outcome", ["11", "carol", ""], "outcome.code: wrong type"),
        case("code 0", "outcome", [0, "carol", ""], "outcome.code: out of range"),
        case("recipient is nil", "outcome", [11, None, ""], "outcome.recipient: wrong type"),
        case("text is not UTF-8", "outcome", unhex("930ba0a1ff"), "outcome.text: not UTF-8"),
        case("another event", "presence", {"event": "died", "peer": "bob"},
             "presence.event: out of range"),
        case("peer is no name", "presence", {"event": "left", "peer": ".bob"},
             "presence.peer: out of range"),
        case("no peer", "presence", {"event": "left"}, "presence.peer: missing"),
        case("no elements", "watch", [], "watch: too few"),
        case("pattern is a uint", "watch", [1], "watch.pattern: wrong type"),
        case("pattern with a star inside", "watch", ["a*b"], "watch.pattern: out of range"),
        case("pattern is empty", "watch", [""], "watch.pattern: out of range"),
        case("on is a uint", "watch", ["a", 1], "watch.on: wrong type"),
    ]
    for case_ in cases:
        case_["name"] = f"{case_['body']}: {case_['name']}"
    return cases


# ---- Names ------------------------------------------------------------------------------------

def names():
    token = "0123456789abcdef" * 2
    return {
        "names": {
            "valid": ["a", "Z", "0", "a.b-c_d", "9.", "n" * 64],
            "invalid": ["", ".a", "-a", "_a", "n" * 65, "a b", "a~b", "a*", "\u00e9", "a\u0000"],
        },
        "patterns": {
            "valid": ["*", "a*", "a.*", "bob", "n" * 64, "n" * 64 + "*"],
            "invalid": ["", "**", "a**", "*a", "a*b", ".*", "n" * 65, "n" * 65 + "*"],
        },
        "identities": {
            "valid": {"bob~" + token: "bob", "a.b~" + "f" * 32: "a.b",
                      "n" * 64 + "~" + token: "n" * 64},
            "invalid": ["", "~" + token, "bob" + token, "bob~", "bob~" + token[1:],
                        "bob~" + token + "0", "bob~" + token.upper(), ".bob~" + token,
                        "bob~bob~" + token, "n" * 65 + "~" + token, "bob~" + "g" * 32],
        },
    }


# ---- Files ------------------------------------------------------------------------------------

def spec_with_exchange():
    spec = (ROOT / "protocol/SPEC.md").read_text()
    head, heading, old = spec.partition("\n## 15 A complete exchange\n")
    _, next_heading, tail = old.partition("\n## 16 ")
    if not heading:
        sys.exit("SPEC.md has no section 15")
    return head + heading + exchange.as_markdown() + next_heading + tail


def json_bytes(value):
    """One case a line, so that a change shows as one."""
    def text(item):
        return json.dumps(item, ensure_ascii=True)

    def lines(item, depth):
        pad = "  " * depth
        if isinstance(item, dict) and depth < 2 and any(isinstance(v, (dict, list))
                                                        for v in item.values()):
            return "{\n" + ",\n".join(f"{pad}  {text(k)}: {lines(v, depth + 1)}"
                                      for k, v in item.items()) + f"\n{pad}}}"
        if isinstance(item, list) and depth < 2 and item and isinstance(item[0], dict):
            return "[\n" + ",\n".join(f"{pad}  {text(v)}" for v in item) + f"\n{pad}]"
        return text(item)

    return (lines(value, 0) + "\n").encode()


def corpus(vectors):
    """Small inputs for the fuzzer: one of every right thing."""
    right = [case["hex"] for case in vectors["envelopes.json"]["valid"] + vectors["frames.json"]
             + vectors["control.json"]["valid"] if 0 < len(case["hex"]) < 4000]
    wire = [step["hex"] for step in vectors["exchange.json"]["steps"]]
    return {f"{i:03}": unhex(text) for i, text in enumerate(dict.fromkeys(right + wire))}


def outputs():
    vectors = {
        "envelopes.json": {"valid": valid_envelopes(), "wrong": wrong_envelopes(),
                           "invalid": invalid_envelopes()},
        "frames.json": frames(),
        "control.json": {"valid": valid_bodies(), "invalid": invalid_bodies()},
        "names.json": names(),
        "exchange.json": exchange.as_json(),
    }
    files = {f"protocol/vectors/{name}": json_bytes(value) for name, value in vectors.items()}
    files["protocol/SPEC.md"] = spec_with_exchange().encode()
    files.update({f"tests/fuzz/corpus/decode/{name}": data
                  for name, data in corpus(vectors).items()})
    return files


def main():
    files = outputs()
    stale = [path for path, data in files.items()
             if not (ROOT / path).exists() or (ROOT / path).read_bytes() != data]
    if sys.argv[1:] == ["--check"]:
        for path in stale:
            print(f"{path} differs from what tests/interop/make_vectors.py writes")
        return 1 if stale else 0
    for path in stale:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_bytes(files[path])
        print("wrote", path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
