import CLIPModel
import DenseMath
import TestSupport
import Testing

@testable import Attribution

/// Second paths against PyTorch in float64, and against what they are defined by.
@Suite struct SurgeryPassTests {
    private static let recipes = SurgeryReference.recipes.map(\.recipe)

    @Test func everyRecipesTokensAtBothSizes() throws {
        try SurgeryReference.forEach { reference, size, vision in
            let pass = SurgeryWorkspace(vision, recipes: Self.recipes, capacity: 2).run(
                try reference.images(size), batch: 2)
            let count = 2 * vision.tokens * vision.embeddingWidth
            for (name, recipe) in SurgeryReference.recipes {
                let error = relativeError(
                    array(pass.embed(recipe), count), try reference.file.doubles("\(size).\(name)"))
                #expect(error < 1e-5, "\(name) of \(size) pixels off by \(error)")
            }
        }
    }

    @Test func theClassTokenStaysStockCLIPs() throws {
        try SurgeryReference.forEach { reference, size, vision in
            let images = try reference.images(size)
            let plain = vision(images, batch: 2, VisionWorkspace(vision, capacity: 2))
            let pass = SurgeryWorkspace(vision, recipes: Self.recipes, capacity: 2).run(
                images, batch: 2)
            let d = vision.embeddingWidth
            for recipe in Self.recipes {
                let tokens = pass.embed(recipe)
                for image in 0..<2 {
                    let found = array(tokens + image * vision.tokens * d, d)
                    let error = largestError(found, array(plain.embeddings + image * d, d))
                    #expect(error < 1e-6, "class token by \(recipe.name) off by \(error)")
                }
            }
        }
    }

    @Test func theNewPathIsTheSumOfItsAttentionTerms() throws {
        let depth = 3
        try SurgeryReference.forEach { reference, size, vision in
            let recipe = SurgeryRecipe.surgery(depth: depth)
            let pass = SurgeryWorkspace(vision, recipes: [recipe], capacity: 2).run(
                try reference.images(size), batch: 2)
            let residual = vision.tokens * vision.width
            let path = array(UnsafePointer(pass.followPath(recipe)), 2 * residual)
            let (start, terms) = (
                try reference.file.doubles("\(size).start"), try reference.file.doubles("\(size).terms")
            )
            for image in 0..<2 {
                var sum = Array(start[image * residual..<(image + 1) * residual])
                for term in 0..<depth {
                    for i in 0..<residual { sum[i] += terms[(image * depth + term) * residual + i] }
                }
                let error = relativeError(path[image * residual..<(image + 1) * residual], sum)
                #expect(error < 1e-5, "path of image \(image), \(size) pixels, off by \(error) from its terms")
            }
            // Each term by itself.
            for term in 0..<depth {
                let memory = FloatBuffer(2 * residual)
                pass.addAttention(.valueValue, layer: vision.blocks.count - depth + term, to: memory.base)
                for image in 0..<2 {
                    let expected = terms[(image * depth + term) * residual..<(image * depth + term + 1) * residual]
                    let error = relativeError(memory.elements[image * residual..<(image + 1) * residual], expected)
                    #expect(error < 1e-5, "term \(term) of image \(image) off by \(error)")
                }
            }
        }
    }

    /// With the tower's own attention and MLP the second path is the tower.
    @Test func thePlainRecipeOfAnyDepthIsTheTower() throws {
        try SurgeryReference.forEach { reference, size, vision in
            let recipes = (0...vision.blocks.count).map {
                SurgeryRecipe("", depth: $0, attention: .queryKey, keepsResidual: true, keepsMLP: true)
            }
            let pass = SurgeryWorkspace(vision, recipes: recipes, capacity: 2).run(
                try reference.images(size), batch: 2)
            let count = 2 * vision.tokens * vision.embeddingWidth
            let plain = array(pass.embed(recipes[0]), count)
            for recipe in recipes.dropFirst() {
                let error = largestError(array(pass.embed(recipe), count), plain)
                #expect(error < 1e-5, "depth \(recipe.depth) off by \(error)")
            }
        }
    }

    @Test func anImageIsTheSameInABatchAndAlone() throws {
        try SurgeryReference.forEach { reference, size, vision in
            let images = try reference.images(size)
            let both = SurgeryWorkspace(vision, recipes: Self.recipes, capacity: 3).run(images, batch: 2)
            let alone = SurgeryWorkspace(vision, recipes: Self.recipes, capacity: 1).run(
                Array(images[(images.count / 2)...]), batch: 1)
            let count = vision.tokens * vision.embeddingWidth
            for recipe in Self.recipes {
                let expected = array(alone.embed(recipe), count)
                let error = relativeError(array(both.embed(recipe) + count, count), expected.map(Double.init))
                #expect(error < 1e-5, "\(recipe.name) off by \(error)")
            }
        }
    }

    @Test func aSizeLeavesNoTraceInTheNext() throws {
        let reference = try SurgeryReference(.quickGELU)
        let recipe = SurgeryRecipe.surgery(depth: 3)
        func tokens(_ size: Int) throws -> [Float] {
            let vision = try reference.vision.resized(to: size)
            let pass = SurgeryWorkspace(vision, recipes: [recipe], capacity: 2).run(
                try reference.images(size), batch: 2)
            return array(pass.embed(recipe), 2 * vision.tokens * vision.embeddingWidth)
        }
        let before = try tokens(reference.sizes[0])
        _ = try tokens(reference.sizes[1])
        #expect(try tokens(reference.sizes[0]) == before)
        #expect(
            try reference.vision.resized(to: reference.sizes[1]).resized(to: reference.sizes[1]).positionEmbedding
                == reference.vision.resized(to: reference.sizes[1]).positionEmbedding)
    }

    @Test func aSizeThatPatchesDoNotFillIsRefused() throws {
        let vision = try SurgeryReference(.gelu).vision
        #expect(throws: InputSizeError(imageSize: 18, patchSize: 4, largest: 4096)) { try vision.resized(to: 18) }
        #expect(throws: InputSizeError.self) { try vision.resized(to: 0) }
        #expect(throws: InputSizeError.self) { try vision.resized(to: -4) }
        #expect(throws: InputSizeError.self) { try vision.resized(to: 1 << 13) }
        #expect(InputSizeError(imageSize: 18, patchSize: 4, largest: 4096).nearest == [16, 20])
        #expect(InputSizeError(imageSize: 3, patchSize: 4, largest: 4096).nearest == [4])
        #expect(InputSizeError(imageSize: 1 << 13, patchSize: 4, largest: 4096).nearest == [4096])
    }
}
