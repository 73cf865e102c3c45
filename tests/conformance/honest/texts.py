"""What a program says, reads and searches in texts and bytes."""

SNIPPETS: dict[str, str] = {
    "print": """
        import sys

        print("the mean is", current.mean(), "ä€😀", flush=True)
        print(current)
        print("to stderr", file=sys.stderr, flush=True)
        return sys.stdout.write("plain\\n"), sys.stderr.write("text"), sys.stdout.flush()
    """,
    "printing into a text": """
        import contextlib, io

        with contextlib.redirect_stdout(io.StringIO()) as said:
            print("a", "b", sep="-", end="!")
        return said.getvalue()
    """,
    "warnings": """
        import warnings

        warnings.warn("too dark", stacklevel=1)
        warnings.warn("old", DeprecationWarning, stacklevel=2)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            warnings.warn("seen", UserWarning, stacklevel=1)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                warnings.warn("now an error", RuntimeWarning, stacklevel=1)
            except RuntimeWarning as error:
                return [str(each.message) for each in seen], str(error)
    """,
    "logging": """
        import io, logging

        text = io.StringIO()
        log = logging.getLogger("checker")
        log.addHandler(logging.StreamHandler(text))
        log.setLevel(logging.INFO)
        log.info("mean %.2f", current.mean())
        log.debug("not shown")
        logging.warning("to stderr")
        return text.getvalue(), log.getEffectiveLevel(), logging.getLevelName(30)
    """,
    "tracebacks": """
        import sys, traceback

        def fails():
            return 1 / 0

        try:
            fails()
        except ZeroDivisionError as error:
            text = traceback.format_exc()
            names = [each.name for each in traceback.extract_tb(error.__traceback__)]
            return (
                text.splitlines()[0], text.splitlines()[-1], names, traceback.format_exception_only(error),
                sys.exc_info()[0] is ZeroDivisionError,
            )
    """,
    "regular expressions": """
        import re

        text = "Größe: 12px\\nfarbe=ROT; ΣΊΣΥΦΟΣ 3.5e-2"
        return (
            re.findall(r"\\w+", text), re.sub(r"(?P<n>\\d+)px", r"\\g<n> px", text),
            re.search("rot", text, re.IGNORECASE).span(), re.split(r"[;=\\n]", text),
            re.match(r"(?x) (\\w+) : \\s* (\\d+)  # a size", text).groups(),
            re.compile(r"^f.*$", re.M | re.S).findall(text), re.escape("a.b"),
            re.fullmatch(r"(?ai)[a-z]+", "ABC") is not None, re.findall("σ", text, re.I),
            bool(re.match(rb"\\d", b"7")), str(re.compile("a", re.I | re.DEBUG & 0)),
            [m.group() for m in re.finditer(r"(?<=: )\\d+|[+-]?\\d+\\.\\d+(?:e-?\\d+)?", text)],
        )
    """,
    "a wrong pattern": """
        import re

        try:
            re.compile("(unclosed")
        except re.error as error:
            return str(error), error.pos
    """,
    "string and textwrap": """
        import string, textwrap

        return (
            string.Template("$who is $what").substitute(who="door", what="open"), string.ascii_letters,
            string.capwords("red key"),
            textwrap.fill("a door that is red and a key that is blue " * 3, 30), textwrap.dedent("  a\\n   b"),
            textwrap.shorten("one two three", 9),
            string.Formatter().format("{0!r:>8} {x.real}", "a", x=1 + 2j),
        )
    """,
    "json": """
        import json

        text = json.dumps({"a": [1, 2.5, None, True], "ä": "€\\u2028"}, sort_keys=True, indent=1)
        try:
            json.loads("{not json")
        except json.JSONDecodeError as error:
            return (
                text, json.loads(text), error.msg, error.pos, json.dumps([float("inf")]), json.loads("1e400"),
                json.dumps("ä", ensure_ascii=False),
            )
    """,
    "io": """
        import io

        data = io.BytesIO(current.tobytes())
        data.seek(-6, io.SEEK_END)
        lines = io.StringIO("one\\ntwo\\n")
        wrapped = io.TextIOWrapper(io.BytesIO("grün\\n".encode("utf-8")), encoding="utf-8")
        return (
            data.read(), lines.readlines(), wrapped.read(), io.BufferedReader(io.BytesIO(b"abc")).peek(2),
            data.getbuffer().nbytes,
        )
    """,
    "csv and html": """
        import csv, html, io

        rows = list(csv.DictReader(io.StringIO("x,y\\n1,2\\n3,4\\n")))
        return rows, html.escape("<a & b>"), html.unescape("&auml;&#955;")
    """,
    "difflib and unicodedata": """
        import difflib, unicodedata

        return (
            difflib.SequenceMatcher(None, "red door", "real door").ratio(),
            difflib.get_close_matches("dor", ["door", "key"]),
            unicodedata.normalize("NFKD", "ä").encode("ascii", "ignore"), unicodedata.name("λ"), "straße".casefold(),
            "İ".lower(),
        )
    """,
    "encodings": """
        text = "Größe λ €"
        names = "utf-8 utf-16 utf-32-le utf-8-sig latin-1 cp1252 ascii iso8859-15 unicode_escape punycode".split()
        return (
            {name: text.encode(name, "replace") for name in names}, b"\\xff\\xfea\\0".decode("utf-16"),
            "a".encode("idna"), b"\\xe4".decode("latin-1"),
        )
    """,
    "names outside ASCII": """
        größe, λ, 名前 = current.shape[0], 0.5, "鍵"
        ﬁ = 3

        def fläche(höhe, *, breite=2):
            return höhe * breite

        return größe * λ, 名前, fi, fläche(größe), f"{名前!a:>12}", "\\N{SNOWMAN}", "😀".encode().hex()
    """,
    "an encoding line": """
        # -*- coding: utf-8 -*-
        def answer(found, current):
            return "ä" * 3, b"\\xc3\\xa4".decode()
    """,
    "texts": """
        x, name = 3.14159, "key"
        return (
            f"{x:.2f}|{name:>8}|{name!r:^9}|{1234567:,}|{0.25:%}|{255:#06x}|{x=:.1f}", f"{{}}|{name:{10}}|{int(x):+d}",
            "%5.1f %-4s|" % (x, "a"), "{:08.3f} {0!s}".format(x) if 0 else "",
            "a-b-c".partition("-"), "Red Key".swapcase(), " x ".strip(), "a,b".split(","),
            "abc".translate({97: "z"}), "7".zfill(3), "ab" < "b", "é".isalpha(),
            "tab\\there".expandtabs(8), "x".join("abc"), "abcabc".rfind("b"), str(b"a"),
            repr("'\\"\\n"), ascii("é"), "%s" % (1,), "-".join(sorted("hello")),
        )
    """,
    "bytes": """
        data = bytearray(current[:2].tobytes())
        view = memoryview(data)
        view[0:3] = b"abc"
        words = view[:8].cast("I")
        return (
            bytes(view[:6]), words.tolist(), data[::-1][:4], data.hex()[:8], bytes.fromhex("00ff"),
            b"a,b".split(b","), view.nbytes, data.find(b"c"), b"%d" % 3,
        )
    """,
    "ast and literals": """
        import ast

        return (
            ast.literal_eval("{'a': [1, 2.5, (3,)]}"), ast.dump(ast.parse("x + 1", mode="eval")),
            ast.unparse(ast.parse("f( x )")),
        )
    """,
    "code from a text": """
        names = {}
        exec(compile("def double(x):\\n    return 2 * x", "<text>", "exec"), names)
        try:
            compile("x ===", "<text>", "eval")
        except SyntaxError as error:
            return names["double"](4), error.lineno, error.offset
    """,
    "looking into itself": """
        import inspect, sys, types

        def area(box, scale: float = 1.0):
            return box

        return (
            str(inspect.signature(area)), inspect.isfunction(area), sys.version_info >= (3, 11), sys.maxsize,
            sys.byteorder, sys.getsizeof(1) > 0,
            types.SimpleNamespace(a=1).a, inspect.getdoc(len) is not None, sys.float_info.epsilon,
            sys.getrecursionlimit() >= 1000, sys.intern("a"),
        )
    """,
}
