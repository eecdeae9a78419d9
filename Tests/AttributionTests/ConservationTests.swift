import CLIPModel
import DenseMath
import Foundations
import TestSupport
import Testing

@testable import Attribution

/// What the modified rules conserve, on random towers. Linear layers ignore biases, layer norms,
/// non-linearities, the softmax and the L2 normalisation hand relevance on, so that
///
/// - the residual stream before the first layer has the logit's whole relevance, 1;
/// - of that, class embedding and patches on one side and positions on the other have parts that sum to 1;
/// - the pixels have exactly the part of the embedded patches (not that of the class embedding);
/// - each of the two products of an attention layer hands half of its relevance to either operand.
///
/// Tolerances are what single precision leaves of sums of large terms of both signs.
@Suite struct ConservationTests {
    func relevance(_ rule: RelevanceRule, seed: UInt64) throws -> Run {
        let vision = RandomVision.make(seed: seed)
        let record = ForwardRecord(vision, RandomVision.images(1, seed: seed + 100), ForwardRecord.workspace(vision))
        let relevance = AttentionRelevance(
            vision, streams: [RelevanceStream(rule: rule, lowestLayer: RelevanceStream.pixels)])
        relevance.run(record, weights: Array(RandomVision.classifier(vision, classes: 3)[row: 1]))
        return Run(vision: vision, relevance: relevance, pixels: try #require(relevance.pixels))
    }

    struct Run {
        let vision: VisionTransformer
        let relevance: AttentionRelevance
        let pixels: PixelRelevance
    }

    /// The sum, and that of the absolute values, by which rounding errors are measured.
    func sum(_ values: some Sequence<Float>) -> (total: Double, magnitude: Double) {
        values.reduce(into: (0.0, 0.0)) { sum, value in
            sum.0 += Double(value)
            sum.1 += Double(abs(value))
        }
    }

    @Test(arguments: 1...20) func theModifiedRulesConserveTheTotal(seed: UInt64) throws {
        let run = try relevance(.modified, seed: seed)
        let residual = sum(run.relevance.residual.elements)
        #expect(
            abs(residual.total - 1) < 1e-5 * max(1, residual.magnitude),
            "relevance \(residual.total) before the first layer, magnitudes sum to \(residual.magnitude)")
        let embedded = sum(run.pixels.embedded.elements)
        let positions = sum(run.pixels.positions.elements)
        #expect(
            abs(embedded.total + positions.total - residual.total) < 1e-5 * (embedded.magnitude + positions.magnitude),
            "embedding \(embedded.total) and positions \(positions.total)")
        let patches = sum(run.pixels.embedded.elements.dropFirst(run.vision.width))
        let pixels = sum(run.pixels.pixels.elements)
        #expect(
            abs(pixels.total - patches.total) < 1e-5 * patches.magnitude,
            "pixels \(pixels.total), patches \(patches.total)")
    }

    @Test func theOriginalRulesDoNotConserveIt() throws {
        let run = try relevance(.original, seed: 1)
        let total = sum(run.relevance.residual.elements).total
        #expect(abs(total - 1) > 0.5, "relevance \(total) before the first layer")
    }

    @Test func aLinearLayerConservesEveryRowsTotal() {
        var random = SplitMix64(seed: 4)
        // Wide enough that each product has terms: what meets an empty one is lost.
        let (rows, inputs, outputs) = (3, 60, 5)
        let linear = LinearRelevance(
            weights: SignedWeights(capacity: inputs * outputs), streams: 2, rows: rows, inputs: inputs, outputs: outputs
        )
        func values(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.uniform(-1...1)) } }
        let relevance = values(rows * outputs)
        var result = [Float](repeating: 0, count: 2 * rows * inputs)
        linear.propagate(
            relevance + relevance, rules: [.modified, .original], weight: values(outputs * inputs), outputs: outputs,
            inputs: inputs, input: values(rows * inputs), rows: rows, into: &result)
        for row in 0..<rows {
            let given = relevance[row * outputs..<(row + 1) * outputs].reduce(0, +)
            let modified = result[row * inputs..<(row + 1) * inputs].reduce(0, +)
            let original = result[(rows + row) * inputs..<(rows + row + 1) * inputs].reduce(0, +)
            #expect(abs(modified - given) < 1e-5, "row \(row): \(modified) of \(given)")
            // Once for the positive inputs and once for the negative ones.
            #expect(abs(original - 2 * given) < 1e-5, "row \(row): \(original) of twice \(given)")
        }
    }

    @Test func aSumDividesTheTotalByTheMagnitudesOfTheShares() {
        // Shares of −1.5 and 4.5 in a total of 3: the factor 1/2 conserves the total if both are positive.
        let (a, b): ([Float], [Float]) = ([-1, 0], [3, 0])
        let cases: [(RelevanceRule, [Float])] = [(.original, [-1.5, 0, 4.5, 0]), (.modified, [0.75, 0, 2.25, 0])]
        for (rule, expected) in cases {
            var relevance: [Float] = [3, 0]
            var second: [Float] = [0, 0]
            ResidualRelevance.propagate(&relevance, rule: rule, a, b, count: 2, second: &second)
            #expect(largestError(relevance + second, expected) < 1e-6, "\(rule): \(relevance) and \(second)")
        }
    }

    @Test func anAttentionLayersProductsHandOutHalves() throws {
        let run = try relevance(.modified, seed: 2)
        let block = run.vision.blocks[1]
        let record = ForwardRecord(run.vision, RandomVision.images(1, seed: 2), ForwardRecord.workspace(run.vision))
        let (tokens, width) = (run.vision.tokens, run.vision.width)
        let products = AttentionProductRelevance(run.vision)
        let relevance = [Float](repeating: 1, count: tokens * width)
        var attention = [Float](repeating: 0, count: block.heads * tokens * tokens)
        products.toAttention(relevance, block, record.layers[1], rows: 0..<tokens, attention: &attention)
        var operands = [Float](repeating: 0, count: tokens * 3 * width)
        products.toOperands(
            relevance, attention: attention, block, record.layers[1], rows: 0..<tokens, into: &operands)
        func part(_ index: Int) -> Double {
            (0..<tokens * width).reduce(0) {
                $0 + Double(operands[$1 / width * 3 * width + index * width + $1 % width])
            }
        }
        let total = Double(tokens * width)
        let toAttention = sum(attention).total
        #expect(abs(toAttention / total - 0.5) < 1e-4, "attention has \(toAttention) of \(total)")
        #expect(abs(part(2) / total - 0.5) < 1e-4, "values have \(part(2)) of \(total)")
        // Scores come close to zero, where single precision loses digits of S.
        #expect(abs(part(0) / toAttention - 0.5) < 1e-3, "queries have \(part(0)) of \(toAttention)")
        #expect(abs(part(1) / toAttention - 0.5) < 1e-3, "keys have \(part(1)) of \(toAttention)")
    }
}

extension RandomVision {
    /// Random unit rows. // [classes, d]
    static func classifier(_ vision: VisionTransformer, classes: Int, seed: UInt64 = 31) -> Tensor {
        var random = SplitMix64(seed: seed)
        let d = vision.embeddingWidth
        return Tensor(shape: [classes, d], elements: (0..<classes * d).map { _ in Float(random.uniform(-1...1)) })
            .rowsNormalised()
    }
}
