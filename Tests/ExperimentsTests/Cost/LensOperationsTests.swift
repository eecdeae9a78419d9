import CLIPModel
import DenseMath
import Lens
import TestSupport
import Testing

@testable import Experiments

/// Operations by formula against those of a tiny model's own matrices: a product with a matrix of w numbers
/// takes 2·w operations a row.
@Suite struct LensOperationsTests {
    static let d = 10
    let vision = RandomVision.make(embeddingWidth: d, seed: 3)
    var operations: LensOperations { LensOperations(vision.configuration, embeddingWidth: Self.d) }

    private func size(_ tensor: Tensor) -> Double { Double(tensor.elements.count) }

    /// Multiply–adds of a block: its matrices for each token, and two products of a head's tokens with tokens.
    private func block(_ block: TransformerBlock) -> Double {
        let T = Double(vision.tokens)
        let matrices = [block.queryKeyValue, block.attentionOutput, block.mlpInput, block.mlpOutput].reduce(0) {
            $0 + size($1.weight)
        }
        return T * matrices + Double(block.heads) * 2 * T * T * Double(block.headWidth)
    }

    /// Of the last block: queries, keys and values of every token, all else of one.
    private var lastBlock: Double {
        let (block, T) = (vision.blocks[vision.blocks.count - 1], Double(vision.tokens))
        let ofOne = [block.attentionOutput, block.mlpInput, block.mlpOutput].reduce(0) { $0 + size($1.weight) }
        return T * size(block.queryKeyValue.weight) + ofOne + Double(block.heads) * 2 * T * Double(block.headWidth)
    }

    @Test func theTowerIsThatOfItsWeights() {
        let expected =
            Double(vision.tokens - 1) * size(vision.patchEmbedding.weight)
            + vision.blocks.dropLast().reduce(lastBlock) { $0 + block($1) } + size(vision.readout.projection)
        #expect(operations.forward == 2 * expected, "\(operations.forward) against \(2 * expected)")
    }

    @Test func theRestOfTheNetworkIsThatOfItsBlocks() {
        for layer in 0..<3 {
            let expected =
                vision.blocks[(layer + 1)...].dropLast().reduce(lastBlock) { $0 + block($1) }
                + size(vision.readout.projection)
            #expect(operations.indirect(layer) == 2 * expected)
        }
    }

    @Test(arguments: 0..<3) func theLensIsThatOfItsTables(layer: Int) throws {
        let paths = ValueOutputPaths(vision)
        let lens = try SecondOrderLens(layer: layer, paths: paths, vision: vision)
        let (K, N, T, D) = (Double(lens.headCount), Double(lens.neurons), Double(vision.tokens), Double(lens.width))
        // The heads' shares of the value and output matrices.
        let heads =
            (size(paths.inputs) + size(paths.outputs)) * K / Double(vision.blocks.count * vision.configuration.heads)
        let coordinates = N * T * K
        let biasShare = Double((2 * lens.headCount + 3) * Self.d)
        let total = T * K * D + heads
        #expect(operations.sums(layer) == 2 * (coordinates + biasShare + total))

        // Triangles: the numbers on and above the diagonal.
        let triangles = (0..<lens.neurons).reduce(0.0) { sum, _ in
            sum + (0..<lens.headCount).reduce(0.0) { $0 + Double(lens.headCount - $1) }
        }
        #expect(operations.centred(layer) == 2 * (coordinates + biasShare + triangles))
        #expect(operations.norms(layer, share: 1) == 2 * (heads + N * (K + 1) * D))

        let directions = lens.headDirections(0..<lens.neurons)
        #expect(operations.projections(layer) == 2 * (N * K + 2 * N * Double(Self.d)))
        #expect(operations.readings(layer) == 2 * (N * heads + size(directions)))
        // The Gram matrices' products, and a sixth of K³ multiply–adds for each factor.
        let factors = 2 * (N * heads + size(directions) * K) + N * K * K * K / 3
        #expect(abs(operations.factors(layer) / factors - 1) < 1e-12)
    }

    /// Not a promise about seconds: only that the figures a plan shows are of the right size.
    @Test func vitL14TakesWhatItIsKnownToTake() {
        let operations = LensOperations(
            VisionConfiguration(
                imageSize: 224, patchSize: 14, width: 1024, layers: 24, heads: 16, mlpWidth: 4096,
                activation: .quickGELU,
                layerNormEpsilon: 1e-5), embeddingWidth: 768)
        // 81 GMACs, the figure that is published for this tower with all of its last block.
        let whole = operations.forward + operations.block - operations.lastBlock
        #expect(abs(whole / 2e9 - 81) < 1, "\(whole / 2e9)")
        // 22¼ blocks behind the first layer, ¼ behind the last but one; the tower has 23¼.
        let again = (0..<23).reduce(0) { $0 + operations.indirect($1) } / operations.forward
        #expect(abs(again - 11.1) < 0.1, "\(again)")
    }
}
