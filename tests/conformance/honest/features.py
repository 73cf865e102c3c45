"""Shapes, segments and key points with cv2."""

SNIPPETS: dict[str, str] = {
    "connected components": """
        mask = cv2.inRange(current, (150, 0, 0), (255, 120, 120))
        count, labels, stats, centres = cv2.connectedComponentsWithStats(mask, connectivity=4)
        return count, labels, stats, centres, cv2.connectedComponents(255 - mask)
    """,
    "contours": """
        mask = cv2.inRange(current, (0, 120, 0), (255, 255, 140))
        contours, tree = cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
        largest = max(contours, key=cv2.contourArea)
        canvas = cv2.drawContours(np.zeros_like(mask), contours, -1, 255, 1)
        return (
            contours, tree, canvas, cv2.arcLength(largest, True), cv2.approxPolyDP(largest, 2, True),
            cv2.boundingRect(largest),
            cv2.minAreaRect(largest), cv2.boxPoints(cv2.minAreaRect(largest)), cv2.contourArea(largest),
            cv2.isContourConvex(largest),
        )
    """,
    "moments": """
        mask = cv2.inRange(current, (0, 0, 150), (255, 140, 255))
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        moments = cv2.moments(mask)
        largest = max(contours, key=len)
        return (
            moments, cv2.HuMoments(moments), cv2.moments(largest),
            cv2.matchShapes(largest, contours[0], cv2.CONTOURS_MATCH_I1, 0),
        )
    """,
    "convexity defects": """
        star = np.int32([[20, 60], [34, 66], [46, 56], [40, 74], [48, 88], [30, 80], [14, 88], [22, 74]])
        hull = cv2.convexHull(star, returnPoints=False)
        return hull, cv2.convexityDefects(star, hull), cv2.convexHull(cv2.findNonZero(current[:, :, 0] // 200))
    """,
    "fitted shapes": """
        points = cv2.findNonZero(cv2.inRange(current, (0, 0, 150), (255, 140, 255)))
        return (
            cv2.minEnclosingCircle(points), cv2.fitEllipse(points), cv2.fitEllipseDirect(points),
            cv2.minEnclosingTriangle(points),
            cv2.fitLine(points, cv2.DIST_HUBER, 0, 0.01, 0.01),
        )
    """,
    "points and polygons": """
        square = np.float32([[10, 10], [60, 10], [60, 60], [10, 60]])
        return (
            [cv2.pointPolygonTest(square, (float(x), 30.5), True) for x in range(0, 100, 9)],
            cv2.intersectConvexConvex(square, square + 20), cv2.ellipse2Poly((50, 50), (9, 5), 0, 0, 360, 30),
            cv2.rotatedRectangleIntersection(((30, 30), (20, 10), 30), ((35, 35), (20, 10), 0)),
        )
    """,
    "triangles between points": """
        net = cv2.Subdiv2D((0, 0, 128, 96))
        for x, y in [(10, 10), (100, 12), (64, 80), (30, 50), (90, 60)]:
            net.insert((x, y))
        return net.getTriangleList(), net.getVoronoiFacetList([])[1], net.findNearest((50, 50))
    """,
    "lines by Hough": """
        edges = cv2.Canny(current, 60, 150)
        return (
            cv2.HoughLinesP(edges, 1, np.pi / 180, 20, minLineLength=12, maxLineGap=3),
            cv2.HoughLines(edges, 1, np.pi / 90, 30),
        )
    """,
    "circles by Hough": """
        grey = cv2.medianBlur(cv2.cvtColor(current, cv2.COLOR_RGB2GRAY), 3)
        return cv2.HoughCircles(grey, cv2.HOUGH_GRADIENT, 1, 20, param1=100, param2=18, minRadius=6, maxRadius=30)
    """,
    "line segments": """
        grey = cv2.cvtColor(current, cv2.COLOR_RGB2GRAY)
        return cv2.createLineSegmentDetector().detect(grey)[0]
    """,
    "corners": """
        grey = cv2.cvtColor(current, cv2.COLOR_RGB2GRAY)
        corners = cv2.goodFeaturesToTrack(grey, 30, 0.05, 5)
        ends = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 20, 0.01)
        exact = cv2.cornerSubPix(grey, corners.copy(), (4, 4), (-1, -1), ends)
        return (
            corners, exact, cv2.cornerHarris(grey, 2, 3, 0.04), cv2.cornerMinEigenVal(grey, 3),
            cv2.preCornerDetect(grey, 3),
        )
    """,
    "SIFT": """
        points, descriptors = cv2.SIFT_create().detectAndCompute(cv2.cvtColor(current, cv2.COLOR_RGB2GRAY), None)
        return [(each.pt, each.size, each.angle, each.response, each.octave) for each in points], descriptors
    """,
    "ORB": """
        points, descriptors = cv2.ORB_create(200, fastThreshold=5).detectAndCompute(current, None)
        return cv2.KeyPoint_convert(points), [each.angle for each in points], descriptors
    """,
    "FAST and MSER": """
        grey = cv2.cvtColor(current, cv2.COLOR_RGB2GRAY)
        regions, boxes = cv2.MSER_create().detectRegions(grey)
        return (
            [(each.pt, each.response) for each in cv2.FastFeatureDetector_create(15).detect(grey)],
            [len(each) for each in regions], boxes,
        )
    """,
    "other detectors that this build has": """
        grey = cv2.cvtColor(current, cv2.COLOR_RGB2GRAY)
        makers = [getattr(cv2, f"{name}_create", None) for name in ("AKAZE", "BRISK", "KAZE", "GFTTDetector")]
        return [[each.pt for each in make().detect(grey)] for make in makers if make is not None]
    """,
    "blobs": """
        options = cv2.SimpleBlobDetector_Params()
        options.filterByColor, options.filterByConvexity, options.minArea = False, False, 20
        points = cv2.SimpleBlobDetector_create(options).detect(cv2.GaussianBlur(current, (5, 5), 0))
        return [(each.pt, each.size) for each in points], cv2.drawKeypoints(current, points, None, (255, 0, 0))
    """,
    "matching descriptors": """
        orb = cv2.ORB_create(150, fastThreshold=5)
        (_, a), (_, b) = (orb.detectAndCompute(each, None) for each in (found, current))
        matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(a, b)
        pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(a, b, k=2)
        good = [m.trainIdx for m, *n in pairs if n and m.distance < 0.75 * n[0].distance]
        return sorted((m.distance, m.queryIdx, m.trainIdx) for m in matches), good
    """,
    "matching by FLANN": """
        sift = cv2.SIFT_create()
        (_, a), (_, b) = (sift.detectAndCompute(each, None) for each in (found, current))
        matches = cv2.FlannBasedMatcher({"algorithm": 0}, {"checks": 32}).match(a, b)
        return [(m.queryIdx, m.trainIdx, m.distance) for m in matches]
    """,
    "templates": """
        patch = found[10:38, 8:42]
        ways = (cv2.TM_SQDIFF, cv2.TM_SQDIFF_NORMED, cv2.TM_CCORR_NORMED, cv2.TM_CCOEFF, cv2.TM_CCOEFF_NORMED)
        surfaces = [cv2.matchTemplate(current, patch, way) for way in ways]
        return surfaces, [cv2.minMaxLoc(each) for each in surfaces]
    """,
    "k-means": """
        cv2.setRNGSeed(5)
        pixels = current.reshape(-1, 3).astype(np.float32)
        ends = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
        spread, labels, centres = cv2.kmeans(pixels, 5, None, ends, 3, cv2.KMEANS_PP_CENTERS)
        return spread, labels, centres, cv2.kmeans(pixels, 3, None, ends, 2, cv2.KMEANS_RANDOM_CENTERS)[2]
    """,
    "grabCut": """
        cv2.setRNGSeed(1)
        mask, back, fore = np.zeros((96, 128), np.uint8), np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(current, mask, (6, 8, 40, 34), back, fore, 2, cv2.GC_INIT_WITH_RECT)
        return mask, back, fore
    """,
    "watershed": """
        grey = cv2.cvtColor(current, cv2.COLOR_RGB2GRAY)
        light = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)[1]
        sure = cv2.distanceTransform(light, cv2.DIST_L2, 5) > 4
        return cv2.watershed(current, cv2.connectedComponents(sure.astype(np.uint8))[1])
    """,
    "flood filling": """
        canvas, mask = current.copy(), np.zeros((98, 130), np.uint8)
        return cv2.floodFill(canvas, mask, (70, 30), (1, 2, 3), (30,) * 3, (30,) * 3), canvas, mask
    """,
    "distances to a shape": """
        mask = cv2.inRange(current, (0, 0, 0), (160, 160, 160))
        return (
            cv2.distanceTransform(mask, cv2.DIST_L2, 5), cv2.distanceTransform(mask, cv2.DIST_L1, 3),
            cv2.distanceTransformWithLabels(mask, cv2.DIST_C, 5),
        )
    """,
    "intelligent scissors": """
        tool = cv2.segmentation.IntelligentScissorsMB()
        tool.setEdgeFeatureCannyParameters(32, 100).setGradientMagnitudeMaxLimit(200).applyImage(current)
        tool.buildMap((20, 20))
        return tool.getContour((100, 60))
    """,
    "modules that a build may lack": """
        here = [name for name in ("ximgproc", "ml", "face", "xfeatures2d", "createTonemap") if hasattr(cv2, name)]
        return (
            here, cv2.__version__, cv2.getVersionMajor(), cv2.useOptimized(),
            len(cv2.getBuildInformation()) > 1000,
        )
    """,
}
