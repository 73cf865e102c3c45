"""Classes, functions as values, and types."""

SNIPPETS: dict[str, str] = {
    "dataclasses": '''
        from __future__ import annotations

        import dataclasses
        from dataclasses import dataclass, field


        @dataclass(order=True, frozen=True, slots=True)
        class Box:
            """A box."""

            x: int
            y: int = 2
            tags: list[str] = field(default_factory=list, compare=False)

            @property
            def area(self) -> int:
                return self.x * self.y


        @dataclass
        class Named(object):
            box: Box
            name: str = "key"

            def __post_init__(self):
                self.name = self.name.upper()


        def answer(found, current):
            named = Named(Box(3))
            return (
                named, dataclasses.asdict(named), Box(1) < Box(2), named.box.area, dataclasses.replace(named.box, x=9),
                [each.name for each in dataclasses.fields(Box)], hash(Box(1)) == hash(Box(1)), Box.__module__,
                dataclasses.astuple(Box(5)),
            )
    ''',
    "enums": """
        import enum


        class Colour(enum.Enum):
            RED = 1
            BLUE = enum.auto()


        class Sides(enum.Flag):
            LEFT = enum.auto()
            RIGHT = enum.auto()


        class Level(enum.IntEnum):
            LOW = 1
            HIGH = 2


        class Name(enum.StrEnum):
            KEY = enum.auto()


        def answer(found, current):
            return (
                list(Colour), Colour(2).name, Colour["RED"], Sides.LEFT | Sides.RIGHT, Level.HIGH > Level.LOW,
                f"{Name.KEY}", Sides.LEFT in Sides(3),
            )
    """,
    "typing": """
        import typing
        from collections.abc import Callable, Iterable, Iterator
        from typing import Any, Generic, Literal, NamedTuple, Optional, Protocol, TypedDict, TypeVar, Union

        T = TypeVar("T")


        class Stack(Generic[T]):
            def __init__(self) -> None:
                self.items: list[T] = []


        class Point(NamedTuple):
            x: int
            y: float = 0.5


        class Facts(TypedDict, total=False):
            name: str


        @typing.runtime_checkable
        class Sized(Protocol):
            def __len__(self) -> int: ...


        def area(point: "Point", scale: Optional[float] = None, kind: Literal["a", "b"] = "a") -> Union[int, float]:
            return point.x * point.y


        def answer(found, current):
            return (
                typing.get_type_hints(area), area(Point(3)), isinstance([], Sized), Facts(name="a"),
                str(Callable[[int], Any]), typing.get_args(dict[str, int]),
                typing.get_origin(Iterable[int]) is Iterable, isinstance(iter([]), Iterator), typing.cast(int, 3),
                str(Stack[int]).split(".")[-1], Point(1)._asdict(),
            )
    """,
    "contexts": """
        import contextlib

        steps = []

        @contextlib.contextmanager
        def opened(name):
            steps.append(f"open {name}")
            try:
                yield name
            finally:
                steps.append(f"close {name}")

        with opened("a") as a, contextlib.suppress(ZeroDivisionError), contextlib.ExitStack() as stack:
            stack.enter_context(opened("b"))
            stack.callback(steps.append, "called")
            1 / 0
        with contextlib.nullcontext(3) as three, contextlib.closing(opened("c").gen):
            pass
        return steps, a, three
    """,
    "classes": """
        class Shape:
            count = 0

            def __init_subclass__(cls, **options):
                super().__init_subclass__()
                cls.options = options

            def __init__(self, side):
                type(self).count += 1
                self._side = side

            def __repr__(self):
                return f"{type(self).__name__}({self._side})"

            def __eq__(self, other):
                return isinstance(other, Shape) and self._side == other._side

            def __hash__(self):
                return hash(self._side)

            def __getitem__(self, key):
                return key

        class Square(Shape, colour="red"):
            __slots__ = ("extra",)

            @property
            def area(self):
                return self._side**2

            @classmethod
            def unit(cls):
                return cls(1)

            @staticmethod
            def sides():
                return 4

            def __getattr__(self, name):
                return name.upper()

        class Meta(type):
            def __call__(cls, *values):
                return super().__call__(*values), "made"

        class Made(metaclass=Meta):
            def __init__(self, value):
                self.value = value

        one = Square(3)
        return (
            one, one.area, Square.unit(), Square.sides(), one == Square(3), Square.options, one[1:2, ...], one.missing,
            Square.count, [each.__name__ for each in Square.__mro__], Made(1)[1], len({one, Square(3)}),
            type("Late", (Shape,), {"x": 1}).x,
        )
    """,
    "closures": """
        def counter():
            count = 0

            def step(by=1):
                nonlocal count
                count += by
                return count

            return step

        first, second = counter(), counter()
        makers = [lambda x, k=k: x * k for k in range(4)]
        return (
            first(), first(5), second(), [make(3) for make in makers], first.__closure__[0].cell_contents,
            (lambda *a, **k: (a, k))(1, b=2),
        )
    """,
    "a decorator and a type": """
        def counted(function):
            def inner(*values, **options):
                inner.calls += 1
                return function(*values, **options)

            inner.calls = 0
            return inner

        class Celsius:
            def __set_name__(self, owner, name):
                self.name = "_" + name

            def __get__(self, thing, kind=None):
                return getattr(thing, self.name, 20)

            def __set__(self, thing, value):
                setattr(thing, self.name, value * 2)

        class Room:
            heat = Celsius()

            def __enter__(self):
                return self

            def __exit__(self, *what):
                return True

            def __iter__(self):
                return iter([self.heat])

        @counted
        def area(w, h=2, /, *more, scale=1):
            return w * h * scale

        with Room() as room:
            room.heat = 4
            raise ValueError
        return area(2), area(2, 3, scale=4), area.calls, list(room), Room().heat
    """,
}
