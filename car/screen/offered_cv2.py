"""What cv2 offers for looking at pictures: every other name of it is refused, but for its constants."""

CV2 = frozenset(
    """
    AKAZE AKAZE_create AffineFeature AffineFeature_create AgastFeatureDetector AgastFeatureDetector_create AlignMTB
    BFMatcher BFMatcher_create BRISK BRISK_create CLAHE CV_16BFC CV_16FC CV_16SC CV_16UC CV_32FC CV_32SC CV_32UC CV_64FC
    CV_64SC CV_64UC CV_8SC CV_8UC CV_BoolC CV_MAKETYPE CamShift Canny CirclesGridFinderParameters DISOpticalFlow
    DISOpticalFlow_create DMatch DenseOpticalFlow DescriptorMatcher DescriptorMatcher_create ECCParameters EMD
    FarnebackOpticalFlow FarnebackOpticalFlow_create FastFeatureDetector FastFeatureDetector_create Feature2D
    FlannBasedMatcher FlannBasedMatcher_create GFTTDetector GFTTDetector_create GaussianBlur GeneralizedHough
    GeneralizedHoughBallard GeneralizedHoughGuil GraphicalCodeDetector HOGDescriptor HoughCircles
    HoughCirclesWithAccumulator HoughLines HoughLinesP HoughLinesPointSet HoughLinesWithAccumulator HuMoments KAZE
    KAZE_create KeyPoint KeyPoint_convert KeyPoint_overlap LUT Laplacian LineSegmentDetector MSER MSER_create
    Mahalanobis Mat MergeMertens ORB ORB_create PCABackProject PCACompute PCACompute2 PCAProject PSNR QRCodeDetector
    RQDecomp3x3 Rodrigues RotatedRect SIFT SIFT_create SVBackSubst SVDecomp Scharr SimpleBlobDetector
    SimpleBlobDetector_Params SimpleBlobDetector_create Sobel SparseOpticalFlow SparsePyrLKOpticalFlow
    SparsePyrLKOpticalFlow_create StereoBM StereoBM_create StereoMatcher StereoSGBM StereoSGBM_create Subdiv2D Tonemap
    TonemapDrago TonemapMantiuk TonemapReinhard UsacParams VariationalRefinement VariationalRefinement_create absdiff
    accumulate accumulateProduct accumulateSquare accumulateWeighted adaptiveThreshold add addWeighted applyColorMap
    approxPolyDP approxPolyN arcLength arrowedLine batchDistance bilateralFilter bitwise_and bitwise_not bitwise_or
    bitwise_xor blendLinear blur borderInterpolate boundingRect boxFilter boxPoints broadcast buildMST
    buildOpticalFlowPyramid calcBackProject calcCovarMatrix calcHist calcOpticalFlowFarneback calcOpticalFlowPyrLK
    calibrationMatrixValues cartToPolar checkChessboard checkRange circle clipLine colorChange compare compareHist
    completeSymm composeRT computeCorrespondEpilines computeECC connectedComponents connectedComponentsWithAlgorithm
    connectedComponentsWithStats connectedComponentsWithStatsWithAlgorithm contourArea convertFp16 convertMaps
    convertPointsFromHomogeneous convertPointsToHomogeneous convertScaleAbs convexHull convexityDefects copyMakeBorder
    copyTo cornerEigenValsAndVecs cornerHarris cornerMinEigenVal cornerSubPix correctMatches countNonZero createAlignMTB
    createCLAHE createGeneralizedHoughBallard createGeneralizedHoughGuil createHanningWindow createLineSegmentDetector
    createMergeDebevec createMergeMertens createMergeRobertson createTonemap createTonemapDrago createTonemapMantiuk
    createTonemapReinhard cubeRoot cvtColor cvtColorTwoPlane dct decolor decomposeEssentialMat decomposeHomographyMat
    decomposeProjectionMatrix demosaicing denoise_TVL1 depthTo3d depthTo3dSparse detailEnhance determinant dft dilate
    distanceTransform distanceTransformWithLabels divSpectrums divide drawChessboardCorners drawContours drawFrameAxes
    drawKeypoints drawMarker drawMatches drawMatchesKnn edgePreservingFilter eigen eigenNonSymmetric ellipse
    ellipse2Poly equalizeHist erode error estimateAffine2D estimateAffine3D estimateAffinePartial2D
    estimateChessboardSharpness estimateRigidTransform estimateTranslation2D estimateTranslation3D exp extractChannel
    fastAtan2 fastNlMeansDenoising fastNlMeansDenoisingColored fastNlMeansDenoisingColoredMulti
    fastNlMeansDenoisingMulti fillConvexPoly fillPoly filter2D filter2Dp filterHomographyDecompByVisibleRefpoints
    filterSpeckles find4QuadCornerSubpix findChessboardCorners findChessboardCornersSB findChessboardCornersSBWithMeta
    findCirclesGrid findContours findContoursLinkRuns findEssentialMat findFundamentalMat findHomography findNonZero
    findPlanes findTransformECC findTransformECCMultiScale findTransformECCWithMask finiteMask fitEllipse fitEllipseAMS
    fitEllipseDirect fitLine flip flipND floodFill gemm getAffineTransform getClosestEllipsePoints
    getDefaultAlgorithmHint getDefaultNewCameraMatrix getDerivKernels getFontScaleFromHeight getGaborKernel
    getGaussianKernel getOptimalDFTSize getOptimalNewCameraMatrix getPerspectiveTransform getRectSubPix
    getRotationMatrix2D getStructuringElement getTextSize getValidDisparityROI getVersionMajor getVersionMinor
    getVersionRevision getVersionString goodFeaturesToTrack goodFeaturesToTrackWithQuality grabCut groupRectangles
    hasNonZero hconcat idct idft illuminationChange imdecode imencode inRange initCameraMatrix2D
    initInverseRectificationMap initUndistortRectifyMap inpaint insertChannel integral integral2 integral3
    intersectConvexConvex invert invertAffineTransform isContourConvex kmeans line linearPolar log logPolar magnitude
    matMulDeriv matchShapes matchTemplate max mean meanShift meanStdDev medianBlur merge min minAreaRect
    minEnclosingCircle minEnclosingConvexPolygon minEnclosingTriangle minMaxLoc mixChannels moments morphologyEx
    mulSpectrums mulTransposed multiply norm normalize patchNaNs pencilSketch perspectiveTransform phase phaseCorrelate
    phaseCorrelateIterative pointPolygonTest polarToCart polylines pow preCornerDetect projectPoints projectPointsSepJ
    putText pyrDown pyrMeanShiftFiltering pyrUp recoverPose rectangle rectangleIntersectionArea reduce reduceArgMax
    reduceArgMin registerDepth remap repeat reprojectImageTo3D rescaleDepth resize rotate rotatedRectangleIntersection
    sampsonDistance scaleAdd seamlessClone sepFilter2D setIdentity solve solveCubic solveLP solveP3P solvePnP
    solvePnPGeneric solvePnPRansac solvePnPRefineLM solvePnPRefineVVS solvePoly sort sortIdx spatialGradient split
    sqrBoxFilter sqrt stackBlur stereoRectify stereoRectifyUncalibrated stylization subtract sumElems textureFlattening
    threshold thresholdWithMask trace transform transpose transposeND triangulatePoints undistort undistortImagePoints
    undistortPoints validateDisparity vconcat warpAffine warpPerspective warpPolar watershed
    """.split()
)

FISHEYE = frozenset(
    """
    calibrate distortPoints estimateNewCameraMatrixForUndistortRectify initUndistortRectifyMap projectPoints solvePnP
    solvePnPRansac stereoCalibrate stereoRectify undistortImage undistortPoints
    """.split()
)

SEGMENTATION = frozenset(
    """
    IntelligentScissorsMB
    """.split()
)

XIMGPROC = frozenset(
    """
    AdaptiveManifoldFilter_create FastHoughTransform GradientDericheX GradientDericheY GradientPaillouX GradientPaillouY
    HoughPoint2Line PeiLinNormalization RadonTransform amFilter anisotropicDiffusion bilateralTextureFilter
    colorMatchTemplate computeBadPixelPercent computeMSE contourSampling covarianceEstimation createAMFilter
    createDTFilter createEdgeBoxes createFastBilateralSolverFilter createFastGlobalSmootherFilter createFastLineDetector
    createGuidedFilter createQuaternionImage createSelectiveSearchSegmentation createSuperpixelLSC createSuperpixelSEEDS
    createSuperpixelSLIC dtFilter edgePreservingFilter fastBilateralSolverFilter fastGlobalSmootherFilter findEllipses
    fourierDescriptor guidedFilter jointBilateralFilter l0Smooth niBlackThreshold rollingGuidanceFilter thinning
    transformFD weightedMedianFilter
    """.split()
)

TYPING = frozenset(
    """
    DescriptorExtractor FeatureDetector FeatureExtractor IndexParams IntPointer LayerId LayerParams MatLike MatShape
    Matx33d Matx33f Matx44d Matx44f Moments NumPyArrayFloat32 NumPyArrayFloat64 NumPyArrayNumeric Point Point2d Point2f
    Point2i Point3d Point3f Point3i Range Rect Rect2d Rect2f Rect2i RotatedRect Scalar SearchParams Size Size2f
    TermCriteria TermCriteria_Type Vec2d Vec2f Vec2i Vec3d Vec3f Vec3i Vec4d Vec4f Vec4i Vec6f map_int_and_double
    map_string_and_int map_string_and_string map_string_and_vector_float map_string_and_vector_size_t
    """.split()
)
