"""Motion, geometry and the machinery of cv2."""

SNIPPETS: dict[str, str] = {
    "optical flow of points": """
        a, b = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (found, current))
        points = cv2.goodFeaturesToTrack(a, 40, 0.05, 5)
        moved, status, error = cv2.calcOpticalFlowPyrLK(a, b, points, None, winSize=(15, 15), maxLevel=2)
        return moved[status == 1], status, error[status == 1]
    """,
    "dense optical flow": """
        a, b = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (found, current))
        flow = cv2.calcOpticalFlowFarneback(a, b, None, 0.5, 3, 15, 3, 5, 1.2, 0)
        return flow, cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(a, b, None)
    """,
    "background by MOG2": """
        model = cv2.createBackgroundSubtractorMOG2(history=5, varThreshold=16)
        masks = [model.apply(each) for each in (found, found, current)]
        return masks, model.getBackgroundImage()
    """,
    "background by neighbours": """
        cv2.setRNGSeed(4)
        model = cv2.createBackgroundSubtractorKNN(history=5, dist2Threshold=300)
        return [model.apply(each) for each in (found, found, current)]
    """,
    "a running mean": """
        mean = found.astype(np.float32)
        cv2.accumulateWeighted(current, mean, 0.2)
        return (
            mean, cv2.accumulate(current, np.zeros((96, 128, 3), np.float32)),
            cv2.createHanningWindow((16, 16), cv2.CV_32F),
        )
    """,
    "the shift between frames": """
        a, b = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY).astype(np.float32) for each in (found, current))
        warp = np.eye(2, 3, dtype=np.float32)
        ends = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 15, 1e-4)
        try:
            matched = cv2.findTransformECC(a, b, warp, cv2.MOTION_TRANSLATION, ends)
        except cv2.error as error:
            matched = error.code
        return cv2.phaseCorrelate(a, b), matched
    """,
    "a Kalman filter": """
        tracker = cv2.KalmanFilter(4, 2)
        tracker.transitionMatrix = np.float32([[1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1]])
        tracker.measurementMatrix = np.eye(2, 4, dtype=np.float32)
        tracker.processNoiseCov = np.eye(4, dtype=np.float32) * 0.03
        steps = []
        for x in range(6):
            steps.append(tracker.predict().copy())
            tracker.correct(np.float32([[x], [2 * x]]))
        return steps
    """,
    "a homography by RANSAC": """
        cv2.setRNGSeed(3)
        points = np.random.default_rng(1).uniform(0, 100, (60, 1, 2)).astype(np.float32)
        moved = cv2.perspectiveTransform(points, np.array([[1.1, 0.1, 3], [-0.05, 0.9, 5], [1e-4, 2e-4, 1]]))
        moved[:15] += 20
        return cv2.findHomography(points, moved, cv2.RANSAC, 2.0), cv2.findHomography(points, moved, cv2.LMEDS)[1]
    """,
    "affine and fundamental matrices": """
        cv2.setRNGSeed(3)
        points = np.random.default_rng(2).uniform(0, 100, (40, 2)).astype(np.float32)
        moved = points @ np.float32([[0.9, -0.2], [0.2, 0.9]]) + np.float32([4, 7])
        return (
            cv2.estimateAffine2D(points, moved), cv2.estimateAffinePartial2D(points, moved)[0],
            cv2.getAffineTransform(points[:3], moved[:3]),
            cv2.findFundamentalMat(points, moved + np.sin(points[::-1]), cv2.FM_8POINT)[0],
        )
    """,
    "pose": """
        corners = np.float32([[0, 0, 0], [4, 0, 0], [4, 3, 0], [0, 3, 0], [0, 0, 2], [4, 3, 2]])
        camera = np.array([[100.0, 0, 64], [0, 100.0, 48], [0, 0, 1]])
        seen, _ = cv2.projectPoints(corners, np.array([0.1, -0.2, 0.3]), np.array([0.5, -0.4, 20.0]), camera, None)
        solved, turn, shift = cv2.solvePnP(corners, seen, camera, None)
        return (
            solved, turn.round(6), shift.round(5), cv2.Rodrigues(np.array([0.1, -0.2, 0.3]))[0],
            cv2.decomposeProjectionMatrix(np.eye(3, 4))[0],
        )
    """,
    "undistorting": """
        camera, lens = np.array([[90.0, 0, 64], [0, 90.0, 48], [0, 0, 1]]), np.array([0.1, -0.05, 0.001, 0.002])
        return (
            cv2.undistort(current, camera, lens),
            cv2.fisheye.undistortImage(current, camera, np.array([0.01, 0.02, 0.0, 0.0]), Knew=camera),
        )
    """,
    "stereo": """
        a, b = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (found, current))
        return cv2.StereoBM_create(16, 9).compute(a, b), cv2.StereoSGBM_create(0, 16, 5).compute(a, b)
    """,
    "UMat": """
        picture = cv2.UMat(np.ascontiguousarray(current))
        return cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (5, 5), 1.0).get()
    """,
    "two threads": """
        before = cv2.getNumThreads()
        cv2.setNumThreads(2)
        large = np.tile(current, (6, 6, 1))
        picture = cv2.medianBlur(cv2.resize(large, None, fx=1.5, fy=1.5), 5)
        cv2.setNumThreads(before)
        return picture
    """,
    "clocks of cv2": """
        start = cv2.getTickCount()
        cv2.medianBlur(current, 3)
        meter = cv2.TickMeter()
        meter.start()
        meter.stop()
        return (
            cv2.getTickCount() >= start, cv2.getTickFrequency() > 0, type(start).__name__, meter.getCounter(),
            cv2.getCPUTickCount() > 0,
        )
    """,
    "errors of cv2": """
        try:
            cv2.cvtColor(current[:, :, 0], cv2.COLOR_RGB2HSV)
        except cv2.error as error:
            first = error.code, error.func, "cvtColor" in str(error)
        try:
            cv2.resize(current, "large")
        except cv2.error as error:
            return first, str(error).splitlines()[0]
    """,
    "random numbers of cv2": """
        cv2.setRNGSeed(9)
        return (
            cv2.randu(np.zeros((4, 5), np.uint8), 0, 100), cv2.randn(np.zeros((3, 3), np.float32), 0, 1),
            cv2.randShuffle(np.arange(9.0)),
        )
    """,
    "views and strided pictures": """
        cropped = current[10:60, 20:90]
        return (
            cv2.blur(cropped, (3, 3)), cv2.blur(current[::2, ::2], (3, 3)), cv2.blur(current[:, ::-1], (3, 3)),
            cv2.GaussianBlur(current[:, :, 1], (5, 5), 0),
            cv2.resize(current.astype(np.float64), (30, 30)),
            cv2.cvtColor(np.asfortranarray(current), cv2.COLOR_RGB2GRAY),
        )
    """,
    "settings of cv2": """
        cv2.setUseOptimized(True)
        return (
            cv2.useOptimized(), cv2.ocl.haveOpenCL() in (True, False), cv2.checkHardwareSupport(3),
            cv2.getNumberOfCPUs() >= 1,
        )
    """,
}
