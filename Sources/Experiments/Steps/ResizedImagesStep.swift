import Inputs
import Pipeline

/// The images of a set in a square of another size, their masks with them.
struct ResizedImagesStep: StepDefinition {
    let source: ImageSource.Steps
    let preprocessing: ImagePreprocessing
    let label: String

    private static let perShard = 250

    /// - Returns: the steps of the resized set.
    static func add(
        _ source: ImageSource.Steps, _ preprocessing: ImagePreprocessing, label: String, in graph: inout Graph
    ) throws -> ImageSource.Steps {
        let images = try graph.add(ResizedImagesStep(source: source, preprocessing: preprocessing, label: label))
        return try ImageSource.Steps(images, count: source.count, label: label, in: &graph)
    }

    func step() throws -> Step<Shards<ImageShard>> {
        let (images, size) = (source.images, preprocessing.geometry.size)
        return Step(
            kind: "resized-images", label: label, version: 1, parameters: ["preprocessing": .text(preprocessing.name)],
            inputs: [images.erased],
            work: try .shards(
                units: source.count, unitsPerShard: Self.perShard,
                makeWorker: { inputs in
                    let reader = ImageReader(try inputs[images])
                    return { shard in
                        var result = ImageShard(imageSize: size)
                        for index in shard.units {
                            let image = try reader.image(index)
                            let mask = try MaskGeometry.squashed.mask(
                                reader.mask(index), width: image.width, height: image.height,
                                image: (image.width, image.height), square: preprocessing.geometry,
                                border: ObjectMask.ignored)
                            try result.append(preprocessing(image), mask: mask, facts: reader.facts(index))
                        }
                        return result
                    }
                }))
    }
}
