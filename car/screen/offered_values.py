"""Which attributes a checker may use of arrays, texts, lists, other values and the objects of cv2."""

OF_PYTHON_AND_NUMPY = frozenset(
    """
    A A1 H I Q R S T U Vh accumulate add aligned alignment all any append appendleft argmax argmin argpartition args
    argsort as_integer_ratio astype at behaved bit_count bit_length bits byteorder byteswap c c_contiguous cache_clear
    cache_info cache_parameters capitalize casefold cdf center char choose clear clip close code coef coefficients
    coeffs compress conj conjugate contiguous coords copy count counts cumprod cumsum currsize decode default_factory
    deleter denominator deriv descr diagonal difference difference_update discard dot dtype eigenvalues eigenvectors
    elements encode end endpos endswith eps epsneg err expand expandtabs extend extendleft f_contiguous fields fill find
    findall finditer finished flags flat flatten fortran from_bytes from_iterable from_samples fromhex fromkeys
    fullmatch func get getA getA1 getH getI getT get_params getter group groupdict groupindex groups hasobject hex hits
    identity iexp imag index indices insert integ intercept intersection intersection_update inv_cdf inverse_indices
    is_integer isalignedstruct isalnum isalpha isascii isbuiltin isdecimal isdigit isdisjoint isidentifier islower
    isnative isnumeric isprintable isspace issubset issuperset istitle isupper item items itemsize iternext iters join
    key keys keywords kind lastgroup lastindex ljust logabsdet lower lstrip mT machep maketrans maps match max maxexp
    maxlen maxsize mean median min minexp misses mode most_common move_to_end msg multi_index name names nargs nbytes nd
    ndim negep new_child newbyteorder nexp nin nmant nonzero nout ntypes numerator numiter o order outer overlap parents
    partition pattern pdf pop popitem popleft pos precision prod ptp put quantiles r ravel real reduce reduceat regs
    remove removeprefix removesuffix repeat replace reset reshape resize resolution reverse rfind rindex rjust roots
    rotate round rpartition rsplit rstrip search searchsorted send setdefault setter shape sign signature size slope
    smallest_normal smallest_subnormal sort span split splitlines squeeze start startswith std stdev step stop str
    strides strip sub subdtype subn subtract sum swapaxes swapcase symmetric_difference symmetric_difference_update take
    throw tiny title to_bytes tobytes tolist total trace translate transpose type types union update upper value values
    var variable variance view writeable zfill zscore
    """.split()
)

OF_CV2 = frozenset(
    """
    angle apply applyImage applyImageFeatures blobColor blockSize blockStride boundingRect boundingRect2f buildMap calc
    calcUV calculateShift cellSize class_id clone collectContours collectGarbage compareSegments compute computeBitmaps
    confidence convert convexHullFactor create criteria decodeBytes decodeBytesMulti decodeCurved decodeMulti
    defaultNorm densityNeighborhoodSize descriptorSize descriptorType detect detectAndCompute detectAndDecode
    detectAndDecodeBytes detectAndDecodeBytesMulti detectAndDecodeCurved detectAndDecodeMulti detectMulti
    detectMultiScale detectRegions distance drawSegments edgeDst edgeGain edgeOrg edgePenalty empty
    enforceLabelConnectivity existingVertexGain filter filterByArea filterByCircularity filterByColor filterByConvexity
    filterByInertia final_polisher final_polisher_iterations findNearest gaussFiltSize getAlpha getAngleEpsilon
    getAngleStep getAngleThresh getAreaThreshold getBias getBitShift getBlobContours getBlockSize getCannyHighThresh
    getCannyLowThresh getClipLimit getCoarsestScale getColorAdaptation getContour getContrastThreshold getContrastWeight
    getCut getDefaultName getDefaultPeopleDetector getDelta getDiffusivity getDisp12MaxDiff getDp getEdge
    getEdgeBlurSize getEdgeList getEdgeThreshold getEncoding getEpsilon getExcludeRange getExposureWeight
    getFastPyramids getFastThreshold getFinestScale getFirstLevel getFixedPointIterations getFlags getGamma
    getGradientDescentIterations getGradientSize getHarrisDetector getIntensity getK getLabelContourMask getLabels
    getLeadingEdgeList getLevels getLightAdaptation getMaxAngle getMaxArea getMaxBits getMaxBufferSize getMaxEvolution
    getMaxFeatures getMaxLevel getMaxScale getMaxVariation getMinAngle getMinArea getMinDisparity getMinDist
    getMinDistance getMinDiversity getMinEigThreshold getMinMargin getMinScale getMode getNFeatures getNLevels
    getNOctaveLayers getNonmaxSuppression getNumDisparities getNumIters getNumLevels getNumberOfSuperpixels getOmega
    getP1 getP2 getParams getPass2Only getPatchSize getPatchStride getPolyN getPolySigma getPosThresh getPreFilterCap
    getPreFilterSize getPreFilterType getPyrScale getQualityLevel getROI1 getROI2 getSaturation getSaturationWeight
    getScale getScaleFactor getScaleStep getScaleThresh getScoreType getSigma getSmallerBlockSize getSorIterations
    getSpeckleRange getSpeckleWindowSize getTermCriteria getTextureThreshold getThreshold getTilesGridSize
    getTrainDescriptors getTriangleList getType getUniquenessRatio getUpright getUseMeanNormalization
    getUseSpatialPropagation getVariationalRefinementAlpha getVariationalRefinementDelta getVariationalRefinementEpsilon
    getVariationalRefinementGamma getVariationalRefinementIterations getVertex getViewParams getVoronoiFacetList
    getVotesThreshold getWTA_K getWinSize getXi gridType imgIdx initDelaunay initDelaunay2f interpolation
    isMaskSupported isParallel iterate itersPerLevel keypointScale kmeansAttempts knnMatch loIterations loMethod
    loSampleSize locate maxArea maxCircularity maxConvexity maxInertiaRatio maxIterations maxRectifiedDistance
    maxThreshold minArea minCircularity minConvexity minDensity minDistBetweenBlobs minDistanceToAddKeypoint
    minGraphConfidence minInertiaRatio minRNGEdgeSwitchDist minRepeatability minThreshold motionType nbins
    neighborsSearch nextEdge nlevels octave points process pt queryIdx radiusMatch randomGeneratorState response
    rotateEdge sampler score setAlpha setAngleEpsilon setAngleStep setAngleThresh setAreaThreshold setBias setBitShift
    setBlockSize setCannyHighThresh setCannyLowThresh setClipLimit setCoarsestScale setColorAdaptation
    setContrastThreshold setContrastWeight setCut setDelta setDisp12MaxDiff setDp setEdgeBlurSize
    setEdgeFeatureCannyParameters setEdgeFeatureZeroCrossingParameters setEdgeThreshold setEpsX setEpsY setEpsilon
    setExcludeRange setExposureWeight setFastPyramids setFastThreshold setFinestScale setFirstLevel
    setFixedPointIterations setFlags setGamma setGradientDescentIterations setGradientMagnitudeMaxLimit setGradientSize
    setHarrisDetector setIntensity setK setLevels setLightAdaptation setMaxAngle setMaxArea setMaxBits setMaxBufferSize
    setMaxEvolution setMaxFeatures setMaxLevel setMaxScale setMaxVariation setMinAngle setMinArea setMinDisparity
    setMinDist setMinDistance setMinDiversity setMinEigThreshold setMinMargin setMinScale setMode setNFeatures
    setNLevels setNOctaveLayers setNonmaxSuppression setNumDisparities setNumIters setNumLevels setOmega setP1 setP2
    setParams setPass2Only setPatchSize setPatchStride setPolyN setPolySigma setPosThresh setPreFilterCap
    setPreFilterSize setPreFilterType setPyrScale setQualityLevel setROI1 setROI2 setSVMDetector setSaturation
    setSaturationWeight setScale setScaleFactor setScaleStep setScaleThresh setScoreType setSigma setSmallerBlockSize
    setSorIterations setSpeckleRange setSpeckleWindowSize setTemplate setTermCriteria setTextureThreshold setThreshold
    setTilesGridSize setType setUniquenessRatio setUseAlignmentMarkers setUseMeanNormalization setUseSpatialPropagation
    setVariationalRefinementAlpha setVariationalRefinementDelta setVariationalRefinementEpsilon
    setVariationalRefinementGamma setVariationalRefinementIterations setViewParams setVotesThreshold setWTA_K setWeights
    setWinSize setXi shiftMat solve squareSize symEdge threshold thresholdStep train trainIdx vertexGain vertexPenalty
    winSize
    """.split()
)
