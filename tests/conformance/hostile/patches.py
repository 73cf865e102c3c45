"""Programs that change the libraries and the worker around them."""

from car.sandbox import Kind
from tests.conformance.hostile import STOPPED, Hostile, others_harmed, plain

_ENDS = STOPPED | {Kind.BROKE_PROTOCOL, Kind.EXITED, Kind.WRONG_TYPE, Kind.TIMED_OUT, Kind.KILLED, Kind.OUT_OF_MEMORY}

_WORKER = """
def frames():
    frame = sys._getframe()
    while frame:
        yield frame
        frame = frame.f_back
def worker_names():
    for frame in frames():
        if "RECORD" in frame.f_globals:
            return frame.f_globals
"""


def _patch(name: str, body: str, before: str = "") -> Hostile:
    return Hostile(name, "patches", plain(body, _WORKER + before), others_harmed, _ENDS, rows=4, heeds=True)


PROGRAMS = (
    _patch("np.mean", "np.mean = np.sum = np.all = lambda *a, **k: 0.0\nreturn True", "import numpy as np"),
    _patch(
        "the methods of arrays",
        "gc.get_referents(np.ndarray.__dict__)[0]['mean'] = None\nreturn True",
        "import numpy as np",
    ),
    _patch(
        "the table of additions",
        "np.frombuffer.__self__\nnp.set_numeric_ops = None\nnp.add = np.subtract\nreturn True",
        "import numpy as np",
    ),
    _patch("numpy's memory", "ctypes.memset(id(np.add), 0, 64)\nreturn True", "import numpy as np"),
    _patch("cv2.inRange", "cv2.inRange = lambda *a: found\nreturn True", "import cv2"),
    _patch(
        "builtins",
        "import builtins\n"
        "for name in ('len', 'isinstance', 'type', 'print', 'range'): setattr(builtins, name, None)\nreturn True",
    ),
    _patch("the import of anything", "import builtins\nbuiltins.__import__ = lambda *a, **k: 1 / 0\nreturn True"),
    _patch("the modules", "sys.modules.clear()\nreturn True"),
    _patch("modules replaced by others", "for name in list(sys.modules): sys.modules[name] = sys\nreturn True"),
    _patch("json", "json.dumps = json.loads = lambda *a, **k: 'true'\nreturn True", "import json"),
    _patch("struct", "struct.Struct = struct.pack = None\nreturn True"),
    _patch(
        "the worker's record",
        """
        names, packed = worker_names(), struct.Struct("<dII5xBBB")
        class Record:
            size = packed.size
            def pack_into(self, place, at, *values): packed.pack_into(place, at, 1.0, 0, 0, 2, 1, 1)
        names["RECORD"] = Record()
        return False
        """,
    ),
    _patch(
        "the worker's judgement",
        """
        for frame in frames():
            for value in frame.f_locals.values():
                if type(value).__name__ == "Program":
                    type(value)._judge = lambda self, at, *a: self._write(at, 1.0, b"", 0, 2, True, 1)
        return False
        """,
    ),
    _patch("the worker's idea of truth", "worker_names()['_truth'] = lambda said: True\nreturn False"),
    _patch("the worker's reading and writing", "os.read = os.write = lambda *a: b''\nreturn True"),
    _patch(
        "every function of the worker",
        """
        for value in list(worker_names().values()):
            if hasattr(value, "__code__"):
                value.__code__ = (lambda *a, **k: True).__code__
        return False
        """,
    ),
    _patch("every name of the worker", "worker_names().clear()\nreturn True"),
    _patch("small numbers", "ctypes.c_int.from_address(id(7) + 24).value = 8\nreturn True"),
    _patch("truth itself", "ctypes.c_int.from_address(id(False) + 24).value = 1\nreturn False"),
    _patch(
        "a finder of modules",
        "sys.meta_path.insert(0, type('Any', (), {'find_spec': lambda *a: 1 / 0})())\nreturn True",
    ),
    _patch("a spy on every event", "sys.addaudithook(lambda *a: 1 / 0)\nreturn True"),
    _patch(
        "a spy on every line",
        "sys.settrace(lambda *a: 1 / 0)\nfor f in frames(): f.f_trace = lambda *a: 1 / 0\nreturn True",
    ),
    _patch("a spy on every call", "sys.setprofile(lambda *a: 1 / 0)\nreturn True"),
    _patch("a spy on the collector", "gc.callbacks.append(lambda *a: os._exit(1))\ngc.collect()\nreturn True"),
    _patch(
        "the handler of violations",
        """
        for each in gc.get_objects():
            if type(each).__name__ == "Filter" or getattr(each, "__name__", "") == "ended":
                each.__dict__.clear()
        os._exit = lambda code: None
        libc.socket(2, 1, 0)
        return True
        """,
    ),
)
