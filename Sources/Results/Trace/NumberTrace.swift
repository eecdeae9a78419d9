import Pipeline

/// Everything behind one number of a table: its row, the run that made it, the steps, and the images.
public struct NumberTrace: Sendable {
    public let place: NumberPlace
    public let metric: Metric
    public let run: StoredRun
    public let steps: [StoredStep]
    public let images: Images

    public enum Images: Sendable {
        /// An accuracy: right or wrong for each image, by name.
        case answers([(prediction: Prediction, isRight: Bool)])
        /// What each image adds.
        case terms(ImageTerms)
        /// The number is of neurons or of a ranking of all images, or an earlier program did not store its images.
        case none
    }

    /// - Returns: nil where the cell holds words, or names a number that the run does not have.
    /// - Throws: `ResultsError`.
    public init?(_ place: NumberPlace, in run: StoredRun, of database: ResultsDatabase) throws {
        guard case .metric(let name, let subject, _) = place.cell,
            let metric = try database.metrics(of: run, withTerms: true).first(where: {
                $0.name == name && Set($0.subject.columns) == Set(subject.columns)
            })
        else { return nil }
        self.place = place
        self.metric = metric
        self.run = run
        steps = try database.steps(of: run.rowsRun ?? run.id)
        for set in try database.predictions(of: run) {
            guard let answers = set.answers(behind: metric) else { continue }
            images = .answers(set.predictions.map { ($0, answers[$0.imageID] ?? false) })
            return
        }
        images = metric.terms.map(Images.terms) ?? .none
    }
}
