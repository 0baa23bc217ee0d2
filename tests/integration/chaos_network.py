"""A group whose peers sit in network namespaces, behind links that go down, and, where the kernel
has netem, behind a network that delays, loses and reorders packets."""
import os
import shutil
import subprocess

from chaos_group import RESUME, SILENCE, TROUBLES, Group
from relay import Relay

NETEM = ("netem", "delay", "4ms", "2ms", "25%", "loss", "1%", "reorder", "5%", "50%")


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


def works(*commands):
    """Whether all of these do, in a namespace of their own."""
    if not shutil.which("ip") or not shutil.which("tc"):
        return False
    name = f"zpost-probe-{os.getpid()}"
    try:
        run("ip", "netns", "add", name)
    except subprocess.CalledProcessError:
        return False
    try:
        for command in commands:
            run("ip", "netns", "exec", name, *command)
        return True
    except subprocess.CalledProcessError:
        return False
    finally:
        run("ip", "netns", "delete", name)


def has_namespaces():
    return works(("ip", "link", "add", "left", "type", "veth", "peer", "name", "right"))


def has_netem():
    return works(("tc", "qdisc", "add", "dev", "lo", "root", *NETEM))


class Link:
    """A namespace, and the pair of interfaces between it and the world."""

    def __init__(self, number):
        self.namespace = f"zpost-{os.getpid()}-{number}"
        self.outside, self.inside = f"zp{os.getpid()}o{number}", f"zp{os.getpid()}i{number}"
        # Of 198.18.0.0/15, which is for tests: four addresses each.
        first = (os.getpid() * 8 + number) % (1 << 15) * 4
        self.host, self.guest = (f"198.{18 + (at >> 16)}.{at >> 8 & 255}.{at & 255}"
                                 for at in (first + 1, first + 2))
        self.launcher = ("ip", "netns", "exec", self.namespace)

    def set_up(self, netem):
        run("ip", "netns", "add", self.namespace)
        run("ip", "link", "add", self.outside, "type", "veth", "peer", "name", self.inside,
            "netns", self.namespace)
        run("ip", "address", "add", f"{self.host}/30", "dev", self.outside)
        run("ip", "link", "set", self.outside, "up")
        run(*self.launcher, "ip", "address", "add", f"{self.guest}/30", "dev", self.inside)
        run(*self.launcher, "ip", "link", "set", self.inside, "up")
        if netem:
            run("tc", "qdisc", "add", "dev", self.outside, "root", *NETEM)
            run(*self.launcher, "tc", "qdisc", "add", "dev", self.inside, "root", *NETEM)

    def turn(self, direction):
        run("ip", "link", "set", self.outside, direction)

    def remove(self):
        """By name, whatever there is of it."""
        for command in (("ip", "link", "delete", self.outside),
                        ("ip", "netns", "delete", self.namespace)):
            subprocess.run(command, check=False, capture_output=True)


def link_down(group, peer):
    """What is on its way vanishes, and nobody is told."""
    if peer.name in group.down:
        return None
    link = group.links[peer.name]
    link.turn("down")
    group.down.add(peer.name)
    seconds = group.random.choice((SILENCE / 2, 2 * SILENCE, RESUME + 2 * SILENCE))

    def undo():
        link.turn("up")
        group.down.discard(peer.name)
    group.later(seconds, f"the link of {peer.name} is up", undo)
    return f"the link of {peer.name} is down for {seconds} s"


class NetworkGroup(Group):
    troubles = {**TROUBLES, "link-down": link_down, "link-down-again": link_down}
    netem = False

    def __init__(self, *arguments, **more):
        self.links, self.down = {}, set()
        super().__init__(*arguments, **more)

    def relay_for(self, number):
        link = Link(number)
        self.case.addCleanup(link.remove)
        link.set_up(self.netem)
        self.links[self.names[number]] = link
        return Relay(self.broker.port, whole_frames=number % 2 == 0, host=link.host)

    def launcher_for(self, number):
        return self.links[self.names[number]].launcher

    def close(self):
        super().close()
        for link in self.links.values():
            link.remove()


class NetemGroup(NetworkGroup):
    netem = True
