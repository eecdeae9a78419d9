import Attribution
import Pipeline

/// Gives every pixel a label by every case, and compares it with the masks.
struct OpenVocabularyStep: ImageStep {
    typealias Output = OpenVocabularyScores
    static let (kind, version) = ("open-vocabulary-segmentation", 2)
    let imagesPerShard = 50

    let study: PictureStudy
    /// Blocks of surgery.
    let depth: Int
    let classifier: StepHandle<StoredClassifier>

    private var cases: [OpenVocabularyCase] { OpenVocabularyCase.all(depth: depth) }
    var model: StudyModel { study.model }
    var images: ImageSource { study.images }
    var parameters: Parameters {
        [
            "cases": .texts(cases.map { "\($0.reading.key), \($0.choice.rawValue)" }),
            "input-size": .integer(study.inputSize), "images": .integer(images.count),
        ]
    }
    var inputs: [AnyStepHandle] { [images.facts.erased, classifier.erased] }
    var memory: MemoryEstimate? { model.surgeryMemory(inputSize: study.inputSize) }
    var cost: CostEstimate? { model.surgeryCost(inputSize: study.inputSize, paths: Double(cases.count)) }
    var none: OpenVocabularyScores { OpenVocabularyScores(cases: cases.count) }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<OpenVocabularyScores> {
        let (facts, cases) = (try inputs[self.images.facts], cases)
        let reader = TokenReader(
            try model.clip.value().vision.resized(to: study.inputSize), OpenVocabularyCase.readings(depth: depth),
            classifier: try inputs[classifier].weights)
        return images.each { scores, image in
            let tokens = try reader.run(images.reader, image, of: images.set)
            scores.appendImage(predicted: tokens.answer.label, margin: tokens.answer.margin)
            let mask = try images.reader.mask(image)
            let shown = ShownLabels.of(facts[image], mask: mask)
            let truth = ShownLabels.labels(facts[image], mask: mask)
            for item in cases {
                switch item.choice {
                case .all where !shown.isEmpty:
                    scores.append(found: try tokens.labels(item.reading, among: nil), shown: truth)
                case .shown where shown.count > 1:
                    scores.append(found: try tokens.labels(item.reading, among: shown), shown: truth)
                default: scores.appendNothing()
                }
            }
        }
    }
}
