"""What the modules of the standard library offer to a checker: every other name of them is refused."""

BISECT = frozenset(
    """
    bisect bisect_left bisect_right insort insort_left insort_right
    """.split()
)

COLLECTIONS = frozenset(
    """
    ChainMap Counter OrderedDict UserDict UserList UserString defaultdict deque namedtuple
    """.split()
)

DATACLASSES = frozenset(
    """
    Field FrozenInstanceError InitVar KW_ONLY MISSING asdict astuple dataclass field fields is_dataclass replace
    """.split()
)

ENUM = frozenset(
    """
    CONFORM CONTINUOUS EJECT Enum EnumCheck EnumMeta EnumType Flag FlagBoundary IntEnum IntFlag KEEP NAMED_FLAGS
    ReprEnum STRICT StrEnum UNIQUE auto member nonmember property unique verify
    """.split()
)

FUNCTOOLS = frozenset(
    """
    cache cached_property cmp_to_key lru_cache partial partialmethod reduce total_ordering
    """.split()
)

HEAPQ = frozenset(
    """
    heapify heapify_max heappop heappop_max heappush heappush_max heappushpop heappushpop_max heapreplace
    heapreplace_max merge nlargest nsmallest
    """.split()
)

ITERTOOLS = frozenset(
    """
    accumulate batched chain combinations combinations_with_replacement compress count cycle dropwhile filterfalse
    groupby islice pairwise permutations product repeat starmap takewhile tee zip_longest
    """.split()
)

MATH = frozenset(
    """
    acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist e erf erfc exp exp2 expm1 fabs
    factorial floor fma fmax fmin fmod frexp fsum gamma gcd hypot inf isclose isfinite isinf isnan isnormal isqrt
    issubnormal lcm ldexp lgamma log log10 log1p log2 modf nan nextafter perm pi pow prod radians remainder signbit sin
    sinh sqrt sumprod tan tanh tau trunc ulp
    """.split()
)

OPERATOR = frozenset(
    """
    abs add and_ call concat contains countOf delitem eq floordiv ge getitem gt iadd iand iconcat ifloordiv ilshift
    imatmul imod imul index indexOf inv invert ior ipow irshift is_ is_none is_not is_not_none isub itemgetter itruediv
    ixor le length_hint lshift lt matmul mod mul ne neg not_ or_ pos pow rshift setitem sub truediv truth xor
    """.split()
)

RE = frozenset(
    """
    A ASCII DEBUG DOTALL I IGNORECASE L LOCALE M MULTILINE Match NOFLAG Pattern PatternError RegexFlag S U UNICODE
    VERBOSE X compile error escape findall finditer fullmatch match search split sub subn
    """.split()
)

STATISTICS = frozenset(
    """
    NormalDist StatisticsError correlation covariance fmean geometric_mean harmonic_mean kde linear_regression mean
    median median_grouped median_high median_low mode multimode pstdev pvariance quantiles stdev variance
    """.split()
)

TYPING = frozenset(
    """
    AbstractSet Annotated Any AnyStr AsyncContextManager AsyncGenerator AsyncIterable AsyncIterator Awaitable ByteString
    Callable ChainMap ClassVar Collection Concatenate Container ContextManager Coroutine Counter DefaultDict Deque Dict
    Final FrozenSet Generator Generic Hashable ItemsView Iterable Iterator KeysView List Literal LiteralString Mapping
    MappingView Match MutableMapping MutableSequence MutableSet NamedTuple Never NewType NoDefault NoReturn NotRequired
    Optional OrderedDict ParamSpec ParamSpecArgs ParamSpecKwargs Pattern Protocol ReadOnly Required Reversible Self
    Sequence Set Sized SupportsAbs SupportsBytes SupportsComplex SupportsFloat SupportsIndex SupportsInt SupportsRound
    TYPE_CHECKING Text Tuple Type TypeAlias TypeAliasType TypeGuard TypeIs TypeVar TypeVarTuple TypedDict Union Unpack
    ValuesView assert_never assert_type cast dataclass_transform final get_args get_origin get_protocol_members
    is_protocol is_typeddict no_type_check no_type_check_decorator overload override runtime_checkable
    """.split()
)

ABC = frozenset(
    """
    AsyncGenerator AsyncIterable AsyncIterator Awaitable Buffer ByteString Callable Collection Container Coroutine
    Generator Hashable ItemsView Iterable Iterator KeysView Mapping MappingView MutableMapping MutableSequence
    MutableSet Reversible Sequence Set Sized ValuesView
    """.split()
)
