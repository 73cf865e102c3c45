"""Programs that are after the network and other ways of talking to someone."""

from tests.conformance.hostile import Harm, Hostile, attack, contacted, said

_SOCKET = """
STREAM, DATAGRAM, RAW = 1, 2, 3
def local(address):
    return b"\\x01\\x00" + address
"""


def _network(name: str, body: str, harm: Harm = contacted, before: str = "", root: bool = False) -> Hostile:
    return Hostile(name, "network", attack(body, _SOCKET + before), harm, layered=True, root=root)


PROGRAMS = (
    _network(
        "TCP connect",
        """
        file = libc.socket(2, STREAM, 0)
        return libc.connect(file, inet($tcp), 16) == 0 and libc.send(file, b"stolen", 6, 0) == 6
        """,
    ),
    _network(
        "TCP connect by fast open",
        """
        file = libc.socket(2, STREAM, 0)
        return libc.sendto(file, b"stolen", 6, 0x20000000, inet($tcp), 16) == 6
        """,
    ),
    _network(
        "multipath TCP connect",
        "return libc.connect(libc.socket(2, STREAM, 262), inet($tcp), 16) == 0",
    ),
    _network(
        "TCP listen",
        """
        file = libc.socket(2, STREAM, 0)
        return libc.bind(file, inet(0), 16) == 0 and libc.listen(file, 1) == 0 and "listens"
        """,
        said,
    ),
    _network("TCP listen on any port", "return libc.listen(libc.socket(2, STREAM, 0), 1) == 0 and 'listens'", said),
    _network(
        "socket.create_connection",
        "reopen_imports()\nimport socket\nreturn socket.create_connection(('127.0.0.1', $tcp)) and 'connected'",
    ),
    _network("UDP send", "return libc.sendto(libc.socket(2, DATAGRAM, 0), b'stolen', 6, 0, inet($udp), 16)"),
    _network(
        "UDP send of a name to be looked up",
        """
        question = struct.pack(">6H", 7, 256, 1, 0, 0, 0) + b"\\x06stolen\\x07example\\x00" + struct.pack(">2H", 1, 1)
        return libc.sendto(libc.socket(2, DATAGRAM, 0), question, len(question), 0, inet($udp), 16)
        """,
    ),
    _network("UDP bind", "return libc.bind(libc.socket(2, DATAGRAM, 0), inet(0), 16) == 0 and 'bound'", said),
    _network(
        "getaddrinfo of the C library",
        "found = ctypes.c_void_p()\nreturn libc.getaddrinfo(b'localhost', None, None, ctypes.byref(found)) == 0",
        said,
    ),
    _network(
        "local stream by its path",
        "place = local(b'$locals/stream')\nreturn libc.connect(libc.socket(1, STREAM, 0), place, len(place)) == 0",
    ),
    _network(
        "local datagram by its path",
        """
        place = local(b"$locals/datagram\\x00")
        return libc.sendto(libc.socket(1, DATAGRAM, 0), b"stolen", 6, 0, place, len(place)) == 6
        """,
    ),
    _network(
        "local stream without a path",
        "place = local(b'\\x00$token')\nreturn libc.connect(libc.socket(1, STREAM, 0), place, len(place)) == 0",
    ),
    _network(
        "a pair of sockets",
        "pair = (ctypes.c_int * 2)()\nreturn libc.socketpair(1, STREAM, 0, pair) == 0 and 'pair'",
        said,
    ),
    _network(
        "netlink",
        """
        file, answer = libc.socket(16, RAW, 0), ctypes.create_string_buffer(4096)
        question = struct.pack("<IHHIIBxHiII", 32, 18, 0x301, 1, 0, 0, 0, 0, 0, 0)
        to = struct.pack("<HHII", 16, 0, 0, 0)
        return libc.sendto(file, question, 32, 0, to, 12) == 32 and libc.recv(file, answer, 4096, 0) > 0 and "links"
        """,
        said,
    ),
    _network("a raw socket", "return libc.socket(2, RAW, 1) >= 0 and 'raw'", said, root=True),
    _network("a packet socket", "return libc.socket(17, RAW, 0x300) >= 0 and 'packets'", said, root=True),
    _network("a socket to the machine outside", "return libc.socket(40, STREAM, 0) >= 0 and 'vsock'", said),
    _network(
        "cv2.VideoCapture of an address",
        "return cv2.VideoCapture('http://127.0.0.1:$tcp/x.mjpg', cv2.CAP_FFMPEG).isOpened()",
        before="import cv2\n",
    ),
    _network(
        "np.DataSource of an address",
        """
        reopen_imports()
        return np.lib.npyio.DataSource(None).open("http://127.0.0.1:$tcp/x") and "opened"
        """,
        before="import numpy as np\n",
    ),
)
