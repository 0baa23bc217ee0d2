#!/usr/bin/python3
"""A minimal client, from protocol/SPEC.md section 14 alone. minimal_client.py ENDPOINT NAME send TO TEXT | recv COUNT"""
import io, secrets, sys, msgpack, zmq
HELLO, WELCOME, REFUSED, GOODBYE, PING, PONG, SEND, REQUEST, REPLY, OUTCOME, CREDIT, RECEIPT = 1, 2, 3, 4, 5, 6, 16, 17, 18, 32, 49, 50

class Client:
    def __init__(self, endpoint, name, timeout=10):
        self.name, self.timeout, self.instance = name, timeout, secrets.token_hex(16)
        self.next_id, self.inbox, self.failures, self.settled = 0, [], {}, {}
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.set(zmq.ROUTING_ID, f"{name}~{secrets.token_hex(16)}".encode())
        self.socket.connect(endpoint)
        self.hello()
        self.wait(lambda: self.welcome)
    def hello(self):
        self.welcome, self.unsettled = None, {}
        self.put(HELLO, msgpack.packb({"instance": self.instance, "versions": [1]}))
    def put(self, kind, body):
        self.socket.send(msgpack.packb([kind, "", self.name, 0, {}, body]))
    def wait(self, done):
        while not done():
            if not self.socket.poll(self.timeout * 1000): raise TimeoutError("nothing from the broker")
            for envelope in msgpack.Unpacker(io.BytesIO(self.socket.recv()), strict_map_key=False, max_buffer_size=0):
                self.handle(*envelope[:6])
    def handle(self, kind, to, frm, id, meta, body):
        if kind in (SEND, REQUEST, REPLY): self.inbox.append((kind, frm, id, meta, body))
        elif kind == PING: self.put(PONG, body)
        elif kind == OUTCOME: self.failures[id] = msgpack.unpackb(body)
        elif kind == WELCOME:
            self.welcome = welcome = msgpack.unpackb(body)
            self.sent, self.credit, self.pair = welcome["received"], welcome["credit"], welcome["pair"]
            self.next_id = max(self.next_id, welcome["first_id"])
        elif kind in (CREDIT, RECEIPT):
            self.credit, self.pair, *entries = msgpack.unpackb(body)
            for recipient, last, *_ in entries[0] if entries else []:
                self.settled[recipient] = last
                self.unsettled = {key: cost for key, cost in self.unsettled.items() if key[0] != recipient or key[1] > last}
        elif kind in (REFUSED, GOODBYE) and msgpack.unpackb(body)["code"] != 21: raise ConnectionError(msgpack.unpackb(body))
        elif kind == REFUSED and self.welcome: self.hello()  # 21, not-welcomed. Without a welcome the hello is on its way.
    def send(self, to, body, kind=SEND, meta={}):
        frame = lambda: msgpack.packb([kind, to, self.name, self.next_id, meta, body])
        there = lambda: sum(cost for key, cost in self.unsettled.items() if key[0] == to)
        self.wait(lambda: self.welcome and (not self.unsettled or self.sent + len(frame()) + 64 <= self.credit)
                  and (not there() or there() + len(frame()) + 64 <= self.pair))
        self.socket.send(frame())
        self.unsettled[to, self.next_id], self.sent = len(frame()) + 64, self.sent + len(frame()) + 64
        self.next_id += 1
        return self.next_id - 1
    def outcome(self, to, id):  # Waits: [code, recipient, text] of a failure, None when it was delivered or unconfirmed.
        return self.wait(lambda: id in self.failures or self.settled.get(to, -1) >= id) or self.failures.get(id)
    def receive(self): return self.wait(lambda: self.inbox) or self.inbox.pop(0)
    def close(self): self.put(GOODBYE, b""), self.socket.close(linger=1000)

if __name__ == "__main__":
    client, (command, *rest) = Client(*sys.argv[1:3], timeout=60), sys.argv[3:]
    for _ in range(int(rest[0]) if command == "recv" else 0): print(client.receive()[-1].decode(), flush=True)
    failure = client.outcome(rest[0], client.send(rest[0], rest[1].encode())) if command == "send" else None
    client.close()
    sys.exit(f"failed: {failure}" if failure else 0)
