"""A DNS server on loopback that says what a case wants."""
import ipaddress
import socket
import struct
import threading

from harness import free_port

A, AAAA = 1, 28
SERVFAIL, NXDOMAIN = 2, 3


class NameServer:
    """UDP and TCP on one port. A name has the addresses of `names`, and every other does not exist."""

    def __init__(self, names, ttl=1):
        self.names, self.ttl = names, ttl
        self.rcode = 0              # of every answer, if it is not 0
        self.silent = False
        self.truncates = False      # by UDP: whoever wants the answer comes by TCP
        self.asked = []             # (name, type, "udp" or "tcp")
        self.port = free_port()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp = socket.create_server(("127.0.0.1", self.port))
        self.over = False

    @property
    def argument(self):
        return f"--dns_servers=127.0.0.1:{self.port}"

    def start(self):
        for work in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=work, daemon=True).start()

    def stop(self):
        self.over = True
        for listener in (self.udp, self.tcp):
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            listener.close()

    def serve_udp(self):
        while not self.over:
            try:
                query, peer = self.udp.recvfrom(4096)
                reply = self.reply(query, "udp") if query else None
                if reply:
                    self.udp.sendto(reply, peer)
            except OSError:
                return

    def serve_tcp(self):
        while not self.over:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as reader:
                while len(head := reader.read(2)) == 2:
                    reply = self.reply(reader.read(struct.unpack("!H", head)[0]), "tcp")
                    if reply:
                        connection.sendall(struct.pack("!H", len(reply)) + reply)

    def reply(self, query, transport):
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        name, (kind, _) = ".".join(labels), struct.unpack("!HH", query[at + 1:at + 5])
        self.asked.append((name, kind, transport))
        if self.silent:
            return None
        addresses = [ipaddress.ip_address(address) for address in self.names.get(name, [])]
        records = [address.packed for address in addresses if (address.version == 4) == (kind == A)]
        rcode = self.rcode or (0 if name in self.names else NXDOMAIN)
        cut = self.truncates and transport == "udp"
        if rcode or cut:
            records = []
        head = query[:2] + struct.pack("!HHHHH", 0x8580 | (0x0200 if cut else 0) | rcode, 1, len(records), 0, 0)
        return head + query[12:at + 5] + b"".join(
            struct.pack("!HHHIH", 0xc00c, kind, 1, self.ttl, len(record)) + record for record in records)
