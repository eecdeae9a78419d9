import Inputs
import Pipeline
import Testing

@testable import Experiments

@Suite struct ResizedImagesStepTests {
    @Test(arguments: [12, 5, 16, 8]) func pixelsAreResampledAndMasksTakeTheNearest(size: Int) throws {
        let sample = try StoredImages()
        let preprocessing = ImagePreprocessing.clip(size: sample.size).squashing(to: size)
        let resized = try ResizedImagesStep.add(sample.steps, preprocessing, label: "seg", in: &sample.graph)
        let result = try sample.run()
        let reader = ImageReader(try result.artefact(resized.images))
        #expect(resized.count == 5)
        for index in 0..<resized.count {
            let image = try reader.image(index)
            #expect(image.width == size && image.height == size)
            #expect(image == preprocessing(sample.images[index]), "image \(index)")
            // The pixel in which the centre of each lies; as in Pillow, centres are sums of steps.
            let step = Double(sample.size) / Double(size)
            let places = sequence(first: step / 2) { $0 + step }.prefix(size).map { Int($0) }
            let expected = places.flatMap { row in places.map { sample.masks[index][row * sample.size + $0] } }
            #expect(try reader.mask(index) == expected, "mask \(index)")
        }
    }

    @Test func whatIsKnownOfTheImagesStays() throws {
        let sample = try StoredImages()
        let resized = try ResizedImagesStep.add(
            sample.steps, ImagePreprocessing.clip(size: sample.size).squashing(to: 12), label: "seg", in: &sample.graph)
        let result = try sample.run()
        let (before, after) = (try result.artefact(sample.steps.facts), try result.artefact(resized.facts))
        #expect(after.labels == before.labels && after.labels == [0, -1, 2, 3, 4])
        #expect(after.objects == before.objects && after.objects[1] == [-1, 3] && after.captions == before.captions)
        // A digest is of the pixels, which are others.
        #expect(Set(after.digests).count == 5 && Set(after.digests).isDisjoint(with: before.digests))
    }

    @Test func everySizeAndFilterIsAStepOfItsOwn() throws {
        let sample = try StoredImages(count: 1)
        func key(_ preprocessing: ImagePreprocessing) throws -> StepKey {
            try ResizedImagesStep.add(sample.steps, preprocessing, label: "seg", in: &sample.graph).images.key
        }
        let clip = ImagePreprocessing.clip(size: sample.size)
        var nearest = clip
        nearest.filter = .nearest
        let keys = [
            try key(clip.squashing(to: 12)), try key(clip.squashing(to: 16)), try key(nearest.squashing(to: 12)),
        ]
        #expect(Set(keys).count == 3)
    }
}
