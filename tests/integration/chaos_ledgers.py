"""The ledgers of a group of chaos_workers, and what must be true of them together.

Every check looks at what both sides wrote down: senders (deeds and their outcomes) and recipients
(arrivals). What SPEC.md leaves open, `lost` above all, is left open here, and nothing else.
"""
import collections
import struct

from raw_peer import Code, Kind

NO_NUMBER, NO_INDEX, UNKNOWN_STAY = 0xffffffff, 0xff, 0
REPLIED, CLOSED, WRONG_REPLY, OTHER_FAULT = 1000, 1001, 1002, 1100
ENDS = {REPLIED: "replied", CLOSED: "closed", WRONG_REPLY: "wrong-reply"}

# Outcomes of what may have been given to a program all the same.
IN_DOUBT = {Code.LOST, Code.NO_REPLY, Code.EXPIRED, Code.CANCELLED, Code.REJECTED, Code.TIMED_OUT,
            REPLIED, CLOSED, Code.DELIVERED}
# What may become of an envelope here. Anything else is the fault of a library or of the broker:
# nobody is full, none is too large, and no honest library is told `over-credit` or `duplicate`.
POSSIBLE = {Kind.SEND: {Code.DELIVERED, Code.NO_PEER, Code.LOST},
            Kind.REPLY: {Code.DELIVERED, Code.NO_PEER, Code.LOST},
            Kind.PUBLISH: {Code.DELIVERED, Code.LOST},
            Kind.SUBSCRIBE: {Code.DELIVERED}, Kind.OFFER: {Code.DELIVERED}}
POSSIBLE[Kind.REQUEST] = IN_DOUBT - {Code.DELIVERED} | {Code.NO_PEER}
POSSIBLE[Kind.CALL] = IN_DOUBT - {Code.DELIVERED} | {Code.NO_WORKER}
PAYLOAD = (Kind.SEND, Kind.REQUEST, Kind.REPLY, Kind.PUBLISH, Kind.CALL)
QUESTIONS = (Kind.REQUEST, Kind.CALL)
# Those that the mark of SPEC.md, section 6 ("Nothing twice"), keeps from coming again.
MARKED = (Kind.SEND, Kind.REQUEST)

Deed = collections.namedtuple("Deed", "id number kind to ends by outcome refused stay end_stay ms end_ms")
Arrival = collections.namedtuple("Arrival", "id number kind sender to again stay ms")
Stay = collections.namedtuple("Stay", "run epoch ms")  # When the program knew of it.
DEED, ARRIVAL = struct.Struct("<QIBBBBHHHHII"), struct.Struct("<QIBBBBH2xI")


def read_entries(path, layout):
    with open(path, "rb") as file:
        count = int.from_bytes(file.read(8), "little")
        return count, file.read(count * layout.size)


def copy_ledger(path, to):
    """Without its empty end, which is large."""
    count, data = read_entries(path, DEED if path.suffix == ".sent" else ARRIVAL)
    to.write_bytes(count.to_bytes(8, "little") + data)


def read_ledger(path, layout, entry):
    if not path.exists():
        return []
    count, data = read_entries(path, layout)
    if len(data) < count * layout.size:
        raise AssertionError(f"{path} is full: {count} entries")
    return [entry(*fields) for fields in layout.iter_unpack(data)]


def outcome_text(outcome):
    if outcome in ENDS:
        return ENDS[outcome]
    if outcome >= OTHER_FAULT:
        return f"fault-{outcome - OTHER_FAULT}"
    return Code(outcome).name.lower().replace("_", "-") if outcome else "none"


class Incarnation:
    """What one run of a peer's program wrote down."""

    def __init__(self, name, number, lived, stays, deeds, arrivals):
        self.name, self.number = name, number
        self.lived = lived  # To its end: it left by itself.
        self.result = None  # What its library said then.
        self.stays = stays  # {index: Stay}
        self.deeds, self.arrivals = deeds, arrivals
        self.numbers = {deed.number for deed in deeds if deed.kind != Kind.REPLY}

    def __str__(self):
        return f"{self.name}.{self.number}"

    def runs(self):
        """Those of the broker that it saw, one after the other."""
        return list(dict.fromkeys(stay.run for stay in self.stays.values()))

    def run(self, stay):
        """The broker's run; nothing: it was one of two."""
        return self.stays[stay].run if stay != UNKNOWN_STAY else None


def read_incarnation(name, number, lived, ledgers, stays):
    """From the files that its worker wrote, `ledgers` with an ending each."""
    return Incarnation(name, number, lived, stays,
                       read_ledger(ledgers.with_name(ledgers.name + ".sent"), DEED, Deed),
                       read_ledger(ledgers.with_name(ledgers.name + ".got"), ARRIVAL, Arrival))


class Ledgers:
    def __init__(self, names, incarnations):
        """`names`: of the group, in the order of the workers' --group."""
        self.names, self.incarnations = names, incarnations
        self.faults = []
        self.deeds = {}    # (name, number): (incarnation, deed); replies are apart.
        self.replies = collections.defaultdict(list)  # (replier, asker, number): deeds
        for incarnation in incarnations:
            for deed in incarnation.deeds:
                if deed.kind == Kind.REPLY:
                    key = incarnation.name, self.name(deed.to), deed.number
                    self.replies[key].append(deed)
                elif deed.kind in (Kind.SEND, Kind.PUBLISH) + QUESTIONS:
                    self.deeds[incarnation.name, deed.number] = incarnation, deed
        self.arrived = collections.defaultdict(list)  # (name, number): [(incarnation, arrival)]
        for incarnation in incarnations:
            for arrival in incarnation.arrivals:
                if arrival.kind != Kind.GAP:
                    key = self.name(arrival.sender), arrival.number
                    self.arrived[key].append((incarnation, arrival))

    def name(self, index):
        return self.names[index] if index < len(self.names) else f"index {index}"

    def check(self):
        """Everything. What is wrong, as texts."""
        self.check_one_outcome_each()
        self.check_statistics()
        self.check_arrivals_were_sent()
        self.check_outcomes_agree_with_arrivals()
        published = self.published()
        for incarnation in self.incarnations:
            self.check_nothing_twice_and_in_order(incarnation)
            self.check_publishes_in_order(incarnation)
            self.check_gaps(incarnation, published)
        return self.faults

    def fault(self, rule, text, incarnation, deed):
        arrivals = [f"{at} in stay {arrival.stay} of run {at.run(arrival.stay)}"
                    for at, arrival in self.arrived.get((incarnation.name, deed.number), ())]
        self.faults.append(f"{rule}: {text}: {self.describe(incarnation, deed)}; "
                           f"arrived at {arrivals or 'nobody'}")

    def describe(self, incarnation, deed):
        return (f"{incarnation} {Kind(deed.kind).name.lower()} {deed.number:#x} id {deed.id} "
                f"to {self.name(deed.to) if deed.kind != Kind.PUBLISH else deed.to}, "
                f"{deed.ends} x {outcome_text(deed.outcome)}, sent in stay {deed.stay}, told in "
                f"stay {deed.end_stay}, its stays {incarnation.stays}")

    # ---- Outcomes

    def check_one_outcome_each(self):
        for incarnation in self.incarnations:
            for deed in incarnation.deeds:
                expected = 1 if deed.id and not deed.refused else 0
                if deed.ends > expected or (incarnation.lived and deed.ends < expected):
                    self.fault("one outcome", f"{deed.ends} outcomes", incarnation, deed)
                if deed.ends and deed.outcome not in POSSIBLE[deed.kind]:
                    self.fault("one outcome", "none that is possible", incarnation, deed)

    def check_statistics(self):
        """What a library says of itself is what its program wrote down."""
        for incarnation in self.incarnations:
            result = incarnation.result
            if result is None:
                continue
            sent = sum(1 for deed in incarnation.deeds if deed.id and deed.kind in PAYLOAD)
            settled = sum(result[key] for key in ("delivered", "unconfirmed", "failed"))
            if (result["sent"], settled, result["unsettled"], result["strays"]) != (sent, sent, 0, 0):
                self.faults.append(f"statistics: {incarnation} sent {sent} and says {result}")

    # ---- Arrivals

    def check_arrivals_were_sent(self):
        for (name, number), arrivals in self.arrived.items():
            sender, deed = self.deeds.get((name, number), (None, None))
            for incarnation, arrival in arrivals:
                if deed is None:
                    self.faults.append(f"never sent: {arrival} at {incarnation} from {name}")
                elif (arrival.kind != deed.kind or (deed.id and arrival.id != deed.id)
                      or not self.is_for(deed, incarnation, arrival)):
                    self.fault("never sent", f"{arrival} at {incarnation}", sender, deed)
                elif deed.refused or (sender.lived and not deed.id):
                    self.fault("never sent", "the call had failed", sender, deed)

    def is_for(self, deed, incarnation, arrival):
        if deed.kind == Kind.PUBLISH:
            return arrival.to == deed.to  # The topic.
        return deed.kind == Kind.CALL or self.name(deed.to) == incarnation.name

    def check_nothing_twice_and_in_order(self, incarnation):
        """One mark for each sender, as long as the program lives: SPEC.md, section 6."""
        marks = collections.defaultdict(int)
        calls = {}  # (sender, id): (stay, again)
        for arrival in incarnation.arrivals:
            if arrival.kind in MARKED:
                if arrival.id <= marks[arrival.sender]:
                    self.faults.append(f"nothing twice, order: {arrival} at {incarnation} after id "
                                       f"{marks[arrival.sender]} of {self.name(arrival.sender)}")
                marks[arrival.sender] = max(marks[arrival.sender], arrival.id)
            elif arrival.kind == Kind.CALL:
                key = arrival.sender, arrival.id
                stay, again = calls.get(key, (None, 0))
                if stay == arrival.stay != UNKNOWN_STAY and arrival.again <= again:
                    self.faults.append(f"nothing twice: {arrival} at {incarnation}")
                calls[key] = arrival.stay, arrival.again

    def check_outcomes_agree_with_arrivals(self):
        for (name, number), (sender, deed) in self.deeds.items():
            arrivals = self.arrived.get((name, number), ())
            if deed.ends and arrivals and deed.outcome not in IN_DOUBT:
                self.fault("no contradiction", "it failed, but arrived", sender, deed)
            if deed.kind in MARKED:
                self.check_other_incarnations(sender, deed, arrivals)
            if deed.kind == Kind.SEND and deed.outcome == Code.DELIVERED and not arrivals:
                self.fault("delivered means taken", "nobody took it", sender, deed)
            if deed.kind in QUESTIONS and deed.outcome in (REPLIED, Code.REJECTED):
                self.check_reply(sender, deed, arrivals)

    def check_other_incarnations(self, sender, deed, arrivals):
        """What went to one incarnation goes to another only after a restart of the broker."""
        runs = [at.run(arrival.stay) for at, arrival in arrivals]
        known = [run for run in runs if run is not None]
        if len(known) != len(set(known)):
            self.fault("nothing twice", "several times in a run", sender, deed)

    def check_reply(self, sender, deed, arrivals):
        repliers = {deed.by} if deed.outcome == REPLIED else {
            self.names.index(at.name) for at, _ in arrivals}
        replied = any(self.replies.get((self.name(by), sender.name, deed.number))
                      for by in repliers)
        asked = {at.name for at, _ in arrivals}
        if not replied or (deed.outcome == REPLIED and self.name(deed.by) not in asked):
            self.fault("replies", "from somebody who was not asked", sender, deed)
        if (deed.kind == Kind.REQUEST and deed.outcome == REPLIED
                and self.name(deed.by) != self.name(deed.to)):
            self.fault("replies", f"from {self.name(deed.by)}", sender, deed)

    # ---- Topics

    def check_publishes_in_order(self, incarnation):
        """In a run of the broker. The next run may bring them again: no mark is kept of them."""
        latest = collections.defaultdict(int)
        for arrival in incarnation.arrivals:
            if arrival.kind != Kind.PUBLISH or arrival.stay == UNKNOWN_STAY:
                continue
            key = arrival.sender, incarnation.run(arrival.stay)
            if arrival.id <= latest[key]:
                self.faults.append(f"publishes in order: {arrival} at {incarnation} after id "
                                   f"{latest[key]} of {self.name(arrival.sender)}")
            latest[key] = arrival.id

    def check_gaps(self, incarnation, published):
        """What is missing in a stay, between two that came, is told by its gap marks."""
        for stay, (run, _, _) in incarnation.stays.items():
            here = [a for a in incarnation.arrivals if a.stay in (stay, UNKNOWN_STAY)]
            told = sum(a.id for a in here if a.kind == Kind.GAP)
            missing = []
            for sender in range(len(self.names)):
                came = {a.id for a in here if a.kind == Kind.PUBLISH and a.sender == sender}
                certain = [a.id for a in here if a.kind == Kind.PUBLISH and a.sender == sender
                           and a.stay == stay]
                if certain:
                    missing += [entry for entry in published[run, self.name(sender)]
                                if min(certain) < entry[1].id < max(certain)
                                and entry[1].id not in came]
            if len(missing) > told:
                self.fault("gaps", f"{len(missing)} publishes are missing at {incarnation} in stay "
                           f"{stay} and {told} told, the first", *missing[0])

    def published(self):
        """What went, and was settled, in one run of the broker: {(run, name): [(who, deed)]}."""
        found = collections.defaultdict(list)
        for incarnation in self.incarnations:
            for deed in incarnation.deeds:
                if deed.kind == Kind.PUBLISH and deed.outcome == Code.DELIVERED:
                    run = incarnation.run(deed.stay)
                    if run is not None and run == incarnation.run(deed.end_stay):
                        found[run, incarnation.name].append((incarnation, deed))
        return found

    # ---- Figures

    def count(self):
        """{(kind, outcome): how many}, arrivals included."""
        counts = collections.Counter()
        for incarnation in self.incarnations:
            for deed in incarnation.deeds:
                if deed.id:
                    name = Kind(deed.kind).name.lower()
                    counts[name, outcome_text(deed.outcome)] += 1
            for arrival in incarnation.arrivals:
                if arrival.kind == Kind.GAP:
                    counts["publish", "told-missing"] += arrival.id
                else:
                    counts[Kind(arrival.kind).name.lower(), "arrived"] += 1
        return counts
