import Pipeline

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
