"""The standard library: numbers, collections, time, copies and chance."""

SNIPPETS: dict[str, str] = {
    "math and cmath": """
        import cmath, math

        x = float(current.mean())
        return (
            math.hypot(x, 3), math.comb(40, 7), math.isqrt(10**30), math.gcd(84, 36), math.erf(x / 99),
            math.gamma(4.5), math.fsum([0.1] * 10),
            cmath.polar(3 + 4j), cmath.exp(1j * math.pi), math.nextafter(1, 2), math.dist((0, 0), (3, 4)),
            math.prod(range(1, 9)), math.frexp(x),
        )
    """,
    "statistics": """
        import statistics

        line = current[5, :, 0].tolist()
        return (
            statistics.mean(line), statistics.median(line), statistics.pstdev(line), statistics.mode(line),
            statistics.quantiles(line, n=5),
            statistics.linear_regression(range(128), line), statistics.correlation(range(128), line),
            statistics.NormalDist(3, 2).cdf(4),
            statistics.fmean(line), statistics.harmonic_mean([2, 3]), statistics.geometric_mean([2, 8]),
            statistics.multimode("aabb"),
        )
    """,
    "fractions and decimals": """
        from decimal import ROUND_HALF_EVEN, Decimal, getcontext, localcontext
        from fractions import Fraction

        with localcontext() as context:
            context.prec = 40
            root = Decimal(2).sqrt()
        return (
            Fraction(3, 7) + Fraction("0.25"), Fraction(0.1).limit_denominator(50), root,
            Decimal("2.675").quantize(Decimal("0.01"), ROUND_HALF_EVEN),
            getcontext().prec, Decimal(1) / 7, f"{Decimal('1234.5'):,.2f}",
        )
    """,
    "collections": """
        from collections import ChainMap, Counter, OrderedDict, UserDict, defaultdict, deque, namedtuple

        Box = namedtuple("Box", "x y w h", defaults=[9])
        groups = defaultdict(list)
        for value in current[0, :20, 0].tolist():
            groups[value % 3].append(value)
        last = deque(range(9), maxlen=3)
        last.rotate(1)
        return (
            Counter(current[:, :, 0].ravel().tolist()).most_common(5), dict(groups), list(last),
            Box(1, 2, 3)._asdict(), Box(1, 2, 3)._replace(x=7),
            ChainMap({"a": 1}, {"b": 2})["b"], list(OrderedDict(b=1, a=2)), UserDict(a=1).data,
            Counter("abca") - Counter("ab"),
        )
    """,
    "itertools": """
        from itertools import accumulate, chain, combinations, cycle, groupby, islice, pairwise
        from itertools import permutations, product, takewhile, zip_longest

        line = current[7, :12, 1].tolist()
        return (
            list(accumulate(line)), list(chain([1], [2])), list(combinations(line[:4], 2)),
            list(islice(cycle("ab"), 5)), list(pairwise(line)),
            [(key, len(list(group))) for key, group in groupby(sorted(line), lambda v: v // 50)],
            list(permutations("abc"))[3],
            list(product([0, 1], repeat=2)), list(takewhile(lambda v: v < 200, line)), list(zip_longest([1, 2], [3])),
        )
    """,
    "functools": """
        from functools import cache, lru_cache, partial, reduce, singledispatch, wraps

        @lru_cache(maxsize=None)
        def fib(n):
            return n if n < 2 else fib(n - 1) + fib(n - 2)

        @singledispatch
        def kind(value):
            return "other"

        kind.register(int, lambda value: "whole")

        def twice(function):
            @wraps(function)
            def inner(*values):
                return function(function(*values))

            return inner

        @twice
        def plus_one(value):
            return value + 1

        return (
            fib(90), fib.cache_info().hits, reduce(lambda a, b: a * b, range(1, 20)),
            partial(int, base=2)("1011"), kind(3), kind("a"), plus_one(3), plus_one.__name__, cache(len)("abc"),
        )
    """,
    "heapq and bisect": """
        import bisect, heapq

        heap = current[3, :30, 2].tolist()
        heapq.heapify(heap)
        first = [heapq.heappop(heap) for _ in range(5)]
        heapq.heappush(heap, 0)
        ordered = sorted(heap)
        bisect.insort(ordered, 77)
        return (
            first, heapq.nsmallest(3, heap), heapq.nlargest(3, heap, key=lambda v: -v), bisect.bisect(ordered, 100),
            list(heapq.merge([1, 4], [2, 3])),
        )
    """,
    "operators": """
        import operator

        boxes = [{"x": 3, "n": "b"}, {"x": 1, "n": "a"}]
        return (
            sorted(boxes, key=operator.itemgetter("x")), operator.attrgetter("real")(3 + 4j),
            operator.methodcaller("upper")("a"), operator.matmul(np.eye(2), [1, 2]),
            operator.index(np.int8(3)), operator.length_hint(iter([1, 2])), operator.countOf([1, 1, 2], 1),
        )
    """,
    "copies": """
        import copy

        nested = {"a": [1, {"b": current[:3]}], "c": (2, 3)}
        nested["self"] = nested
        deep = copy.deepcopy(nested)
        deep["a"][1]["b"][0] = 0
        return (
            deep["self"] is deep, np.array_equal(nested["a"][1]["b"], current[:3]), copy.copy([1, [2]]),
            deep["a"][1]["b"], copy.copy(current).sum(),
        )
    """,
    "pickling in memory": """
        import pickle

        return (
            pickle.loads(pickle.dumps({"frame": current, "box": (1, 2)}))["frame"],
            len(pickle.dumps(current, protocol=5)) > current.size,
        )
    """,
    "packing and hashing": """
        import base64, binascii, hashlib, struct, zlib

        data = current.tobytes()
        return (
            struct.pack("<IhBd", 1, -2, 3, 4.5), struct.unpack(">HH", b"\\0\\1\\0\\2"), zlib.crc32(data),
            zlib.decompress(zlib.compress(data, 9)) == data,
            hashlib.sha256(data).hexdigest(), hashlib.md5(data, usedforsecurity=False).hexdigest(),
            hashlib.blake2b(data, digest_size=8).hexdigest(),
            hashlib.sha3_256(data).hexdigest(), hashlib.sha512(data).hexdigest(), base64.b64encode(data[:9]),
            binascii.hexlify(data[:5]),
            base64.b85encode(data[:8]), hashlib.new("sha1", data, usedforsecurity=False).hexdigest(),
        )
    """,
    "random": """
        import random

        chance = random.Random(12)
        random.seed(3)
        values = list(range(10))
        random.shuffle(values)
        return (
            chance.random(), chance.randint(1, 99), chance.sample(range(100), 5), chance.gauss(0, 1),
            chance.choices("abc", [1, 2, 3], k=6), values,
            random.uniform(1, 2), random.choice("xyz"), chance.getrandbits(70), 0 <= random.Random().random() < 1,
            len(random.randbytes(3)),
        )
    """,
    "uuid and secrets": """
        import secrets, uuid

        name = uuid.uuid5(uuid.NAMESPACE_URL, "red door")
        return (
            str(name), name.int, uuid.uuid3(uuid.NAMESPACE_DNS, "a").hex, uuid.uuid4().version,
            len(secrets.token_hex(8)), secrets.randbelow(1),
        )
    """,
    "colorsys": """
        import colorsys

        pixel = [value / 255 for value in current[40, 60].tolist()]
        return (
            colorsys.rgb_to_hsv(*pixel), colorsys.rgb_to_hls(*pixel), colorsys.rgb_to_yiq(*pixel),
            colorsys.hsv_to_rgb(0.3, 0.5, 0.7),
        )
    """,
    "array and queues": """
        import array, queue, weakref

        numbers = array.array("d", [1.5, 2.5])
        waiting = queue.PriorityQueue()
        for each in (3, 1, 2):
            waiting.put(each)

        class Thing:
            pass

        thing = Thing()
        return numbers.tolist(), numbers.tobytes(), [waiting.get() for _ in range(3)], weakref.ref(thing)() is thing
    """,
    "locks without threads": """
        import threading

        lock, local = threading.Lock(), threading.local()
        with lock:
            local.value = 3
        return (
            local.value, lock.locked(), threading.current_thread() is threading.main_thread(),
            threading.active_count() >= 1,
        )
    """,
    "dates and times": """
        import datetime as dt

        moment = dt.datetime(2024, 2, 29, 13, 5, 7, tzinfo=dt.timezone.utc)
        return (
            moment.isoformat(), moment + dt.timedelta(days=1.5), moment.strftime("%Y-%j %H:%M:%S %A"),
            dt.date(2024, 3, 1) - moment.date(),
            dt.datetime.fromisoformat("2024-05-06T07:08:09"), type(dt.datetime.now()).__name__,
            dt.datetime.now() > dt.datetime(2020, 1, 1),
            dt.date.today().year > 2020, moment.timestamp(), moment.isocalendar(),
        )
    """,
    "reading a date": """
        from datetime import datetime
        import time

        return (
            datetime.strptime("29 Feb 2024", "%d %b %Y"), time.strftime("%H:%M", time.gmtime(3600)),
            time.strptime("12:30", "%H:%M").tm_hour,
        )
    """,
    "local time and zones": """
        import datetime, time

        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            now.utcoffset(), time.localtime().tm_year > 2020, len(time.ctime()), type(time.tzname).__name__,
            now.astimezone() == now,
        )
    """,
    "clocks": """
        import time

        start = time.perf_counter()
        clocks = (time.time(), time.monotonic(), time.process_time(), time.thread_time(), time.perf_counter())
        return [type(each).__name__ for each in clocks], time.perf_counter() >= start, type(time.time_ns()).__name__
    """,
    "calendar": """
        import calendar

        return calendar.monthrange(2024, 2), calendar.isleap(2024), calendar.month(2024, 2), calendar.day_name[0]
    """,
}
