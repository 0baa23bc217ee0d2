"""A peer written from protocol/SPEC.md with every frame in the test's hand.

It never acts by itself, except that reading answers pings (`pongs`) and, if asked (`acks`), takes
what came. A test decides what is sent, acknowledged, and when a socket goes.
"""
import enum
import io
import secrets
import time
from dataclasses import dataclass

import msgpack
import zmq


class Kind(enum.IntEnum):
    HELLO, WELCOME, REFUSED, GOODBYE, PING, PONG = range(1, 7)
    SEND, REQUEST, REPLY, PUBLISH, CALL = range(16, 21)
    OUTCOME, CANCEL = 32, 33
    ACK, CREDIT, RECEIPT = range(48, 51)
    SUBSCRIBE, UNSUBSCRIBE, OFFER, WITHDRAW, WATCH, DESCRIBE = range(64, 70)
    PRESENCE, GAP = 80, 81


class Code(enum.IntEnum):
    DELIVERED, UNCONFIRMED, QUEUED = 1, 2, 3
    DUPLICATE, NO_PEER, NO_SUBSCRIBER, NO_WORKER, FULL, OVER_CREDIT, TOO_LARGE = range(10, 17)
    EXPIRED, DENIED, FORGED, MALFORMED, NOT_WELCOMED, UNSUPPORTED, REJECTED = range(17, 24)
    CANCELLED, DRAINING, DROPPED, LOST, BAD_NAME, BAD_ID, NO_REPLY, OVER_RATE = range(24, 32)
    BAD_IDENTITY, VERSION, NAME_HELD, REPLACED, SILENT, VIOLATIONS = range(64, 70)
    UNRESPONSIVE, TIMED_OUT = 70, 71


PAYLOAD = {Kind.SEND, Kind.REQUEST, Kind.REPLY, Kind.PUBLISH, Kind.CALL}
PROGRAM_LANE = PAYLOAD | {Kind.PRESENCE, Kind.GAP, Kind.CANCEL}
META_WANTED, META_DEADLINE, META_IN_REPLY_TO, META_AGAIN, META_RETAINED = 1, 3, 4, 8, 9
META_REJECTED, META_IDEMPOTENT, META_RETAIN, META_MORE, META_WILL = 10, 11, 12, 13, 14
ALL_TOPICS = "**"  # What receipts say of publishes.


@dataclass
class Envelope:
    kind: int
    to: str
    frm: str
    id: int
    meta: dict
    body: object
    frame: int = 0  # Number of the frame it came in.

    def fields(self):
        """The body of a control envelope."""
        return msgpack.unpackb(self.body, strict_map_key=False)


def pack(kind, to="", frm="", id=0, meta=None, body=b"", extra=()):
    """The bytes of one envelope. A body that is no bytes or str is packed, too."""
    if not isinstance(body, (bytes, str)):
        body = msgpack.packb(body)
    return msgpack.packb([kind, to, frm, id, meta or {}, body, *extra])


def cost(envelope):
    return len(envelope) + 64


def identity_of(name):
    return f"{name}~{secrets.token_hex(16)}".encode()


class RawPeer:
    def __init__(self, endpoint, name, *, identity=None, instance=None, abilities=(), acks=False,
                 pongs=True, socket_type=zmq.DEALER, patience=20, options=None, hello=None):
        self.endpoint, self.name, self.patience = endpoint, name, patience
        self.instance = instance or secrets.token_hex(16)
        self.abilities, self.acks, self.pongs = list(abilities), acks, pongs
        self.socket_type, self.options = socket_type, options or {}
        self.fields = hello or {}  # Of every hello, beyond the usual.
        self.context = zmq.Context.instance()
        self.socket = None
        self.welcome = None
        self.next_id = 0
        self.settled = {}    # Recipient: (id, flags) of the latest receipt.
        self.failures = {}   # Id: [code, recipient, text].
        self.credit = self.pair = 0
        self.frames = 0
        self.forget()
        self.connect(identity)

    def forget(self):
        """What is counted per session."""
        self.seen = []                    # Everything that came and nobody expected yet.
        self.taken = self.outcomes = 0    # Arrived in each lane.

    # ---- The connection

    def connect(self, identity=None):
        """Opens a socket, with a fresh identity unless one is given (b"": libzmq's choice)."""
        self.identity = identity_of(self.name) if identity is None else identity
        self.socket = self.context.socket(self.socket_type)
        self.socket.linger = 0
        self.socket.sndhwm = self.socket.rcvhwm = 0
        for option, value in self.options.items():
            self.socket.set(option, value)
        if self.identity:
            self.socket.set(zmq.ROUTING_ID, self.identity)
        self.socket.connect(self.endpoint)

    def disconnect(self):
        if self.socket:
            self.socket.close()
            self.socket = None

    def reconnect(self):
        """Another socket with another identity."""
        self.disconnect()
        self.connect()

    # ---- Sending

    def put(self, *envelopes):
        """One frame."""
        self.socket.send(b"".join(envelopes))

    def put_parts(self, *parts):
        self.socket.send_multipart(parts)

    def control(self, kind, body=b"", id=0):
        self.put(pack(kind, frm=self.name, id=id, body=body))

    def interest(self, kind, *body):
        """Says subscribe, offer and the like, and waits for the answer: its code."""
        id, self.next_id = self.next_id, self.next_id + 1
        self.control(kind, list(body), id)
        self.pump_until(lambda: id in self.failures, f"an answer to {kind.name}")
        return Code(self.failures[id][0])

    def hello(self, **changes):
        fields = {"instance": self.instance, "versions": [1], "software": "raw",
                  "abilities": self.abilities, **self.fields, **changes}
        self.control(Kind.HELLO, fields)

    def resume_hello(self, **changes):
        last = {"run": self.welcome["run"], "epoch": self.welcome["epoch"], "taken": self.taken,
                "outcomes": self.outcomes}
        self.hello(**{**last, **changes})

    def payload(self, to, body=b"", kind=Kind.SEND, meta=None, id=None, frm=None, extra=()):
        """The bytes of an envelope with the next id, to be put."""
        if id is None:
            id = self.next_id
        self.next_id = max(self.next_id, id + 1)
        return pack(kind, to, self.name if frm is None else frm, id, meta, body, extra)

    def send(self, to, body=b"", **fields):
        """Its id."""
        envelope = self.payload(to, body, **fields)
        self.put(envelope)
        return msgpack.unpackb(envelope, strict_map_key=False)[3]

    def ack(self, taken=None, outcomes=None):
        """Everything that came, or what is said."""
        self.control(Kind.ACK, [self.taken if taken is None else taken,
                                self.outcomes if outcomes is None else outcomes])

    def goodbye(self):
        self.control(Kind.GOODBYE, {"taken": self.taken, "outcomes": self.outcomes})
        self.socket.linger = 1000

    # ---- Receiving

    def pump(self, timeout=0):
        """Reads one frame, if there is one within `timeout` seconds. True: there was."""
        if not self.socket.poll(max(0, timeout) * 1000):
            return False
        frame = self.socket.recv()
        self.frames += 1
        before = (self.taken, self.outcomes)
        unpacker = msgpack.Unpacker(io.BytesIO(frame), strict_map_key=False, max_buffer_size=0)
        for fields in unpacker:
            self._note(Envelope(*fields[:6], self.frames))
        if self.acks and before != (self.taken, self.outcomes):
            self.ack()
        return True

    def _note(self, envelope):
        kind = envelope.kind
        if kind in PROGRAM_LANE:
            self.taken += 1
        elif kind == Kind.OUTCOME:
            self.outcomes += 1
            self.failures[envelope.id] = envelope.fields()
        elif kind == Kind.PING and self.pongs:
            self.control(Kind.PONG, envelope.body)
        elif kind in (Kind.CREDIT, Kind.RECEIPT):
            self.credit, self.pair, *entries = envelope.fields()
            for recipient, id, flags in entries[0] if entries else []:
                self.settled[recipient] = (id, flags)
        self.seen.append(envelope)

    def pump_until(self, condition, what, timeout=None):
        """The first true value of condition(), asked after every frame."""
        deadline = time.monotonic() + (timeout or self.patience)
        while True:
            value = condition()
            if value:
                return value
            left = deadline - time.monotonic()
            if left <= 0 or not self.pump(left):
                kinds = [Kind(e.kind).name for e in self.seen[-10:]]
                raise AssertionError(f"{self.name} did not get {what}; the last it got: {kinds}")

    def expect(self, kind, where=lambda envelope: True, timeout=None):
        """Takes the next envelope of that kind out of what came."""
        def take():
            for at, envelope in enumerate(self.seen):
                if envelope.kind == kind and where(envelope):
                    return self.seen.pop(at)
            return None
        return self.pump_until(take, Kind(kind).name, timeout)

    def expect_payload(self, count):
        """The next `count` payload envelopes."""
        self.pump_until(lambda: sum(e.kind in PAYLOAD for e in self.seen) >= count,
                        f"{count} payload envelopes")
        taken, left = [], []
        for envelope in self.seen:
            wanted = envelope.kind in PAYLOAD and len(taken) < count
            (taken if wanted else left).append(envelope)
        self.seen = left
        return taken

    def nothing_for(self, seconds, kinds):
        """What of these kinds comes within that time."""
        deadline = time.monotonic() + seconds
        while self.pump(deadline - time.monotonic()):
            pass
        return [e for e in self.seen if e.kind in kinds]

    def expect_refused(self, code, timeout=None):
        """The body of a `refused`, which must be for this reason."""
        fields = self.expect(Kind.REFUSED, timeout=timeout).fields()
        if fields["code"] != code:
            raise AssertionError(f"{self.name} refused for {fields}, not for {code!r}")
        return fields

    # ---- What a test mostly wants

    def join(self, wait_for_name=False, wait_for_room=False, **changes):
        """Says hello and waits for the welcome.

        What one connection said may be read after what another says later: with `wait_for_…` a
        refusal for that reason is met by another hello."""
        awaited = [Code.NAME_HELD] * wait_for_name + [Code.FULL] * wait_for_room
        deadline = time.monotonic() + self.patience
        while True:
            self.hello(**changes)
            self.pump_until(lambda: any(e.kind in (Kind.WELCOME, Kind.REFUSED) for e in self.seen),
                            "an answer to its hello")
            refused = [e.fields() for e in self.seen if e.kind == Kind.REFUSED]
            if not refused:
                return self.take_welcome()
            if refused[0]["code"] not in awaited or time.monotonic() > deadline:
                raise AssertionError(f"{self.name} was refused: {refused[0]}")
            self.seen = [e for e in self.seen if e.kind != Kind.REFUSED]

    def take_welcome(self):
        welcome = self.expect(Kind.WELCOME).fields()
        if not welcome["resumed"]:
            self.taken = self.outcomes = 0
            self.settled, self.failures = {}, {}
        self.welcome = welcome
        self.credit, self.pair = welcome["credit"], welcome["pair"]
        self.next_id = max(self.next_id, welcome["first_id"])
        return welcome

    def outcome_of(self, to, id, timeout=None):
        """The final outcome of an envelope."""
        def known():
            if id in self.failures:
                return Code(self.failures[id][0])
            if self.settled.get(to, (-1, 0))[0] >= id:
                return Code.UNCONFIRMED if self.settled[to][1] else Code.DELIVERED
            return None
        return self.pump_until(known, f"an outcome of {id}", timeout)

    def ask(self, question):
        """A request to the broker: the reply's body."""
        id = self.send("", msgpack.packb(question), kind=Kind.REQUEST)
        reply = self.expect(Kind.REPLY, lambda e: e.meta.get(META_IN_REPLY_TO) == id)
        if reply.meta.get(META_REJECTED):
            raise AssertionError(f"the broker rejects {question}: {reply.body}")
        return reply.fields()
