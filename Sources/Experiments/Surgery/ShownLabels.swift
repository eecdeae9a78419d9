import Attribution
import Inputs
import Pipeline

/// Which of an image's labels can be looked for in its mask.
enum ShownLabels {
    /// The classes of an image's objects that its mask shows, each once, in the order of the objects.
    static func of(_ facts: ImageFacts.One, mask: [UInt8]) -> [Int] {
        var isShown = [Bool](repeating: false, count: 256)
        for number in mask { isShown[Int(number)] = true }
        var labels: [Int] = []
        for (index, label) in facts.objects.enumerated()
        where label >= 0 && isShown[index + 1] && !labels.contains(Int(label)) {
            labels.append(Int(label))
        }
        return labels
    }

    /// 1 where a label is, 0 elsewhere, 255 where nothing counts. // [size, size]
    static func mask(of label: Int, _ facts: ImageFacts.One, mask: [UInt8]) -> [UInt8] {
        var values = [UInt8](repeating: 0, count: 256)
        for (index, object) in facts.objects.enumerated() where Int(object) == label { values[index + 1] = 1 }
        values[Int(ObjectMask.ignored)] = SegmentationCounts.unlabelled
        return mask.map { values[Int($0)] }
    }

    /// The label that each pixel shows, −1 where it shows none that counts. // [size, size]
    static func labels(_ facts: ImageFacts.One, mask: [UInt8]) -> [Int32] {
        var values = [Int32](repeating: -1, count: 256)
        for (index, label) in facts.objects.enumerated() { values[index + 1] = label }
        return mask.map { values[Int($0)] }
    }
}

extension PredictionSet {
    /// The model's own answers on pictures of several objects, whose label is all their names.
    init(
        experiment: String, answers: some Sequence<(Int32, Float)>, of images: ImageSet, _ facts: ImageFacts,
        _ classNames: [String]
    ) {
        self.init(
            experiment: experiment, condition: ["condition": "baseline"],
            predictions: answers.enumerated().map { image, answer in
                Prediction(
                    imageID: images.imageID(image),
                    label: facts.objects[image].filter { $0 >= 0 }.map { classNames[Int($0)] }.uniqued().joined(
                        separator: ", "),
                    prediction: classNames[Int(answer.0)], margin: Double(answer.1))
            })
    }
}
