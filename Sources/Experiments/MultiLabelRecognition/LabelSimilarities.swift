import CLIPModel
import DenseMath
import Pipeline

/// Cosines of every image's class token with every label.
struct LabelSimilarities: ColumnTable {
    /// // [images, K]
    var cosines = Tensor(zeros: [0, 0])

    static let columns: [Column<Self>] = [.rows("cosines", \.cosines)]
}

/// Compares every image with every label.
struct LabelSimilaritiesStep: ImageStep {
    typealias Output = LabelSimilarities
    static let (kind, version) = ("label-similarities", 1)

    let study: PictureStudy
    let classifier: StepHandle<StoredClassifier>

    var model: StudyModel { study.model }
    var images: ImageSource { study.images }
    var parameters: Parameters { ["images": .integer(images.count), "input-size": .integer(study.inputSize)] }
    var inputs: [AnyStepHandle] { [classifier.erased] }
    var memory: MemoryEstimate? { model.surgeryMemory(inputSize: study.inputSize) }
    var cost: CostEstimate? { model.surgeryCost(inputSize: study.inputSize, paths: 0) }
    var none: LabelSimilarities { LabelSimilarities() }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<LabelSimilarities> {
        let reader = TokenReader(
            try model.clip.value().vision.resized(to: study.inputSize), [.clip],
            classifier: try inputs[classifier].weights)
        return images.each { part, image in
            let row = try reader.run(images.reader, image, of: images.set).ofImage(.clip)
            try part.append(LabelSimilarities(cosines: Tensor(shape: [1, row.count], elements: row)))
        }
    }
}
