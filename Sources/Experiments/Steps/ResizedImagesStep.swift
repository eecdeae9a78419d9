import Inputs
import Pipeline

enum ResizedImagesStep {
    /// The images of a set in a square of another size, their masks with them.
    static func add(
        _ source: ImageSource.Steps, _ preprocessing: ImagePreprocessing, label: String, in graph: inout Graph
    ) throws -> ImageSource.Steps {
        let (images, size) = (source.images, preprocessing.geometry.size)
        let resized = try graph.add(
            Step(
                kind: "resized-images", label: label, version: 1, parameters: ["preprocessing": .text(preprocessing.name)],
                inputs: [images.erased],
                work: .shards(
                    units: source.count, unitsPerShard: perShard,
                    makeWorker: { inputs in
                        let reader = ImageReader(try inputs[images])
                        return { shard in
                            var result = ImageShard(imageSize: size)
                            for index in shard.units {
                                let image = try reader.image(index)
                                let mask = try MaskGeometry.squashed.mask(
                                    reader.mask(index), width: image.width, height: image.height,
                                    image: (image.width, image.height), square: preprocessing.geometry, border: ObjectMask.ignored)
                                try result.append(preprocessing(image), mask: mask, facts: reader.facts(index))
                            }
                            return result
                        }
                    })))
        return ImageSource.Steps(
            images: resized, facts: try ImageFactsStep.add(resized, label: label, in: &graph), count: source.count)
    }

    private static let perShard = 250
}
