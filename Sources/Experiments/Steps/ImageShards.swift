import CLIPModel
import Inputs
import Lens
import Pipeline

/// A set of images that a step goes over, how many of it, and how it is cut.
struct ImageSource: Sendable {
    /// The steps that make a set of images.
    struct Steps: Sendable {
        let images: StepHandle<Shards<ImageShard>>
        let facts: StepHandle<ImageFacts>
        let count: Int
    }

    let images: StepHandle<Shards<ImageShard>>
    let facts: StepHandle<ImageFacts>
    var count: Int
    /// Images that are computed and stored together.
    let perShard: Int
    /// For rows, messages and image ids.
    let name: ImageSet
    /// Of the images themselves, where it is known before they are made.
    let digest: String?
    /// Pictures that could not be read and were left out.
    let skipped: [PictureList.Skipped]

    init(_ steps: Steps, perShard: Int, name: ImageSet, digest: String?, skipped: [PictureList.Skipped] = []) {
        (images, facts, count) = (steps.images, steps.facts, steps.count)
        (self.perShard, self.name, self.digest, self.skipped) = (perShard, name, digest, skipped)
    }
}

/// What runs the image tower on a batch. Belongs to one worker.
protocol ImagePass: AnyObject {
    var capacity: Int { get }
    /// The first image of the batch whose representation is not a finite number, if there is one.
    var firstNonFiniteImage: Int? { get }
    /// // [batch, size, size, 3]
    /// - Parameter check: called now and then, to stop the work by an error.
    func run(_ images: UnsafePointer<UInt8>, batch: Int, check: () throws -> Void) rethrows
}

extension EffectPass: ImagePass {}

/// How steps go over the images of a shard: in batches of the model's.
enum ImageShards {
    /// Runs `pass` on every batch of a run of images.
    /// - Parameter body: gets the index of the batch's first image.
    /// - Throws: ``ExperimentError/notFinite(image:place:)``, `PipelineError.interrupted` between two blocks
    ///   of a cancelled run (the shard is dropped), and what `body` throws.
    static func forEachBatch(
        _ images: Range<Int>, of reader: ImageReader, named name: ImageSet, _ pass: some ImagePass, _ inputs: Inputs,
        _ body: (Int) throws -> Void
    ) throws {
        for start in stride(from: images.lowerBound, to: images.upperBound, by: pass.capacity) {
            let batch = min(pass.capacity, images.upperBound - start)
            try reader.withImages(start..<start + batch) { try pass.run($0, batch: batch, check: inputs.checkCancellation) }
            if let image = pass.firstNonFiniteImage {
                throw ExperimentError.notFinite(image: name.imageID(start + image), place: "embedding")
            }
            try body(start)
        }
    }
}

