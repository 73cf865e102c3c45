"""Programs that are after files."""

from tests.conformance.hostile import Harm, Hostile, Witness, attack, leaked, littered, room_changed, said


def _size_told(seen: Witness) -> bool:
    return seen.proof == str(seen.world.room.size)


def _file(name: str, body: str, harm: Harm, before: str = "", root: bool = False) -> Hostile:
    return Hostile(name, "files", attack(body, before), harm, layered=True, root=root)


PROGRAMS = (
    _file("open and read", "return open('$room/secret').read().strip()", leaked),
    _file("read a file of the user alone", "return open('$room/private').read()", leaked),
    _file("os.open and os.read", "return os.read(os.open('$room/secret', os.O_RDONLY), 99)", leaked),
    _file(
        "openat by its number",
        """
        file = call("openat", -100, b"$room/secret", 0, 0)
        return file >= 0 and os.read(file, 99)
        """,
        leaked,
    ),
    _file(
        "openat2 by its number",
        """
        file = call("openat2", -100, b"$room/secret", struct.pack("<QQQ", 0, 0, 0), 24)
        return file >= 0 and os.read(file, 99)
        """,
        leaked,
    ),
    _file(
        "fopen of the C library",
        """
        libc.fopen.restype = ctypes.c_void_p
        file, text = libc.fopen(b"$room/secret", b"r"), ctypes.create_string_buffer(99)
        return bool(file) and libc.fread(text, 1, 64, ctypes.c_void_p(file)) > 0 and text.value
        """,
        leaked,
    ),
    _file(
        "mmap of a file",
        "return mmap.mmap(os.open('$room/secret', os.O_RDONLY), 0, access=mmap.ACCESS_READ)[:99]",
        leaked,
        "import mmap",
    ),
    _file("np.fromfile", "return np.fromfile('$room/secret', np.uint8)[:99].tobytes()", leaked, "import numpy as np"),
    _file("np.memmap", "return bytes(np.memmap('$room/secret', 'u1', 'r')[:99])", leaked, "import numpy as np"),
    _file("np.genfromtxt", "return np.genfromtxt('$room/secret', str)", leaked, "import numpy as np"),
    _file(
        "cv2.imread",
        """
        picture = cv2.imread("$room/picture.png")
        return picture is not None and picture.tobytes().decode() + "$room"[:0]
        """,
        lambda seen: seen.world.secret[:39] in seen.everything,
        "import cv2",
    ),
    _file(
        "cv2.FileStorage reads",
        "storage = cv2.FileStorage('$room/storage.yml', cv2.FileStorage_READ)\nreturn storage.getNode('word').string()",
        leaked,
        "import cv2",
    ),
    _file("os.listdir", "return os.listdir('$room/folder')", leaked),
    _file("os.scandir", "return [each.name for each in os.scandir('$room/folder')]", leaked),
    _file("os.chdir and look around", "os.chdir('$room/folder')\nreturn os.listdir('.')", leaked),
    _file("os.stat", "return os.stat('$room/secret').st_size", _size_told),
    _file(
        "statx by its number",
        """
        about = bytearray(256)
        place = (ctypes.c_char * 256).from_buffer(about)
        return call("statx", -100, b"$room/secret", 0, 0x7FF, place) == 0 and struct.unpack_from("<Q", about, 40)[0]
        """,
        _size_told,
    ),
    _file("os.access", "return os.access('$room/secret', os.R_OK)", said),
    _file("os.readlink", "return os.readlink('$room/link')", leaked),
    _file("os.statvfs", "return os.statvfs('$room').f_blocks > 0 and 'blocks'", said),
    _file(
        "name_to_handle_at by its number",
        """
        handle, mount = (ctypes.c_char * 136)(b"\\x80"), ctypes.c_int()
        return call("name_to_handle_at", -100, b"$room/secret", handle, ctypes.byref(mount), 0) == 0 and handle.raw[:9]
        """,
        said,
    ),
    _file("os.setxattr", "return os.setxattr('$room/page', 'user.x', b'1') or 'set'", room_changed),
    _file("os.getcwd", "return os.getcwd()", said),
    _file("the map of its own memory", "return 'r-xp' in open('/proc/self/maps').read() and 'map'", said),
    _file("write a new file", "return open('$room/new', 'w').write('x')", room_changed),
    _file("append to a file", "return open('$room/page', 'a').write('x')", room_changed),
    _file(
        "pwrite through a mapping",
        "mmap.mmap(os.open('$room/page', os.O_RDWR), 0)[:1] = b'X'\nreturn True",
        room_changed,
        "import mmap",
    ),
    _file("np.save", "np.save('$room/new.npy', current)\nreturn True", room_changed, "import numpy as np"),
    _file("ndarray.tofile", "current.tofile('$room/new')\nreturn True", room_changed),
    _file("ndarray.dump", "current.dump('$room/new')\nreturn True", room_changed),
    _file("cv2.imwrite", "return cv2.imwrite('$room/new.png', current)", room_changed, "import cv2"),
    _file(
        "cv2.FileStorage writes",
        """
        storage = cv2.FileStorage("$room/new.yml", cv2.FileStorage_WRITE)
        storage.write("a", 1)
        storage.release()
        return True
        """,
        room_changed,
        "import cv2",
    ),
    _file("os.unlink", "os.unlink('$room/page')\nreturn True", room_changed),
    _file("os.rename", "os.rename('$room/page', '$room/leaf')\nreturn True", room_changed),
    _file("os.truncate", "os.truncate('$room/page', 0)\nreturn True", room_changed),
    _file("open that truncates", "os.open('$room/page', os.O_TRUNC | os.O_WRONLY)\nreturn True", room_changed),
    _file("os.mkdir", "os.mkdir('$room/new')\nreturn True", room_changed),
    _file("os.rmdir", "os.rmdir('$room/empty')\nreturn True", room_changed),
    _file("os.chmod", "os.chmod('$room/page', 0o600)\nreturn True", room_changed),
    _file("os.chown", "os.chown('$room/page', 65534, 65534)\nreturn True", room_changed, root=True),
    _file("os.utime", "os.utime('$room/page', (1, 1))\nreturn True", room_changed),
    _file("os.symlink", "os.symlink('/etc', '$room/new')\nreturn True", room_changed),
    _file("os.link", "os.link('$room/page', '$room/new')\nreturn True", room_changed),
    _file("os.mkfifo", "os.mkfifo('$room/new')\nreturn True", room_changed),
    _file("a device", "os.mknod('$room/new', 0o20666, os.makedev(1, 3))\nreturn True", room_changed, root=True),
    _file(
        "tempfile",
        "reopen_imports()\nimport tempfile\nreturn tempfile.mkstemp(prefix='$token')[0]",
        littered,
    ),
    _file("/dev/shm", "return open('/dev/shm/$token', 'w').write('x')", littered),
    _file("shm_open of the C library", "return libc.shm_open(b'/$token', 0o102, 0o600) >= 0", littered),
)
