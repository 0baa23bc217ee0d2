"""The worked exchange of SPEC.md section 15: alice and bob, from hello to goodbye."""
import textwrap

import msgpack

KINDS = {1: "hello", 2: "welcome", 4: "goodbye", 5: "ping", 6: "pong", 16: "send", 32: "outcome",
         48: "ack", 49: "credit", 50: "receipt"}
NUMBERS = {name: number for number, name in KINDS.items()}
OPAQUE = {"ping", "pong", "send"}

RUN = "5f1c0de4a7b94e6f8d3a2b1c0e9f8a7b"
TIME = 1767225600000000000  # 2026-01-01
PEERS = {
    "alice": {"token": "00112233445566778899aabbccddeeff",
              "instance": "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"},
    "bob": {"token": "ffeeddccbbaa99887766554433221100",
            "instance": "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0"},
}
CREDIT, PAIR, OVERHEAD = 32768, 8192, 64


def pack(value):
    return msgpack.packb(value, use_bin_type=True)


class Envelope:
    def __init__(self, kind, to, frm, id=0, body=b""):
        self.kind, self.to, self.frm, self.id = kind, to, frm, id
        self.content = body
        self.body = body if kind in OPAQUE else pack(body)
        self.fields = [NUMBERS[kind], to, frm, id, {}, self.body]
        self.bytes = pack(self.fields)
        self.cost = len(self.bytes) + OVERHEAD

    def as_json(self):
        opaque = self.kind in OPAQUE
        content = {"text": self.body.decode()} if opaque else {"value": self.content}
        return {"kind": self.kind, "to": self.to, "from": self.frm, "id": self.id, "meta": {},
                "body": self.body.hex(), **content}

    def hex_by_field(self):
        return " ".join(["96"] + [pack(field).hex() for field in self.fields])

    def in_words(self):
        content = f'"{self.body.decode()}"' if self.kind in OPAQUE else words(self.content)
        return (f"{self.kind}  to={quoted(self.to)} from={quoted(self.frm)} id={self.id} "
                f"meta={{}} body={content}")


def quoted(text):
    return f'"{text}"'


def words(value):
    """msgpack as JSON would write it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{k}": {words(v)}' for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(words(v) for v in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else str(value)


def hello(name):
    return Envelope("hello", "", name, body={
        "instance": PEERS[name]["instance"], "versions": [1], "software": "example 1",
        "abilities": ["acks", "resume", "pong"], "window": 0, "frames": 0, "run": "", "epoch": 0,
        "taken": 0, "outcomes": 0, "metadata": {"display": name.capitalize()}})


def welcome(name, epoch, first_id):
    return Envelope("welcome", name, "", body={
        "version": 1, "broker": "zpost", "run": RUN, "epoch": epoch, "resumed": False,
        "first_id": first_id, "highest_id": 0, "received": 0, "credit": CREDIT, "pair": PAIR,
        "taken": 0, "outcomes": 0, "window": 8388608, "max_envelope": 1048576,
        "max_frame": 1114112, "heartbeat_ms": 5000, "silence_ms": 20000, "resume_ms": 30000,
        "time": first_id})


def steps():
    """(peer, to the broker?, words, envelopes) for each frame, in order."""
    first = Envelope("send", "bob", "alice", TIME, b"hello bob")
    second = Envelope("send", "bob", "alice", TIME + 1, b"how are you?")
    third = Envelope("send", "carol", "alice", TIME + 2, b"anybody?")
    settled = CREDIT + first.cost + second.cost
    later = settled + third.cost
    return [
        ("alice", True, "Alice's socket has the identity "
         f"`alice~{PEERS['alice']['token']}`. She says hello.", [hello("alice")]),
        ("alice", False, f"She is welcomed: epoch 1, her ids start at {TIME} (this broker takes "
         f"its clock), and she may send payload of a total cost of {CREDIT:,}.",
         [welcome("alice", 1, TIME)]),
        ("bob", True, f"So does Bob, as `bob~{PEERS['bob']['token']}`.", [hello("bob")]),
        ("bob", False, "His ids start above every id the broker gave.",
         [welcome("bob", 2, TIME + 10**9)]),
        ("alice", True, "Alice sends Bob two envelopes in one frame. They cost "
         f"{len(first.bytes)} + 64 and {len(second.bytes)} + 64, {first.cost + second.cost} "
         "together.", [first, second]),
        ("bob", False, "Bob gets them as they are.", [first, second]),
        ("bob", True, "Bob's program took both: two of the program lane, none of the outcome "
         "lane.", [Envelope("ack", "", "bob", body=[2, 0])]),
        ("alice", False, "Alice hears that all she sent to Bob up to the second id is "
         "settled. No failure was told, so both are `delivered`. Her credit rises by what they cost.",
         [Envelope("receipt", "alice", "", body=[settled, PAIR, [["bob", second.id, 0]]])]),
        ("alice", True, "Alice sends to Carol, who is not there.", [third]),
        ("alice", False, "The failure is told first, then the receipt that covers it: the id is "
         "settled, and not `delivered`, since its failure came before. One frame, two "
         "envelopes.",
         [Envelope("outcome", "alice", "", third.id, [11, "carol", "no peer of that name"]),
          Envelope("receipt", "alice", "", body=[later, PAIR, [["carol", third.id, 0]]])]),
        ("alice", True, "Alice acknowledges the outcome: one of the outcome lane.",
         [Envelope("ack", "", "alice", body=[0, 1])]),
        ("bob", False, "Bob was quiet; the broker asks whether he is there.",
         [Envelope("ping", "bob", "", body=b"17")]),
        ("bob", True, "He is.", [Envelope("pong", "", "bob", body=b"17")]),
        ("alice", True, "Alice leaves, with her final counts.",
         [Envelope("goodbye", "", "alice", body={"taken": 0, "outcomes": 1})]),
        ("bob", True, "Bob leaves. Nothing is answered.",
         [Envelope("goodbye", "", "bob", body={"taken": 2, "outcomes": 0})]),
    ]


def direction(peer, to_broker):
    return f"{peer} \u2192 broker" if to_broker else f"broker \u2192 {peer}"


def as_json():
    return {
        "identities": {name: f"{name}~{peer['token']}" for name, peer in PEERS.items()},
        "steps": [{
            "step": number,
            "direction": direction(peer, to_broker),
            "description": text.replace("`", ""),
            "envelopes": [envelope.as_json() for envelope in envelopes],
            "hex": b"".join(envelope.bytes for envelope in envelopes).hex(),
        } for number, (peer, to_broker, text, envelopes) in enumerate(steps(), 1)],
    }


def folded(text):
    return "\n".join(textwrap.wrap(text, 110, subsequent_indent="    ", break_on_hyphens=False))


def as_markdown():
    """Section 15 without its heading."""
    parts = ["""
Every frame of two peers' stay, in order. Of each envelope the first lines are its bytes in hexadecimal, a space between
fields (the first byte is the array of six), then its fields in words; continued lines are indented. The same is in [vectors](vectors/exchange.json) in
machine-readable form; the files beside it hold more envelopes, right and wrong.
"""]
    for number, (peer, to_broker, text, envelopes) in enumerate(steps(), 1):
        parts.append(f"\n**{number}. {direction(peer, to_broker)}.** {text}\n\n```")
        for envelope in envelopes:
            parts.append("\n" + folded(envelope.hex_by_field()))
            parts.append("\n" + folded(envelope.in_words()))
        parts.append("\n```\n")
    return "".join(parts)
