import Pipeline

@testable import Experiments

/// What tests of the experiments on CLIP Surgery share.
enum SurgerySample {
    /// Three blocks and a grid of two by two patches.
    static let model = ModelFacts(layers: 0..<2, neurons: 6, blocks: 3, imageSize: 8, patchSize: 4)

    static let choices = SpecChoices(models: ["m"], scenes: ["d"], model: model)

    /// The keys begin in the fifth line.
    static func document(_ experiment: String, _ keys: String = "") throws -> SpecDocument {
        try SpecDocument(
            text: """
                experiment: \(experiment)
                world: emoji
                model: m
                evaluation: {dataset: d, split: seg}

                """ + keys, path: "spec.yaml")
    }

    /// Facts of images by the classes of their objects.
    static func facts(of objects: [[Int32]]) -> ImageFacts {
        var facts = ImageFacts()
        for (index, objects) in objects.enumerated() {
            facts.append(label: objects.first ?? -1, objects: objects, caption: "", digest: "\(index)")
        }
        return facts
    }
}

extension Attachment {
    /// Header and rows of a list.
    var list: (header: [String], rows: [[Field]])? {
        if case .list(let header, let rows) = content { (header, rows) } else { nil }
    }
}

extension Attachment.Field {
    /// Whether the field is a number near another one.
    func isNear(_ expected: Double) -> Bool {
        if case .number(let value) = self { abs(value - expected) < 1e-6 } else { false }
    }

    /// Whether the field is NaN, which is written as an empty one.
    var isNaN: Bool {
        if case .number(let value) = self { value.isNaN } else { false }
    }
}

extension [TableLayout] {
    /// Cells whose metric is not among `metrics`, by name and subject.
    func cellsWithout(_ metrics: [Metric]) -> [String] {
        flatMap(\.rows).flatMap(\.cells).compactMap { cell in
            guard case .metric(let name, let subject, _) = cell else { return nil }
            let columns = Dictionary(uniqueKeysWithValues: subject.columns.map { ($0.name, $0.value) })
            return metrics.row(name, columns) == nil ? "\(name) \(columns)" : nil
        }
    }
}
