import CLIPModel
import Lens
import TestSupport
import Testing

/// The control has to pass what is right and to report what is not.
@Suite struct DecompositionCheckTests {
    static let count = 6

    let vision = RandomVision.make(seed: 7)
    let images = RandomVision.images(count, seed: 41)

    func lenses(of vision: VisionTransformer) throws -> [SecondOrderLens] {
        let paths = ValueOutputPaths(vision)
        return try (0..<3).map { try SecondOrderLens(layer: $0, paths: paths, vision: vision) }
    }

    func check(_ vision: VisionTransformer, _ lenses: [SecondOrderLens]) throws -> DecompositionCheck {
        try images.withUnsafeBufferPointer {
            DecompositionCheck(vision, lenses: lenses, images: try #require($0.baseAddress), count: Self.count)
        }
    }

    @Test func theIdentitiesHold() throws {
        let check = try check(vision, lenses(of: vision))
        #expect(check.directTerms < 1e-5)
        #expect(check.neuronSums.keys.sorted() == [0, 1, 2])
        for (layer, error) in check.neuronSums { #expect(error < 1e-5, "layer \(layer)") }
    }

    @Test func lensesOfAnotherTowerAreReported() throws {
        let check = try check(vision, lenses(of: RandomVision.make(seed: 8)))
        #expect(check.neuronSums.count == 3)
        for (layer, error) in check.neuronSums { #expect(error > 1e-2, "layer \(layer)") }
        // The direct terms do not go through the lenses, so they must not complain.
        #expect(check.directTerms < 1e-5)
    }

    /// Comparisons with NaN are false, so the largest of errors may lose it.
    @Test func aTowerThatIsNotFiniteDoesNotPass() throws {
        let broken = VisionTransformer(
            configuration: vision.configuration, patchEmbedding: vision.patchEmbedding.weight,
            classEmbedding: vision.classEmbedding, positionEmbedding: vision.positionEmbedding,
            inputNorm: vision.inputNorm, blocks: vision.blocks,
            readout: Readout(
                norm: LayerNorm(
                    weight: vision.readout.norm.weight.map { _ in .nan }, bias: vision.readout.norm.bias,
                    epsilon: vision.readout.norm.epsilon),
                projection: vision.readout.projection),
            normalisation: vision.normalisation)
        let check = try check(broken, lenses(of: broken))
        #expect(!(check.directTerms < 1e-2))
        for (layer, error) in check.neuronSums { #expect(!(error < 1e-2), "layer \(layer)") }
    }
}
