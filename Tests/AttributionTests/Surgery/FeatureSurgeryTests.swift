import DenseMath
import TestSupport
import Testing

@testable import Attribution

/// The closed form against the tensor of tokens × labels × channels.
@Suite struct FeatureSurgeryTests {
    /// Tokens by surgery of depth 3 and texts, all of unit length.
    private func forEachImage(_ body: (SurgeryReference, String, Int, _ tokens: Tensor, _ texts: Tensor) throws -> Void)
        throws
    {
        try SurgeryReference.forEach { reference, size, vision in
            let (tokens, d) = (vision.tokens, vision.embeddingWidth)
            let all = try reference.file.floats("\(size).surgery-3")
            for image in 0..<SurgeryReference.imageCount {
                let own = Tensor(
                    shape: [tokens, d], elements: Array(all[image * tokens * d..<(image + 1) * tokens * d]))
                try body(reference, "\(size)", image, own.rowsNormalised(), reference.file.matrix("texts"))
            }
        }
    }

    private func part(_ values: [Double], _ image: Int) -> ArraySlice<Double> {
        let count = values.count / SurgeryReference.imageCount
        return values[image * count..<(image + 1) * count]
    }

    @Test func amongLabelsIsTheReferencesLiteralForm() throws {
        try forEachImage { reference, size, image, tokens, texts in
            let similarities = tokens.times(texts, transposed: true)
            let weights = relativeError(
                FeatureSurgery.weights(similarities[row: 0]),
                part(try reference.file.doubles("\(size).labelWeights"), image))
            #expect(weights < 1e-5, "weights off by \(weights)")
            let error = relativeError(
                FeatureSurgery.amongLabels(similarities, of: similarities[row: 0]).elements,
                part(try reference.file.doubles("\(size).similarity"), image))
            #expect(error < 1e-5, "off by \(error)")
        }
    }

    /// The same here, term by term in double precision.
    @Test func amongLabelsIsTheLiteralForm() throws {
        try forEachImage { _, _, _, tokens, texts in
            let similarities = tokens.times(texts, transposed: true)
            let (count, labels, d) = (tokens.shape[0], texts.shape[0], texts.shape[1])
            let weights = FeatureSurgery.weights(similarities[row: 0]).map(Double.init)
            var literal: [Double] = []
            for token in 0..<count {
                let products = (0..<labels).map { label in
                    (0..<d).map {
                        Double(tokens.elements[token * d + $0]) * Double(texts.elements[label * d + $0])
                            * weights[label]
                    }
                }
                let redundant = (0..<d).map { channel in products.reduce(0) { $0 + $1[channel] } / Double(labels) }
                literal += products.map { product in zip(product, redundant).reduce(0) { $0 + $1.0 - $1.1 } }
            }
            let error = relativeError(
                FeatureSurgery.amongLabels(similarities, of: similarities[row: 0]).elements, literal)
            #expect(error < 1e-5, "off by \(error)")
        }
    }

    @Test func aSingleTextIsComparedWithTheEmptyOne() throws {
        try forEachImage { reference, size, image, tokens, texts in
            let empty = Tensor(shape: [1, texts.shape[1]], elements: try reference.file.floats("emptyText"))
            let found = FeatureSurgery.single(
                tokens.times(texts, transposed: true), empty: tokens.times(empty, transposed: true).elements)
            let error = relativeError(found.elements, part(try reference.file.doubles("\(size).singleText"), image))
            #expect(error < 1e-5, "off by \(error)")
        }
    }

    @Test func anImageThatShowsAllLabelsAlikeWeighsThemAlike() {
        #expect(FeatureSurgery.weights([0.25, 0.25, 0.25]) == [1, 1, 1])
        let surgery = FeatureSurgery.amongLabels(
            Tensor(shape: [2, 2], elements: [0.5, 0.5, 0.25, 0.75]), of: [0.5, 0.5])
        #expect(surgery.elements == [0, 0, -0.25, 0.25])
    }
}
