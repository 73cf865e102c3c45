"""Why a name is refused, and what to use instead: the sentences that go back to the VLM."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches

_NOTHING_ELSE = "a checker reads its two arguments and nothing else."
_STATE = "it keeps state, and a checker must keep nothing between calls; compare `current` with `found`."
_CHANCE = "an answer must not depend on chance."
_CLOCK = "an answer must not depend on the clock."
_SHARED = "the libraries may not be changed."

_REASONS: Mapping[str, Mapping[str, str]] = {
    "numpy": {
        "its values are not set; use `numpy.zeros`.": "empty",
        "its values are not set; use `numpy.zeros_like`.": "empty_like",
        "it reads raw memory; use `numpy.array`.": "frombuffer from_dlpack byte_bounds",
        _NOTHING_ELSE: "DataSource fromfile fromregex genfromtxt info load loadtxt lookfor memmap save savetxt savez "
        "savez_compressed show_config show_runtime source",
        "the libraries may not be changed; use `with numpy.errstate(...)`.": "seterr seterrcall seterrobj setbufsize",
        "the libraries may not be changed; use `numpy.array2string`.": "set_printoptions set_string_function",
        _CLOCK: "busday_count busday_offset busdaycalendar datetime64 datetime_as_string datetime_data is_busday "
        "timedelta64",
    },
    "numpy.lib.stride_tricks": {
        "it reads raw memory; use `numpy.lib.stride_tricks.sliding_window_view`.": "as_strided",
    },
    "cv2": {
        _NOTHING_ELSE: "Animation CascadeClassifier FileNode FileStorage FontFace VideoCapture VideoWriter "
        "VideoWriter_fourcc addText destroyAllWindows destroyWindow haveImageReader haveImageWriter imcount imread "
        "imreadanimation imreadmulti imshow imwrite imwriteanimation imwritemulti loadMesh loadPointCloud namedWindow "
        "readOpticalFlow redirectError saveMesh savePointCloud selectROI selectROIs setLogLevel waitKey waitKeyEx "
        "writeOpticalFlow",
        _STATE: "BackgroundSubtractor BackgroundSubtractorKNN BackgroundSubtractorMOG2 KalmanFilter "
        "Tracker TrackerMIL TrackerMIL_create createBackgroundSubtractorKNN createBackgroundSubtractorMOG2",
        f"{_CHANCE[:-1]}; use fixed numbers.": "randShuffle randn randu",
        "the libraries may not be changed; `cv2.kmeans` repeats itself with labels of your own and "
        "`cv2.KMEANS_USE_INITIAL_LABELS`.": "setRNGSeed",
        _SHARED: "setNumThreads setUseOptimized",
        _CLOCK: "TickMeter getCPUTickCount getTickCount getTickFrequency",
        "arrays are enough.": "UMat",
    },
    "functools": {
        "write the wrapper out.": "update_wrapper wraps",
        "use `isinstance`.": "singledispatch singledispatchmethod",
    },
    "operator": {"write the attribute out, in a `lambda`.": "attrgetter methodcaller"},
    "dataclasses": {"write the class out.": "make_dataclass"},
    "statistics": {_CHANCE: "kde_random"},
}

_MODULES = {
    "numpy.random": f"{_CHANCE[:-1]}; use fixed numbers.",
    "numpy.ma": "index with a boolean mask, as in `a[mask]`.",
    "numpy.testing": "use `numpy.allclose`.",
    "numpy.char": "use the methods of `str`.",
    "numpy.strings": "use the methods of `str`.",
    "numpy.polynomial": "use `numpy.polyfit` and `numpy.polyval`.",
    "cv2.dnn": _NOTHING_ELSE,
    "cv2.ml": "compare with measured colours and shapes.",
}

_RENAMED = {
    "numpy": {
        "Inf": "numpy.inf",
        "Infinity": "numpy.inf",
        "NINF": "-numpy.inf",
        "NaN": "numpy.nan",
        "PINF": "numpy.inf",
        "alltrue": "numpy.all",
        "asscalar": "a.item()",
        "bool8": "numpy.bool_",
        "complex": "complex",
        "complex_": "numpy.complex128",
        "cumproduct": "numpy.cumprod",
        "float": "float",
        "float_": "numpy.float64",
        "in1d": "numpy.isin",
        "infty": "numpy.inf",
        "int": "int",
        "int0": "numpy.intp",
        "math": "math",
        "msort": "numpy.sort",
        "object": "object",
        "product": "numpy.prod",
        "round_": "numpy.round",
        "row_stack": "numpy.vstack",
        "sometrue": "numpy.any",
        "str": "str",
        "string_": "numpy.bytes_",
        "trapz": "numpy.trapezoid",
        "uint0": "numpy.uintp",
        "unicode_": "numpy.str_",
    },
    "cv2": {"cv": "cv2", "estimateRigidTransform": "cv2.estimateAffinePartial2D"},
}

_IMPORTS = {
    "PIL": "use cv2 and numpy.",
    "colorsys": "use `cv2.cvtColor`.",
    "copy": "use the method `copy`, as in `a.copy()`.",
    "datetime": _CLOCK,
    "matplotlib": "use cv2 and numpy.",
    "numpy.ma": _MODULES["numpy.ma"],
    "numpy.random": _MODULES["numpy.random"],
    "random": _MODULES["numpy.random"],
    "scipy": "for `ndimage.label` use `cv2.connectedComponentsWithStats`, for other filters cv2 too.",
    "skimage": "use cv2 and numpy.",
    "sklearn": "use cv2 and numpy.",
    "time": _CLOCK,
    "types": "use `dataclasses.dataclass`.",
    "typing_extensions": "use `typing`.",
}

_SHORT = 3
"""Among names that are no longer than this any two look alike."""

_ATTRIBUTES = {
    "base": "copy the array and work on the copy",
    "ctypes": "copy the array and work on the copy",
    "data": "copy the array and work on the copy",
    "dump": "return the array",
    "dumps": "return the array",
    "format": "write the text out, as in `'{}'.format(x)`, or use an f-string",
    "format_map": "use an f-string",
    "getfield": "use `view`",
    "setfield": "copy the array and work on the copy",
    "setflags": "copy the array and work on the copy",
    "tofile": "return the array",
    "tostring": "use `tobytes`",
}


def _by_name(reasons: Mapping[str, str]) -> dict[str, str]:
    return {name: reason for reason, names in reasons.items() for name in names.split()}


_WHY = {module: _by_name(reasons) for module, reasons in _REASONS.items()}


def why_refused(module: str, name: str) -> str | None:
    """Why a module's name is refused, as the end of a sentence; None if nothing particular is known."""
    return _WHY.get(module, {}).get(name)


def why_module_refused(whole: str) -> str | None:
    """What to use instead of a module, as the end of a sentence; None if nothing particular is known."""
    return _MODULES.get(whole)


def renamed(module: str, name: str) -> str | None:
    """What is written today for a name that a module no longer has; None if that is not known."""
    return _RENAMED.get(module, {}).get(name)


def instead_of_import(module: str) -> str | None:
    """What to do without a module that may not be imported, as a sentence; None if that is not known."""
    return _IMPORTS.get(module) or _IMPORTS.get(module.partition(".")[0])


def instead_of_attribute(name: str) -> str | None:
    """What to do without an attribute that is refused, as the end of a sentence; None if that is not known."""
    return _ATTRIBUTES.get(name)


def did_you_mean(name: str, offered: Collection[str], prefix: str = "") -> str:
    """The names on offer that look most like `name`, as a sentence with a space before it; "" if none does."""
    near = get_close_matches(name, sorted(offered), n=3, cutoff=0.75) if len(name) > _SHORT else []
    return f" Did you mean {' or '.join(f'`{prefix}{each}`' for each in near)}?" if near else ""
