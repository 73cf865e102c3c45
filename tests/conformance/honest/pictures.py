"""Image processing with cv2: colours, filters, masks, codes."""

SNIPPETS: dict[str, str] = {
    "all common colour spaces": """
        codes = "GRAY BGR HSV HSV_FULL HLS Lab LUV YCrCb YUV XYZ RGBA BGR565".split()
        return [cv2.cvtColor(current, getattr(cv2, f"COLOR_RGB2{code}")) for code in codes]
    """,
    "colours there and back": """
        hsv = cv2.cvtColor(current, cv2.COLOR_RGB2HSV)
        lab = cv2.cvtColor(current.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
        return (
            cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), cv2.split(current),
            cv2.merge([hsv[:, :, 0]] * 3),
        )
    """,
    "inRange and masks": """
        mask = cv2.inRange(cv2.cvtColor(current, cv2.COLOR_RGB2HSV), (0, 90, 90), (12, 255, 255))
        return (
            mask, cv2.bitwise_and(current, current, mask=mask), cv2.countNonZero(mask), cv2.mean(current, mask=mask),
            cv2.findNonZero(mask),
            cv2.minMaxLoc(current[:, :, 0], mask), cv2.meanStdDev(current, mask=mask), cv2.bitwise_not(mask),
            cv2.boundingRect(mask),
        )
    """,
    "thresholds": """
        grey = cv2.cvtColor(current, cv2.COLOR_RGB2GRAY)
        return (
            cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU),
            cv2.threshold(grey, 0, 255, cv2.THRESH_TRIANGLE),
            cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, 11, 2),
        )
    """,
    "arithmetic": """
        return (
            cv2.absdiff(current, found), cv2.addWeighted(current, 0.3, found, 0.7, 5), cv2.add(current, found),
            cv2.subtract(current, found),
            cv2.multiply(current, found, scale=0.01), cv2.norm(current, found, cv2.NORM_L2),
            cv2.PSNR(current, found), cv2.sumElems(current),
            cv2.normalize(current, None, 0, 255, cv2.NORM_MINMAX), cv2.convertScaleAbs(current, alpha=1.3, beta=-9),
            cv2.reduce(current, 0, 1),
        )
    """,
    "edges": """
        grey = cv2.cvtColor(current, cv2.COLOR_RGB2GRAY)
        return (
            cv2.Canny(grey, 60, 150), cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Scharr(grey, cv2.CV_16S, 0, 1),
            cv2.Laplacian(grey, cv2.CV_64F),
            cv2.spatialGradient(grey), cv2.Canny(current, 50, 100, L2gradient=True),
        )
    """,
    "blurs": """
        return (
            cv2.blur(current, (3, 5)), cv2.GaussianBlur(current, (7, 7), 1.4), cv2.medianBlur(current, 5),
            cv2.boxFilter(current, -1, (4, 4)),
            cv2.bilateralFilter(current, 7, 40, 40),
            cv2.filter2D(current, -1, np.float32([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])),
            cv2.sepFilter2D(current, cv2.CV_32F, np.float32([1, 2, 1]), np.float32([1, 0, -1])),
            cv2.sqrBoxFilter(current, cv2.CV_32F, (3, 3)),
        )
    """,
    "morphology": """
        mask = cv2.inRange(current, (0, 100, 0), (255, 255, 120))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
        kinds = (cv2.MORPH_OPEN, cv2.MORPH_CLOSE, cv2.MORPH_GRADIENT, cv2.MORPH_TOPHAT, cv2.MORPH_HITMISS)
        return (
            [cv2.morphologyEx(mask, kind, kernel) for kind in kinds], cv2.erode(mask, kernel),
            cv2.dilate(mask, kernel, iterations=2),
        )
    """,
    "warps": """
        turn = cv2.getRotationMatrix2D((64, 48), 30, 1.2)
        corners = np.float32([[0, 0], [127, 0], [127, 95], [0, 95]])
        view = cv2.getPerspectiveTransform(corners, corners + np.float32([[5, 3], [-9, 2], [-4, -6], [7, -1]]))
        return (
            cv2.warpAffine(current, turn, (128, 96), flags=cv2.INTER_CUBIC),
            cv2.warpPerspective(current, view, (128, 96)), view,
            cv2.warpPolar(current, (64, 64), (64, 48), 40, cv2.WARP_POLAR_LOG), cv2.invertAffineTransform(turn),
        )
    """,
    "resizing": """
        ways = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
        return (
            [cv2.resize(current, (50, 41), interpolation=way) for way in ways], cv2.resize(current, None, fx=2.5, fy=2),
            cv2.pyrUp(cv2.pyrDown(current)), cv2.flip(current, 1), cv2.rotate(current, cv2.ROTATE_90_CLOCKWISE),
            cv2.copyMakeBorder(current, 1, 2, 3, 4, cv2.BORDER_REFLECT),
        )
    """,
    "remap": """
        rows, columns = np.mgrid[:96, :128].astype(np.float32)
        waves = cv2.remap(current, columns + 4 * np.sin(rows / 9), rows, cv2.INTER_LINEAR)
        return waves, cv2.getRectSubPix(current, (21, 21), (40.3, 50.7)), cv2.convertMaps(columns, rows, cv2.CV_16SC2)
    """,
    "mean shift": """
        blurred = cv2.pyrMeanShiftFiltering(current, 6, 20)
        back = cv2.calcBackProject([current], [0], cv2.calcHist([found], [0], None, [16], [0, 256]), [0, 256], 1)
        ends = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 10, 1)
        return blurred, cv2.meanShift(back, (20, 20, 30, 30), ends), cv2.CamShift(back, (20, 20, 30, 30), ends)
    """,
    "denoising": """
        return (
            cv2.fastNlMeansDenoising(current[:48, :64, 0].copy(), h=9),
            cv2.fastNlMeansDenoisingColored(current[:32, :32], None, 5, 5, 5, 11),
        )
    """,
    "inpainting": """
        mask = np.zeros((96, 128), np.uint8)
        mask[20:30, 40:60] = 255
        return cv2.inpaint(current, mask, 3, cv2.INPAINT_TELEA), cv2.inpaint(current, mask, 3, cv2.INPAINT_NS)
    """,
    "photographic effects": """
        mask = np.full((20, 20, 3), 255, np.uint8)
        return (
            cv2.edgePreservingFilter(current), cv2.detailEnhance(current), cv2.stylization(current),
            cv2.pencilSketch(current)[0],
            cv2.seamlessClone(np.ascontiguousarray(found[40:60, 40:60]), current, mask, (64, 48), cv2.NORMAL_CLONE),
            cv2.decolor(current)[0],
        )
    """,
    "equalising": """
        grey = cv2.cvtColor(current, cv2.COLOR_RGB2GRAY)
        return (
            cv2.equalizeHist(grey), cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(grey),
            cv2.integral2(grey),
        )
    """,
    "comparing histograms": """
        a, b = (cv2.calcHist([each], [0, 1, 2], None, [8, 8, 8], [0, 256] * 3) for each in (found, current))
        ways = (cv2.HISTCMP_CORREL, cv2.HISTCMP_CHISQR, cv2.HISTCMP_INTERSECT, cv2.HISTCMP_BHATTACHARYYA)
        signatures = [np.float32([[w, i] for i, w in enumerate(each.sum(axis=(1, 2)))]) for each in (a, b)]
        return b, [cv2.compareHist(a, b, way) for way in ways], cv2.EMD(signatures[0], signatures[1], cv2.DIST_L1)[0]
    """,
    "look-up tables and colour maps": """
        gamma = np.uint8(255 * (np.arange(256) / 255) ** 0.5)
        return (
            cv2.LUT(current, gamma), cv2.applyColorMap(current[:, :, 0], cv2.COLORMAP_JET),
            cv2.applyColorMap(current, cv2.COLORMAP_VIRIDIS),
        )
    """,
    "dft and dct": """
        grey = cv2.cvtColor(current, cv2.COLOR_RGB2GRAY).astype(np.float32)
        spectrum = cv2.dft(grey, flags=cv2.DFT_COMPLEX_OUTPUT)
        return (
            cv2.phase(spectrum[:, :, 0], spectrum[:, :, 1]), spectrum,
            cv2.idft(spectrum, flags=cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT), cv2.dct(grey),
            cv2.mulSpectrums(spectrum, spectrum, 0, conjB=True), cv2.getOptimalDFTSize(97),
            cv2.cartToPolar(grey, grey[::-1].copy()),
        )
    """,
    "matrices of cv2": """
        square = current[:16, :16, 0].astype(np.float64) + 90 * np.eye(16)
        return (
            cv2.invert(square), cv2.solve(square, np.ones((16, 1))), cv2.determinant(square),
            cv2.eigen(square @ square.T), cv2.SVDecomp(square),
            cv2.gemm(square, square, 1, None, 0), cv2.transpose(current),
            cv2.PCACompute(current[0].astype(np.float32), mean=None),
            cv2.Mahalanobis(np.ones(3), np.zeros(3), np.eye(3)),
            cv2.calcCovarMatrix(current[0].astype(float), None, cv2.COVAR_NORMAL + cv2.COVAR_ROWS),
        )
    """,
    "encoding and decoding": """
        jpg, webp = [cv2.IMWRITE_JPEG_QUALITY, 80], [cv2.IMWRITE_WEBP_QUALITY, 90]
        kinds = {".png": [cv2.IMWRITE_PNG_COMPRESSION, 3], ".jpg": jpg, ".webp": webp, ".bmp": []}
        encoded = {kind: cv2.imencode(kind, current, options)[1] for kind, options in kinds.items()}
        return encoded, {kind: cv2.imdecode(data, cv2.IMREAD_COLOR) for kind, data in encoded.items()}
    """,
    "more codecs": """
        encoded = {kind: cv2.imencode(kind, current)[1] for kind in (".tiff", ".ppm", ".pam", ".sr")}
        return encoded, {kind: cv2.imdecode(data, cv2.IMREAD_UNCHANGED) for kind, data in encoded.items()}
    """,
    "a picture that cannot be decoded": """
        return cv2.imdecode(np.frombuffer(b"not a picture at all", np.uint8), cv2.IMREAD_COLOR)
    """,
    "drawing": """
        canvas = current.copy()
        cv2.line(canvas, (3, 4), (90, 70), (255, 0, 0), 2, cv2.LINE_AA)
        cv2.arrowedLine(canvas, (5, 80), (60, 20), (0, 255, 0), 1)
        cv2.polylines(canvas, [np.int32([[9, 9], [40, 20], [20, 50]])], True, (0, 0, 255), 2)
        cv2.drawMarker(canvas, (64, 48), (255, 255, 0), cv2.MARKER_STAR)
        cv2.ellipse(canvas, (60, 40), (20, 9), 20, 0, 270, (9, 99, 199), 2)
        cv2.putText(canvas, "go 7", (10, 60), cv2.FONT_HERSHEY_SCRIPT_COMPLEX, 0.8, (1, 2, 3), 1, cv2.LINE_AA)
        return (
            canvas, cv2.getTextSize("go 7", cv2.FONT_HERSHEY_PLAIN, 1, 1),
            cv2.clipLine((0, 0, 50, 50), (-9, 5), (80, 30)),
        )
    """,
    "QR codes": """
        code = cv2.QRCodeEncoder.create().encode("open the red door")
        large = np.pad(cv2.resize(code, None, fx=6, fy=6, interpolation=cv2.INTER_NEAREST), 20, constant_values=255)
        text, corners, straight = cv2.QRCodeDetector().detectAndDecode(large)
        return (
            text, corners, straight, cv2.QRCodeDetector().detectAndDecode(current)[0],
            cv2.barcode.BarcodeDetector().detectAndDecode(current)[0],
        )
    """,
    "markers": """
        words = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
        marker = np.pad(cv2.aruco.generateImageMarker(words, 23, 120), 30, constant_values=255)
        corners, names, rejected = cv2.aruco.ArucoDetector(words, cv2.aruco.DetectorParameters()).detectMarkers(marker)
        return corners, names, len(rejected), marker
    """,
    "blobs for networks": """
        return cv2.dnn.blobFromImage(current, 1 / 255, (64, 64), (3, 4, 5), swapRB=True), cv2.dnn.NMSBoxes(
            [[0, 0, 10, 10], [1, 1, 10, 10], [40, 40, 9, 9]], [0.9, 0.8, 0.7], 0.5, 0.4
        )
    """,
}
