import CLIPModel
import DenseMath
import TestSupport
import Testing

/// The engine against the formulas in double precision, for both non-linearities.
@Suite struct VisionTransformerTests {
    @Test(arguments: Activation.allCases) func embeddingsMatchTheLiteralTower(_ activation: Activation) {
        var configuration = RandomVision.configuration
        configuration.activation = activation
        let vision = RandomVision.make(configuration, seed: 8)
        let (count, d) = (3, vision.embeddingWidth)
        let images = RandomVision.images(count, of: configuration, seed: 9)
        let size = images.count / count
        let pass = vision(images, batch: count, VisionWorkspace(vision, capacity: count))
        for image in 0..<count {
            let literal = LiteralVision(vision, image: images[image * size..<(image + 1) * size])
            let found = (0..<d).map { pass.embeddings[image * d + $0] }
            #expect(relativeError(found, literal.representation) < 1e-5)
        }
    }
}
