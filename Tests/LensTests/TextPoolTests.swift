import DenseMath
import Foundations
import Lens
import TestSupport
import Testing

/// The standardisation that decides which phrases pursuit chooses from.
@Suite struct TextPoolTests {
    /// Unit rows whose third dimension is the same in all.
    static let embeddings: Tensor = {
        var random = SplitMix64(seed: 7)
        let rows = (0..<9).flatMap { _ -> [Float] in
            let values = (0..<4).map { _ in random.uniform(-1...1) }
            let rest = 1 - 0.25
            let length = (values.reduce(0) { $0 + $1 * $1 } / rest).squareRoot()
            return [
                Float(values[0] / length), Float(values[1] / length), 0.5, Float(values[2] / length),
                Float(values[3] / length),
            ]
        }
        return Tensor(shape: [9, 5], elements: rows)
    }()

    /// Column by column, in double precision.
    static func literal(_ embeddings: Tensor) -> [Double] {
        let (count, d) = (embeddings.shape[0], embeddings.shape[1])
        var result = [Double](repeating: 0, count: count * d)
        for j in 0..<d {
            let column = (0..<count).map { Double(embeddings.elements[$0 * d + j]) }
            let mean = column.reduce(0, +) / Double(count)
            let norm = column.map { ($0 - mean) * ($0 - mean) }.reduce(0, +).squareRoot()
            for i in 0..<count where norm > 0 { result[i * d + j] = 100 * (column[i] - mean) / norm }
        }
        return result
    }

    @Test func standardisationIsThatOfItsFormula() {
        let found = TextPool.standardised(Self.embeddings)
        let error = relativeError(found.elements, Self.literal(Self.embeddings))
        #expect(error < 1e-6, "relative error \(error)")
    }

    @Test func everyDimensionHasMeanZeroAndNormHundred() {
        let columns = TextPool.standardised(Self.embeddings).transposed()
        for j in 0..<5 {
            let column = columns[row: j].map(Double.init)
            let norm = column.reduce(0) { $0 + $1 * $1 }.squareRoot()
            #expect(abs(column.reduce(0, +)) < 1e-4)
            // A dimension without spread has nothing to divide by.
            #expect(j == 2 ? norm == 0 : abs(norm - 100) < 1e-4, "dimension \(j): \(norm)")
        }
    }

    @Test func thePoolKeepsItsEmbeddingsBesideTheDictionary() {
        let pool = TextPool(phrases: (0..<9).map { "phrase \($0)" }, embeddings: Self.embeddings)
        #expect(pool.embeddings == Self.embeddings)
        #expect(pool.dictionary == TextPool.standardised(Self.embeddings))
        // A single phrase stands out of nothing.
        #expect(
            TextPool(phrases: ["a"], embeddings: Tensor(shape: [1, 2], elements: [0.6, 0.8])).dictionary.elements == [
                0, 0,
            ])
    }
}
