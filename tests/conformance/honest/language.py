"""The statements and built-in functions of the language, and how much of the machine a program may take."""

SNIPPETS: dict[str, str] = {
    "match": """
        def describe(value):
            match value:
                case {"kind": "box", "size": [w, h]} if w == h:
                    return f"square {w}"
                case {"kind": kind, **rest}:
                    return f"{kind} {sorted(rest)}"
                case [first, *others]:
                    return f"{first} and {len(others)}"
                case int(n) | float(n) if n > 100:
                    return f"large {n}"
                case "on" | "off" as switch:
                    return switch
                case None:
                    return "nothing"
                case _:
                    return "other"

        boxes = {"kind": "box", "size": [2, 2]}, {"kind": "key", "x": 1}
        return [describe(each) for each in (*boxes, (1, 2, 3), 200, 2.5, "on", None)]
    """,
    "generators": """
        def boxes(limit):
            sent = 0
            while sent is not None and sent < limit:
                sent = yield sent * 2
            return "done"

        def outer():
            result = yield from boxes(5)
            yield result

        walk = outer()
        return (
            next(walk), walk.send(3), walk.send(9), list(x for x in range(20) if x % 3),
            sum(v * v for v in current[0, :, 0].tolist()), next(iter([]), "none"),
        )
    """,
    "comprehensions": """
        line = current[4, :20, 1].tolist()
        return (
            {v: i for i, v in enumerate(line)}, {v % 7 for v in line}, [[a * b for a in range(3)] for b in range(3)],
            [y for x in line if (y := x // 9) > 5],
            [*line[:2], *range(2)], {**{"a": 1}, "b": 2}, any(v > 250 for v in line), all(line),
            max(line, key=lambda v: v % 50), list(zip(*[(1, 2), (3, 4)], strict=True)),
        )
    """,
    "recursion": """
        def depth(n):
            return 0 if n == 0 else 1 + depth(n - 1)

        def hanoi(n, a="a", b="b", c="c"):
            return 0 if n == 0 else hanoi(n - 1, a, c, b) + 1 + hanoi(n - 1, c, b, a)

        nested = []
        for _ in range(400):
            nested = [nested]
        return depth(500), hanoi(10), len(repr(nested))
    """,
    "recursion that goes too far": """
        def down(n):
            return down(n + 1)

        try:
            down(0)
        except RecursionError as error:
            return str(error)
    """,
    "exceptions": """
        class NotFound(LookupError):
            def __init__(self, what):
                super().__init__(what)
                self.what = what

        steps = []

        def search(what):
            try:
                raise NotFound(what)
            except NotFound as error:
                steps.append(error.what)
                raise ValueError("no such thing") from error
            else:
                steps.append("never")
            finally:
                steps.append("finally")

        try:
            search("key")
        except (ValueError, TypeError) as error:
            steps.append((str(error), type(error.__cause__).__name__, repr(error)))
        wrong = [lambda: {}["a"], lambda: [][1], lambda: None.x, lambda: int("z"), lambda: 1 + "a", lambda: len(3)]
        for make in (*wrong, lambda: "é".encode("ascii"), lambda: undefined):
            try:
                make()
            except Exception as error:
                error.add_note("noted")
                steps.append((type(error).__name__, str(error), error.__notes__))
        try:
            raise ExceptionGroup("two", [ValueError(1), KeyError("b")])
        except* ValueError as group:
            steps.append(len(group.exceptions))
        except* KeyError:
            steps.append("key")
        return steps
    """,
    "asserts": """
        assert current.ndim == 3, "a picture has three axes"
        try:
            assert current.shape[2] == 4, f"{current.shape[2]} channels"
        except AssertionError as error:
            return str(error)
    """,
    "try and finally": """
        steps = []

        def early():
            for step in range(5):
                try:
                    if step == 1:
                        continue
                    if step == 3:
                        return "left"
                finally:
                    steps.append(step)
            else:
                steps.append("ended")

        try:
            steps.append(early())
            del steps[0]
        except:
            pass
        return steps
    """,
    "names of the module": """
        limit = 3
        counter = 0


        def bump():
            global counter
            counter += 1
            return counter


        def answer(found, current):
            names = globals()
            return (
                names["limit"], "answer" in names, isinstance(__name__, str), answer.__qualname__, sorted(locals()),
                bump() >= 1, callable(names["check"]),
            )


        if __name__ == "__main__":
            raise SystemExit("never run by itself")
    """,
    "built-in functions": """
        return (
            abs(-3), bin(10), chr(955), divmod(17, 5), hex(255), list(enumerate("ab", 1)),
            list(filter(None, [0, 1])), list(map(pow, [2, 3], [3, 2])), oct(8), ord("λ"),
            pow(3, 200, 7), round(2.675, 2), round(-0.5), list(reversed([1, 2])), slice(1, 9, 2).indices(5),
            sum([[1], [2]], []), isinstance(True, int), callable(len),
            getattr(current, "ndim"), hasattr(current, "nothing"), eval("1 + 2"), int("ff", 16),
            float("nan") == float("nan"), complex("1+2j"), sorted([3, 1], reverse=True), id(current) == id(current),
            format(3.0, "e"),
        )
    """,
    "hashes of numbers": """
        return (
            hash(3), hash(2.5), hash(10**30), hash((1, 2)), hash(frozenset([1, 2])), hash(1 + 2j),
            {1: "a", 1.0: "b", True: "c"},
        )
    """,
    "big whole numbers": """
        big = 3**2000
        return (
            big % (10**9 + 7), len(str(big)), (big >> 99) & 0xFFFF, big.bit_length(), pow(7, -1, 101),
            int.from_bytes(b"\\x01\\x02", "big"), (-7) // 2, (255).to_bytes(2, "little"), (10**40).bit_count(),
        )
    """,
    "floats and complex numbers": """
        z = 3 - 4j
        return (
            abs(z), z.conjugate() * z, z**0.5, (0.1).as_integer_ratio(), (2.5).hex(), float.fromhex("0x1.8p3"),
            0.1 + 0.2, 1e308 * 10, -0.0, 7.9 // 2, -7.5 % 2, (4.0).is_integer(), 5 // -3,
        )
    """,
    "slices and unpacking": """
        line = list(range(10))
        line[2:5] = "ab"
        del line[::4]
        first, *middle, last = line
        (a, b), c = (1, 2), 3
        a, b = b, a
        return (
            line, first, middle, last, a, b, c, current[..., 0][5:1:-2, 3::40], current[None, 5, -3:],
            current[[1, 3], [2, 4]], current[current[:, :, 0] > 240],
        )
    """,
    "loops": """
        total, rows = 0, 0
        for row in current:
            for pixel in row[::4]:
                total += int(pixel[0]) - int(pixel[1])
            rows += 1
        while total > 1000:
            total //= 2
            if total % 97 == 0:
                break
        else:
            rows = -rows
        return total, rows
    """,
    "coroutines by hand": """
        async def double(value):
            return value * 2

        async def both():
            return await double(3) + await double(4)

        walk = both()
        try:
            walk.send(None)
        except StopIteration as stop:
            return stop.value
    """,
    "numbers of a picture in Python": """
        width, seen, queue = 128, set(), [(70, 30)]
        while queue:
            x, y = queue.pop()
            if (x, y) in seen or not (0 <= x < width and 0 <= y < 96) or current[y, x, 1] < 150:
                continue
            seen.add((x, y))
            queue += [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]
        return len(seen), sorted(seen)[:3], min(seen, default=None), max(seen, default=None)
    """,
    "eighty megabytes": """
        large = np.ones((10_000_000,))
        large[::1000] = current.mean()
        doubled = large * 2
        more = bytearray(40_000_000)
        more[-1] = 7
        return float(doubled.sum()), len(more), sum(more[-10:])
    """,
    "many large temporaries": """
        total = 0.0
        for _ in range(12):
            total += float(np.tile(current, (8, 8, 1)).astype(np.float64).mean())
        return total
    """,
    "many small things": """
        things = [{"x": i, "y": [i, str(i)]} for i in range(60_000)]
        tree = {}
        for each in things:
            tree.setdefault(each["x"] % 100, []).append(each["y"][1])
        return len(tree), tree[7][:3], sum(each["x"] for each in things)
    """,
    "collecting garbage": """
        import gc

        class Node:
            pass

        for _ in range(1000):
            node = Node()
            node.self = node
        return gc.collect() >= 0, gc.isenabled()
    """,
    "a hundred thousand sorted": """
        import random

        values = [random.Random(5).randrange(10**6)] + [(i * 7919) % 100_003 for i in range(100_000)]
        words = sorted(map(str, values[:20_000]), key=lambda word: (len(word), word))
        return sorted(values)[::9999], words[:5], sorted(values, reverse=True)[:2]
    """,
}
