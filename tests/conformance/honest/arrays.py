"""What numpy does with arrays: order, views, counting, random numbers."""

SNIPPETS: dict[str, str] = {
    "histograms": """
        grey = current.mean(axis=2)
        return (
            np.histogram(grey, bins=16, range=(0, 256)), np.histogram_bin_edges(grey, "fd"),
            np.histogram2d(current[:, :, 0].ravel(), current[:, :, 1].ravel(), bins=8)[0],
            np.histogramdd(current.reshape(-1, 3), bins=4)[0], np.bincount(current[:, :, 2].ravel(), minlength=256),
        )
    """,
    "unique colours": """
        colours, first, inverse, counts = np.unique(
            current.reshape(-1, 3) // 32, axis=0, return_index=True, return_inverse=True, return_counts=True
        )
        return colours, first, inverse, counts, np.unique_values(current[:, :, 0]), np.unique_counts(found[:, 0, 0])
    """,
    "sorting": """
        line = current[40, :, 0]
        names = np.array(["pear", "fig", "apple", "Zürich"])
        return (
            np.sort(current, axis=0), np.argsort(line, kind="stable"), np.partition(line, 20)[:20].sum(),
            np.sort(names),
            np.lexsort((current[0, :, 0], current[0, :, 1])), np.sort(line.astype(">f8"))[::-1],
            np.argpartition(line, 3)[:0],
        )
    """,
    "sorting a hundred thousand": """
        numbers = np.random.default_rng(3).normal(size=100_000)
        ordered = sorted(numbers.tolist())
        return np.array_equal(ordered, np.sort(numbers)), ordered[:3], np.searchsorted(ordered, [-1.0, 0.0, 1.0])
    """,
    "percentiles": """
        values = current[:, :, 1].astype(float)
        values[values > 200] = np.nan
        return (
            np.percentile(current, [1, 50, 99]), np.quantile(current, 0.3, axis=(0, 1), method="linear"),
            np.median(current),
            np.nanmean(values), np.nanstd(values, axis=0), np.nanmedian(values), np.nanpercentile(values, 80),
            np.ptp(current),
        )
    """,
    "masked arrays": """
        masked = np.ma.masked_where(current[:, :, 0] < 90, current[:, :, 1])
        line = np.ma.array([1, 2, 3, 4], mask=[0, 1, 0, 0])
        return (
            masked.filled(0), masked.mean(), masked.std(), masked.count(), np.ma.median(masked), line.compressed(),
            repr(line),
            np.ma.masked_invalid([1.0, np.nan]).sum(), np.ma.notmasked_edges(line), np.ma.getmaskarray(masked),
        )
    """,
    "sliding windows": """
        from numpy.lib.stride_tricks import sliding_window_view

        windows = sliding_window_view(current[:, :, 0], (5, 7))
        return windows.std(axis=(2, 3)), windows.max(axis=(2, 3))[::9], windows.strides, windows.flags.writeable
    """,
    "blocks by reshaping": """
        blocks = current.reshape(12, 8, 16, 8, 3).swapaxes(1, 2)
        padded = np.pad(current[:, :, 0], ((2, 3), (4, 1)), mode="reflect")
        return (
            blocks.mean(axis=(2, 3)), padded, np.pad(padded, 1, constant_values=7),
            np.tile(current[:2, :2], (2, 2, 1)),
        )
    """,
    "orders in memory": """
        columns = np.asfortranarray(current)
        turned = current.transpose(2, 0, 1)
        return (
            columns.flags.f_contiguous, turned.flags.c_contiguous, columns.strides, turned.sum(axis=(1, 2)),
            columns.ravel("F"),
            turned.ravel("K"), np.ascontiguousarray(turned), current[::-1, ::-2].copy("A").strides,
            np.rollaxis(current, 2).shape,
        )
    """,
    "both byte orders": """
        big = current[:8].astype(">u2") * 257
        floats = big.astype(">f4") / 3
        return (
            big, floats, big.byteswap().view("<u2"), floats.sum(), big.dtype.byteorder,
            np.frombuffer(b"\\x00\\x01" * 3, ">i2"),
        )
    """,
    "bits": """
        mask = current[:, :, 0] > 128
        packed = np.packbits(mask, axis=1)
        return (
            packed, np.unpackbits(packed, axis=1, count=128), np.bitwise_xor.reduce(current, axis=0), current ^ found,
            np.left_shift(current.astype(np.uint16), 3), ~current[0], np.bitwise_count(current), np.binary_repr(10, 8),
        )
    """,
    "vectorize and apply": """
        label = np.vectorize(lambda r, g, b: "rgb"[int(np.argmax([r, g, b]))], otypes=["U1"])
        letters = label(*current[::8, ::8].transpose(2, 0, 1))
        return letters, np.apply_along_axis(lambda line: line.max() - line.min(), 1, current[:, :, 0]), np.frompyfunc(
            lambda a, b: int(a) + int(b), 2, 1
        )(current[0, :5, 0], 3)
    """,
    "nditer": """
        total = 0
        for a, b in np.nditer([current[:20, :20, 0], found[:20, :20, 0]]):
            total += int(a) * int(b)
        walk = np.nditer(current[:3, :3, 0], flags=["multi_index", "external_loop"][:1])
        return total, [walk.multi_index for _ in walk], list(np.ndindex(2, 2)), list(np.ndenumerate(current[:2, 0, 0]))
    """,
    "picking and putting": """
        order = np.argsort(current, axis=1)
        copy = current.copy()
        np.put_along_axis(copy, order[:, :1], 0, axis=1)
        copy[np.ix_([1, 3], [2, 4], [0])] = 9
        np.fill_diagonal(copy[:, :, 0], 1)
        return (
            np.take_along_axis(current, order, axis=1), copy, np.select([current < 50, current < 150], [0, 1], 2),
            np.roll(copy, 5),
            np.where(current > found, current, found), np.choose(current[0, :, 0] % 3, current[0].T),
            np.argwhere(current > 250),
        )
    """,
    "sets and digits": """
        a, b = current[:, :, 0].ravel(), found[:, :, 0].ravel()
        return (
            np.intersect1d(a, b), np.setdiff1d(a, b), np.union1d(a, b), np.setxor1d(a, b), np.isin(a, b).sum(),
            np.digitize(a, [64, 128, 192]), np.ediff1d(np.sort(a)),
        )
    """,
    "grids": """
        rows, columns = np.mgrid[:96, :128]
        weights = current.sum(axis=2, dtype=float)
        across, down = np.meshgrid(np.linspace(0, 1, 5), np.geomspace(1, 9, 4), indexing="xy")
        return (
            (rows * weights).sum() / weights.sum(), (columns * weights).sum() / weights.sum(), across, down,
            np.indices((2, 3)),
            np.ogrid[:3, :4][0], np.r_[1:4, 9], np.c_[[1, 2], [3, 4]], np.s_[1:, ::2], np.tril_indices(3),
        )
    """,
    "joining and splitting": """
        halves = np.array_split(current, 5, axis=1)
        return (
            np.concatenate(halves[::-1], axis=1), np.vstack([current, found]), np.dstack([current, found]),
            np.block([[1, 2], [3, 4]]),
            np.hsplit(found, 2)[1], np.insert(np.arange(5), 2, 9), np.delete(np.arange(5), 1),
            np.resize(np.arange(3), (2, 4)),
            np.flip(current, 1), np.rot90(current), np.squeeze(current[None]), np.expand_dims(current, 0).shape,
        )
    """,
    "default_rng": """
        rng = np.random.default_rng(11)
        return (
            rng.integers(0, 9, 20), rng.normal(size=5), rng.choice(50, 6, replace=False), rng.permutation(8),
            rng.uniform(-1, 1, 3),
            rng.poisson(4, 5), rng.multivariate_normal([0, 1], np.eye(2), 3), rng.dirichlet([1, 2, 3]), rng.bytes(6),
            rng.random(),
        )
    """,
    "RandomState and the old functions": """
        old = np.random.RandomState(5)
        np.random.seed(6)
        return (
            old.rand(3), old.randn(3), old.randint(0, 9, 4), np.random.rand(2), np.random.choice(9, 3),
            np.random.beta(1, 2, 3),
        )
    """,
    "every bit generator": """
        kinds = (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64)
        seeds = np.random.SeedSequence(8).spawn(len(kinds))
        return [np.random.Generator(kind(seed)).standard_normal(4) for kind, seed in zip(kinds, seeds)]
    """,
    "shuffling": """
        pixels = current.reshape(-1, 3).copy()
        np.random.default_rng(2).shuffle(pixels)
        np.random.RandomState(2).shuffle(pixels[:500])
        return pixels
    """,
    "a generator seeded by chance": """
        return (
            np.random.default_rng().random(4).shape, 0 <= np.random.random() < 1,
            np.random.RandomState().randint(3, size=2).dtype.kind,
        )
    """,
    "comparing": """
        close = np.isclose(current / 3.0, found / 3.0, atol=9)
        return (
            close, np.allclose(current, found), np.array_equal(current, found), np.count_nonzero(current != found),
            np.any(close),
            np.all(close, axis=2), np.logical_xor(close[0], close[1]), np.maximum(current, found),
            np.clip(current, 20, 200),
            np.may_share_memory(current, current[1:]), np.result_type(current, 1.5), np.can_cast("u1", "i2"),
        )
    """,
    "accumulating": """
        flat = current.ravel().astype(np.int64)
        sums = np.zeros(8, np.int64)
        np.add.at(sums, flat % 8, flat)
        return (
            sums, np.maximum.accumulate(current, axis=0), np.add.reduceat(flat, [0, 100, 900]),
            np.multiply.outer(flat[:3], flat[:4]),
            np.cumprod(flat[:9] % 3 + 1), np.logaddexp.reduce(flat[:50] / 99.0), np.divmod(flat[:5], 7),
            np.gcd(flat[:5], 12),
        )
    """,
}
