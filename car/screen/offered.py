"""The allow-lists: what may be imported, what each module offers, and which attributes values have."""

from car.screen import offered_cv2, offered_numpy, offered_standard, offered_values

ALLOWED_MODULES = (
    "bisect",
    "collections",
    "cv2",
    "dataclasses",
    "enum",
    "functools",
    "heapq",
    "itertools",
    "math",
    "numpy",
    "operator",
    "re",
    "statistics",
    "typing",
)
"""What a checker may import; the prompts show this list, and the sandbox's workers load it."""

ALLOWED_SUBMODULES = ("collections.abc", "numpy.fft", "numpy.lib.stride_tricks", "numpy.linalg", "numpy.typing")

OFFERED = {
    "bisect": offered_standard.BISECT,
    "collections": offered_standard.COLLECTIONS,
    "collections.abc": offered_standard.ABC,
    "cv2": offered_cv2.CV2,
    "cv2.fisheye": offered_cv2.FISHEYE,
    "cv2.segmentation": offered_cv2.SEGMENTATION,
    "cv2.typing": offered_cv2.TYPING,
    "cv2.ximgproc": offered_cv2.XIMGPROC,
    "dataclasses": offered_standard.DATACLASSES,
    "enum": offered_standard.ENUM,
    "functools": offered_standard.FUNCTOOLS,
    "heapq": offered_standard.HEAPQ,
    "itertools": offered_standard.ITERTOOLS,
    "math": offered_standard.MATH,
    "numpy": offered_numpy.NUMPY,
    "numpy.emath": offered_numpy.EMATH,
    "numpy.exceptions": offered_numpy.EXCEPTIONS,
    "numpy.fft": offered_numpy.FFT,
    "numpy.lib": frozenset[str](),
    "numpy.lib.stride_tricks": frozenset({"sliding_window_view"}),
    "numpy.linalg": offered_numpy.LINALG,
    "numpy.typing": frozenset({"ArrayLike", "DTypeLike", "NBitBase", "NDArray"}),
    "operator": offered_standard.OPERATOR,
    "re": offered_standard.RE,
    "statistics": offered_standard.STATISTICS,
    "typing": offered_standard.TYPING,
}
"""The names that each module offers, apart from modules below it, which have a line of their own."""

ATTRIBUTES = offered_values.OF_PYTHON_AND_NUMPY | offered_values.OF_CV2
"""The attributes that a program may use of any value, beside those that it defines itself."""

UNDERSCORED = frozenset({"_asdict", "_field_defaults", "_fields", "_make", "_replace", "_value_"})
"""The attributes with a leading underscore that are part of a public interface: of named tuples and enumerations."""

ONLY_NAMED = frozenset({"numpy.ndarray", "cv2.Mat"})
"""Classes for annotations and `isinstance`; called, they give memory whose values nobody has set."""
