import CLIPModel
import Pipeline

/// What the classifier says about every image under each of a list of conditions.
struct ConditionPredictions: ColumnTable {
    private(set) var conditions = 0
    /// // [images, conditions]
    private(set) var labels: [Int32] = []
    /// Score of the prediction less the runner-up's. // [images, conditions]
    private(set) var margins: [Float] = []

    static let columns: [Column<Self>] = [
        .shared("conditions", \.conditions),
        .rows("labels", \.labels) { [$0.conditions] }, .rows("margins", \.margins) { [$0.conditions] },
    ]

    var count: Int { labels.count / max(conditions, 1) }

    init() {}
    init(conditions: Int) { self.conditions = conditions }

    /// Classifies a batch of images that follow.
    /// - Parameter representations: of each condition. // [batch, d]
    /// - Throws: ``ExperimentError/notFinite(image:place:)``.
    mutating func append(
        _ representations: [UnsafePointer<Float>], batch: Int, by classifier: ZeroShotClassifier, of images: ImageSet,
        firstImage: Int
    ) throws {
        let answers = representations.map { classifier.classify($0, batch: batch) }
        for image in 0..<batch {
            for (condition, answers) in answers.enumerated() {
                guard let answer = answers[image] else {
                    throw ExperimentError.notFinite(
                        image: images.imageID(firstImage + image), place: "condition \(condition)")
                }
                labels.append(Int32(answer.label))
                margins.append(answer.margin)
            }
        }
    }

    // MARK: Reading

    func predicted(_ condition: Int) -> [Int32] { (0..<count).map { labels[$0 * conditions + condition] } }

    func isCorrect(_ condition: Int, _ truth: [Int32]) -> [Bool] {
        (0..<count).map { labels[$0 * conditions + condition] == truth[$0] }
    }

    /// The predictions under one condition, by class name.
    func set(
        _ condition: Int, _ subject: Subject, experiment: String, images: ImageSet, truth: [Int32], classNames: [String]
    ) -> PredictionSet {
        PredictionSet(
            experiment: experiment, condition: subject,
            predictions: (0..<count).map { image in
                let index = image * conditions + condition
                return Prediction(
                    imageID: images.imageID(image), label: classNames[Int(truth[image])],
                    prediction: classNames[Int(labels[index])], margin: Double(margins[index]))
            })
    }
}
