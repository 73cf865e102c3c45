"""What numpy keeps in arrays beside plain numbers, and how it shows, checks and warns."""

SNIPPETS: dict[str, str] = {
    "structured arrays": """
        boxes = np.array([(3, 4.5, "key"), (1, 2.5, "door")], dtype=[("x", "i4"), ("size", "f8"), ("name", "U8")])
        ordered = np.sort(boxes, order="x")
        return (
            ordered["name"], boxes["size"].mean(), boxes.dtype.names, ordered, np.rec.array(boxes).x,
            boxes[["x", "size"]].tolist(),
        )
    """,
    "structured helpers": """
        from numpy.lib import recfunctions

        boxes = np.array([(3, 4), (1, 2)], dtype=[("x", "i4"), ("y", "i4")])
        wide = recfunctions.append_fields(boxes, "z", [7, 8], usemask=False)
        return wide, recfunctions.structured_to_unstructured(wide), recfunctions.drop_fields(wide, "x").dtype.names
    """,
    "dates in arrays": """
        days = np.arange("2024-02-26", "2024-03-04", dtype="datetime64[D]")
        return (
            days, np.is_busday(days), np.busday_offset("2024-03-01", 3), days.astype("M8[M]"), np.diff(days),
            str(days[3]),
            np.datetime64("2024-03-01T12:30") - np.datetime64("2024-02-01"),
            np.timedelta64(90, "m").astype("m8[h]").item(),
            np.datetime_as_string(days, unit="D"), days[0].item().weekday(), np.isnat(np.datetime64("NaT")),
        )
    """,
    "np.char": """
        words = np.array(["  Red Key", "blue door ", "Grüße"])
        return (
            np.char.strip(words), np.char.upper(words), np.char.split(words), np.char.add(words, "!"),
            np.char.find(words, "e"),
            np.char.center(words, 14, "*"), np.char.replace(words, "e", "3"), np.char.encode(words, "utf-8"),
            np.char.mod("%03d", [1, 22]),
        )
    """,
    "np.strings": """
        words = np.array(["key", "door", "ball"])
        return (
            np.strings.str_len(words), np.strings.capitalize(words), np.strings.startswith(words, "d"),
            np.strings.multiply(words, 2),
            np.strings.partition(words, "o"), np.strings.zfill(words, 6), np.strings.isalpha(words),
        )
    """,
    "text of changing length": """
        words = np.array(["a", "longer than that", "ä"], dtype=np.dtypes.StringDType())
        return (
            np.strings.add(words, "!").tolist(), np.strings.upper(words).tolist(), bool((words == "a")[0]),
            str(words.dtype),
        )
    """,
    "half precision": """
        half = (current / 255).astype(np.float16)
        return (
            half, half.sum(dtype=np.float16), half.mean(axis=2), np.finfo(np.float16).eps,
            np.nextafter(half[0, :4, 0], np.float16(1)),
        )
    """,
    "errstate": """
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.divide(current[:, :, 0] - 90.0, current[:, :, 1] // 99)
        with np.errstate(all="raise"):
            try:
                np.float64(1e300) * np.float64(1e300)
            except FloatingPointError as error:
                return np.nan_to_num(ratio), str(error), np.geterr()
    """,
    "seterr": """
        caught = []
        np.seterrcall(lambda kind, flag: caught.append((kind, flag)))
        before = np.seterr(divide="call", over="call")
        np.ones(3) / np.zeros(3)
        np.exp(np.array([1000.0]))
        return caught, before, np.seterr(**before)
    """,
    "numpy's warnings": """
        import warnings

        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            np.log(np.zeros(2))
            np.mean([])
            np.array([300]).astype(np.uint8) + np.uint8(250)
        return [(each.category is RuntimeWarning, str(each.message)) for each in seen]
    """,
    "warnings that are shown": """
        return (
            np.nan_to_num(np.log(current[:, :, 0] * 0.0)), np.nanmean(np.array([[np.nan]]), axis=0),
            np.uint8(200) * np.uint8(2),
        )
    """,
    "printing arrays": """
        with np.printoptions(precision=2, suppress=True, threshold=20, edgeitems=2, linewidth=70):
            text = str(current / 7)
        return (
            text, repr(current),
            np.array2string(current[0, :4] / 3, formatter={"float": "{:6.2f}".format}, separator="; "),
            np.format_float_positional(np.float32(0.1)), np.format_float_scientific(1234.5, precision=2),
            repr(np.array(["ä", "b"])),
        )
    """,
    "print options that stay": """
        np.set_printoptions(precision=3, sign="+")
        return (
            str(np.array([1.23456, -2.0])), np.get_printoptions()["precision"], repr(np.float32(0.1)),
            f"{np.float64(2 / 3):.3f}",
        )
    """,
    "kinds of numbers": """
        return (
            np.iinfo(np.int16).max, np.finfo(float).tiny, np.float32(0.1) + np.float64(0.1), np.int8(100).dtype.name,
            np.dtype("u1").type.__name__,
            np.promote_types("f4", "i8").name, np.issubdtype(current.dtype, np.integer), current.max().item(),
            np.isscalar(current[0, 0, 0]),
            np.dtype("complex64").itemsize, np.mintypecode("fd"), np.array([1 + 2j]).conj(),
            np.real_if_close(1 + 0j), np.bool_(1),
        )
    """,
    "objects in arrays": """
        boxes = np.empty(3, dtype=object)
        boxes[:] = [{"x": 1}, [2, 3], None]
        return boxes, np.array([10**30, 5], dtype=object).sum(), np.array([1, "a", None], dtype=object) == "a"
    """,
    "checks of numpy.testing": """
        np.testing.assert_allclose(current, current + 0.0)
        np.testing.assert_array_equal(found, found)
        try:
            np.testing.assert_array_almost_equal([1.0, 2.0], [1.0, 2.5])
        except AssertionError as error:
            return str(error).splitlines()[1:5]
    """,
    "saving to memory": """
        import io

        plain, many = io.BytesIO(), io.BytesIO()
        np.save(plain, current)
        np.savez_compressed(many, found=found, current=current)
        plain.seek(0)
        many.seek(0)
        with np.load(many) as stored:
            return np.load(plain), stored["current"], sorted(stored.files)
    """,
    "tables as text": """
        import io

        table = np.loadtxt(io.StringIO("# x y\\n1 2\\n3 4.5\\n"))
        wide = np.genfromtxt(["a,b", "1,2", "3,"], delimiter=",", names=True)
        text = io.StringIO()
        np.savetxt(text, current[:2, :3, 0], fmt="%d")
        return (
            table, wide["b"], text.getvalue(), np.fromstring("1 2 3", sep=" "),
            np.fromiter((i * i for i in range(4)), int),
        )
    """,
    "a subclass and the array protocol": """
        class Picture:
            def __init__(self, pixels):
                self.pixels = pixels

            def __array__(self, dtype=None, copy=None):
                return np.asarray(self.pixels, dtype)

        class Scaled(np.ndarray):
            def __array_ufunc__(self, ufunc, method, *inputs, **options):
                plain = [np.asarray(each) if type(each) is Scaled else each for each in inputs]
                return getattr(ufunc, method)(*plain, **options).view(Scaled)

        return (
            np.asarray(Picture(current)).mean(), np.asarray(current.view(Scaled) / 2),
            np.matrix([[1, 2], [3, 4]]).I.tolist(),
        )
    """,
    "annotations of numpy": """
        import typing
        from numpy.typing import ArrayLike, NDArray

        def grey(picture: NDArray[np.uint8], weights: ArrayLike = (1, 1, 1)) -> NDArray[np.float64]:
            return np.average(picture, axis=2, weights=np.asarray(weights))

        return grey(current), sorted(typing.get_type_hints(grey)), str(NDArray[np.uint8])
    """,
}
