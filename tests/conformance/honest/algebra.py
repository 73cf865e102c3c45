"""Linear algebra, transforms and polynomials with numpy."""

SNIPPETS: dict[str, str] = {
    "singular values": """
        u, s, vh = np.linalg.svd(current[:, :, 0].astype(float), full_matrices=False)
        low = (u[:, :5] * s[:5]) @ vh[:5]
        return s, low
    """,
    "eigenvalues": """
        pixels = current.reshape(-1, 3).astype(float)
        covariance = np.cov(pixels, rowvar=False)
        return np.linalg.eigh(covariance), np.linalg.eigvals(covariance + np.triu(covariance))
    """,
    "complex eigenvectors": """
        square = current[:32, :32, 1].astype(float)
        values, vectors = np.linalg.eig(square)
        return np.sort_complex(values), np.abs(vectors)
    """,
    "qr and cholesky": """
        tall = current[:, :12, 2].astype(float)
        q, r = np.linalg.qr(tall)
        lower = np.linalg.cholesky(tall.T @ tall + np.eye(12))
        return q, r, lower
    """,
    "least squares": """
        rows, columns = np.nonzero(current[:, :, 0] > 150)
        design = np.column_stack([rows, columns, np.ones(len(rows))])
        return np.linalg.lstsq(design, current[rows, columns, 1].astype(float), rcond=None)
    """,
    "solving and inverting": """
        square = current[:20, :20, 0].astype(float) + 300 * np.eye(20)
        return (
            np.linalg.solve(square, np.arange(20.0)), np.linalg.inv(square), np.linalg.pinv(square[:, :7]),
            np.linalg.slogdet(square), np.linalg.matrix_rank(square), np.linalg.cond(square),
            np.linalg.matrix_power(square / 400, 5),
        )
    """,
    "a singular matrix is caught": """
        try:
            return np.linalg.inv(np.zeros((3, 3)))
        except np.linalg.LinAlgError as error:
            return str(error)
    """,
    "norms": """
        difference = current.astype(float) - found
        flat = difference.reshape(-1, 3)
        return [np.linalg.norm(flat, order, axis=1) for order in (1, 2, np.inf)], [
            np.linalg.norm(difference[:, :, 0], order) for order in ("fro", "nuc", 2, -np.inf)
        ]
    """,
    "fft2 and back": """
        grey = current.mean(axis=2)
        spectrum = np.fft.fftshift(np.fft.fft2(grey))
        spectrum[40:56, 50:78] = 0
        return np.fft.ifft2(np.fft.ifftshift(spectrum)).real, np.abs(spectrum)
    """,
    "rfft along rows": """
        lines = np.fft.rfft(current[:, :, 1], axis=1)
        return np.fft.irfft(lines, n=128, axis=1), np.fft.rfftfreq(128), np.fft.hfft(lines[0]), np.angle(lines[3])
    """,
    "fftn of a stack": """
        both = np.stack([found, current]).astype(np.float32)
        return np.fft.fftn(both, axes=(0, 1, 2))[:, ::7, ::7], np.fft.fft(current[0, :, 0], n=101)
    """,
    "phase correlation by hand": """
        a, b = (np.fft.fft2(each.mean(axis=2)) for each in (found, current))
        cross = a * np.conj(b)
        surface = np.fft.ifft2(cross / (np.abs(cross) + 1e-9)).real
        return np.unravel_index(surface.argmax(), surface.shape), float(surface.max())
    """,
    "convolve and correlate": """
        line, kernel = current[30, :, 0].astype(float), np.hanning(9)
        return [np.convolve(line, kernel, mode) for mode in ("full", "same", "valid")], np.correlate(
            line, found[30, :, 0], "full"
        )
    """,
    "einsum": """
        a, b = current / 255.0, found / 255.0
        weights = np.array([0.299, 0.587, 0.114])
        return (
            np.einsum("ijc,c->ij", a, weights), np.einsum("ijc,ijd->cd", a, b, optimize=True),
            np.einsum("iic->c", a[:, :96]),
        )
    """,
    "tensordot, kron, outer and cross": """
        a = current[:6, :8].astype(np.int64)
        return (
            np.tensordot(a, a, axes=([0, 2], [0, 2])), np.kron(a[0, :2], a[1, :2]), np.outer(a[0, :, 0], a[1, :, 0]),
            np.cross(a[0], a[1]), np.trace(a), np.vdot(a, a), np.inner(a[0], a[1]), a[:, :, 0] @ a[:, :, 1].T,
        )
    """,
    "polyfit and poly1d": """
        x = np.arange(128)
        line = np.poly1d(np.polyfit(x, current[50, :, 2], 3))
        return line.coeffs, line(x), line.deriv().roots, np.polyval([1, -3, 2], x), np.roots([1, -6, 11, -6])
    """,
    "orthogonal polynomials": """
        from numpy.polynomial import Chebyshev, Polynomial, hermite, legendre

        x = np.linspace(-1, 1, 128)
        curve = Chebyshev.fit(x, current[10, :, 0], 6)
        line = Polynomial.fit(x, current[11, :, 0], 2).convert()
        return (
            curve.coef, curve(x), line.coef, legendre.legval(x, [1, 2, 3]), hermite.hermroots([1.0, 2.0, 3.0]),
            str(line),
        )
    """,
    "interpolation and gradients": """
        line = current[20, :, 1].astype(float)
        fine = np.interp(np.linspace(0, 127, 500), np.arange(128), line)
        down, across = np.gradient(current[:, :, 1].astype(float))
        return (
            fine, np.hypot(down, across), np.arctan2(down, across), np.diff(line, 2), np.trapezoid(line),
            np.cumsum(line),
        )
    """,
    "covariance and correlation": """
        a, b = found.reshape(-1, 3).T.astype(float), current.reshape(-1, 3).T.astype(float)
        return np.corrcoef(a, b), np.cov(a, b), np.average(b, axis=1, weights=b[0] + 1)
    """,
    "windows and special functions": """
        x = current[0, :40, 0] / 64.0
        return (
            np.hamming(16), np.blackman(16), np.kaiser(16, 5.0), np.i0(x), np.sinc(x), np.log1p(x), np.cbrt(x),
            np.expm1(-x),
        )
    """,
}
