"""Programs as a VLM writes them with cv2; the screen must refuse none of them."""

PROGRAMS = {
    "hsv, morphology and connected components": """
import cv2
import numpy as np

KERNEL = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))

def blobs(frame):
    hsv = cv2.cvtColor(frame, cv2.COLOR_RGB2HSV)
    mask = cv2.inRange(hsv, (50, 80, 80), (70, 255, 255))
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, KERNEL)
    mask = cv2.dilate(cv2.erode(mask, KERNEL, iterations=1), KERNEL)
    count, labels, stats, centroids = cv2.connectedComponentsWithStats(mask, connectivity=8)
    return [
        (int(stats[i, cv2.CC_STAT_LEFT]), int(stats[i, cv2.CC_STAT_TOP]), int(stats[i, cv2.CC_STAT_AREA]))
        for i in range(1, count)
        if stats[i, cv2.CC_STAT_AREA] > 4
    ]

def identify(initial):
    return sorted(blobs(initial), key=lambda blob: blob[2], reverse=True)

def check(found, current):
    return len(blobs(current)) < len(found)
""",
    "contours": """
import cv2
import numpy as np

def shapes(frame):
    gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    blurred = cv2.GaussianBlur(gray, (3, 3), 0)
    _, binary = cv2.threshold(blurred, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    contours, hierarchy = cv2.findContours(binary, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours:
        area = cv2.contourArea(contour)
        if area < 4:
            continue
        moments = cv2.moments(contour)
        if moments["m00"] == 0:
            continue
        approx = cv2.approxPolyDP(contour, 0.04 * cv2.arcLength(contour, True), True)
        x, y, w, h = cv2.boundingRect(contour)
        found.append({"corners": len(approx), "box": (x, y, w, h), "hu": cv2.HuMoments(moments).ravel().tolist()})
    return found

def check(found, current):
    now = shapes(current)
    return any(each["corners"] == 3 and each["box"][2] > 5 for each in now)
""",
    "edges, lines and circles": """
import cv2
import numpy as np

def check(found, current):
    gray = cv2.cvtColor(current, cv2.COLOR_RGB2GRAY)
    edges = cv2.Canny(gray, 50, 150, apertureSize=3, L2gradient=True)
    lines = cv2.HoughLinesP(edges, 1, np.pi / 180, threshold=30, minLineLength=10, maxLineGap=2)
    circles = cv2.HoughCircles(gray, cv2.HOUGH_GRADIENT, dp=1, minDist=10, param1=100, param2=20)
    sobel = cv2.Sobel(gray, cv2.CV_64F, 1, 0, ksize=3)
    laplace = cv2.Laplacian(gray, cv2.CV_32F).var()
    return lines is not None and circles is not None and np.hypot(sobel, sobel).max() > 3 and laplace > 1
""",
    "template matching": """
import cv2
import numpy as np

def identify(initial):
    return initial[8:16, 8:16].copy()

def check(found, current):
    score = cv2.matchTemplate(current, found, cv2.TM_CCOEFF_NORMED)
    low, high, where_low, where_high = cv2.minMaxLoc(score)
    ys, xs = np.where(score >= 0.9)
    return bool(high > 0.99 and len(list(zip(xs, ys))) == 1)
""",
    "orb features and homography": """
import cv2
import numpy as np

def identify(initial):
    orb = cv2.ORB_create(nfeatures=200)
    keypoints, descriptors = orb.detectAndCompute(cv2.cvtColor(initial, cv2.COLOR_RGB2GRAY), None)
    return [k.pt for k in keypoints], descriptors

def check(found, current):
    points, old = found
    orb = cv2.ORB_create(nfeatures=200)
    keypoints, new = orb.detectAndCompute(cv2.cvtColor(current, cv2.COLOR_RGB2GRAY), None)
    if old is None or new is None:
        return False
    matcher = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True)
    matches = sorted(matcher.match(old, new), key=lambda m: m.distance)[:50]
    if len(matches) < 4:
        return False
    source = np.float32([points[m.queryIdx] for m in matches]).reshape(-1, 1, 2)
    target = np.float32([keypoints[m.trainIdx].pt for m in matches]).reshape(-1, 1, 2)
    matrix, inliers = cv2.findHomography(source, target, cv2.RANSAC, 5.0)
    return matrix is not None and int(inliers.sum()) > 10
""",
    "sift and the ratio test": """
import cv2

def check(found, current):
    sift = cv2.SIFT_create()
    ka, da = sift.detectAndCompute(found, None)
    kb, db = sift.detectAndCompute(current, None)
    if da is None or db is None or len(da) < 2 or len(db) < 2:
        return False
    pairs = cv2.BFMatcher().knnMatch(da, db, k=2)
    good = [m for m, *rest in pairs if rest and m.distance < 0.75 * rest[0].distance]
    return len(good) > 10
""",
    "blob detector with parameters": """
import cv2

def check(found, current):
    params = cv2.SimpleBlobDetector_Params()
    params.filterByArea = True
    params.minArea = 10
    params.maxArea = 500.0
    params.filterByCircularity = False
    params.minThreshold = 5
    detector = cv2.SimpleBlobDetector_create(params)
    keypoints = detector.detect(current)
    return any(k.size > 3 and k.pt[0] > 5 and k.response >= 0 for k in keypoints)
""",
    "optical flow": """
import cv2
import numpy as np

def check(found, current):
    a, b = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (found, current))
    flow = cv2.calcOpticalFlowFarneback(a, b, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    magnitude, angle = cv2.cartToPolar(flow[..., 0], flow[..., 1])
    corners = cv2.goodFeaturesToTrack(a, maxCorners=20, qualityLevel=0.01, minDistance=3)
    if corners is None:
        return False
    moved, status, error = cv2.calcOpticalFlowPyrLK(a, b, corners, None)
    return bool(np.median(magnitude) > 1 and status.ravel().all())
""",
    "histograms and clahe": """
import cv2
import numpy as np

def histogram(frame):
    clahe = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(4, 4))
    lab = cv2.cvtColor(frame, cv2.COLOR_RGB2LAB)
    lab[..., 0] = clahe.apply(lab[..., 0])
    hist = cv2.calcHist([lab], [0, 1], None, [8, 8], [0, 256, 0, 256])
    return cv2.normalize(hist, hist, alpha=0, beta=1, norm_type=cv2.NORM_MINMAX).flatten()

def identify(initial):
    return histogram(initial)

def check(found, current):
    return cv2.compareHist(found, histogram(current), cv2.HISTCMP_BHATTACHARYYA) > 0.3
""",
    "kmeans with labels of its own": """
import cv2
import numpy as np

def check(found, current):
    pixels = current.reshape(-1, 3).astype(np.float32)
    labels = (np.arange(len(pixels)) % 3).astype(np.int32)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 1.0)
    compactness, labels, centers = cv2.kmeans(pixels, 3, labels, criteria, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    return bool(np.bincount(labels.ravel(), minlength=3).argmax() == 0 and centers.shape == (3, 3))
""",
    "flood fill, watershed, distance": """
import cv2
import numpy as np

def check(found, current):
    picture = current.copy()
    mask = np.zeros((picture.shape[0] + 2, picture.shape[1] + 2), np.uint8)
    area, *_ = cv2.floodFill(picture, mask, (0, 0), (255, 255, 255), (5,) * 3, (5,) * 3, cv2.FLOODFILL_FIXED_RANGE)
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    distance = cv2.distanceTransform((gray > 100).astype(np.uint8), cv2.DIST_L2, 5)
    markers = cv2.connectedComponents((distance > 2).astype(np.uint8))[1]
    markers = cv2.watershed(picture, markers.astype(np.int32))
    return bool((markers == -1).any() and area > 3)
""",
    "drawing on a copy": """
import cv2
import numpy as np

def check(found, current):
    canvas = np.zeros(current.shape[:2], dtype=np.uint8)
    cv2.rectangle(canvas, (2, 2), (10, 10), 255, thickness=cv2.FILLED)
    cv2.circle(canvas, (20, 20), 5, 255, -1)
    cv2.line(canvas, (0, 0), (5, 5), 255, 1, cv2.LINE_AA)
    cv2.fillPoly(canvas, [np.array([[1, 1], [5, 1], [5, 5]], dtype=np.int32)], 255)
    cv2.putText(canvas, "A", (3, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1)
    masked = cv2.bitwise_and(current, current, mask=canvas)
    return masked.any() and cv2.countNonZero(canvas) > 3
""",
    "geometry": """
import cv2
import numpy as np

def check(found, current):
    points = np.argwhere(current.sum(axis=2) > 600)[:, ::-1].astype(np.float32)
    if len(points) < 6:
        return False
    (cx, cy), (w, h), angle = cv2.minAreaRect(points)
    (x, y), radius = cv2.minEnclosingCircle(points)
    corners = cv2.boxPoints(((cx, cy), (w, h), angle)).astype(np.intp)
    hull = cv2.convexHull(points)
    ellipse = cv2.fitEllipse(points)
    inside = cv2.pointPolygonTest(hull, (float(cx), float(cy)), False) >= 0
    turn = cv2.getRotationMatrix2D((cx, cy), 45, 1.0)
    warped = cv2.warpAffine(current, turn, current.shape[1::-1], flags=cv2.INTER_NEAREST)
    return inside and radius > 3 and corners.shape == (4, 2) and ellipse[2] >= 0 and warped.shape == current.shape
""",
    "subpixel shift and quality": """
import cv2
import numpy as np


def check(found, current):
    a = np.float32(cv2.cvtColor(found, cv2.COLOR_RGB2GRAY))
    b = np.float32(cv2.cvtColor(current, cv2.COLOR_RGB2GRAY))
    (dx, dy), response = cv2.phaseCorrelate(a, b, cv2.createHanningWindow(a.shape[::-1], cv2.CV_32F))
    small = cv2.resize(current, (16, 16), interpolation=cv2.INTER_AREA)
    ok, data = cv2.imencode(".png", small)
    back = cv2.imdecode(data, cv2.IMREAD_COLOR)
    channels = cv2.split(back)
    merged = cv2.merge(channels[::-1])
    return response > 0.5 and abs(dx) + abs(dy) < 1 and cv2.PSNR(small, merged) > 10 and cv2.norm(a, b) > 1
""",
    "lines and gradients": """
import cv2
import numpy as np


def check(found, current):
    gray = cv2.cvtColor(current, cv2.COLOR_BGR2GRAY)
    adaptive = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, 11, 2)
    corners = cv2.cornerHarris(np.float32(gray), 2, 3, 0.04)
    lsd = cv2.createLineSegmentDetector()
    lines = lsd.detect(gray)[0]
    mser = cv2.MSER_create()
    regions, boxes = mser.detectRegions(gray)
    fast = cv2.FastFeatureDetector_create(threshold=20)
    fast.setNonmaxSuppression(True)
    integral = cv2.integral(gray)
    kernel = np.ones((3, 3), np.float32) / 9
    smooth = cv2.filter2D(cv2.medianBlur(gray, 3), -1, kernel)
    dy, dx = np.gradient(smooth.astype(float))
    return lines is not None and len(regions) > 1 and fast.detect(gray) and integral[-1, -1] > 3 \\
        and bool((np.arctan2(dy, dx) > corners.max()).any()) and adaptive.any()
""",
}
