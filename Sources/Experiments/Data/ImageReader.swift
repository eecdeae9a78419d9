import Foundation
import Inputs
import Pipeline

/// Reads the images of a set in runs that need not be those of its shards. Belongs to one worker.
final class ImageReader {
    private let shards: Shards<ImageShard>
    /// The shard that was read last: most reads go on where the last one ended.
    private var current: (index: Int, shard: ImageShard)?
    private var buffer: [UInt8] = []

    init(_ shards: Shards<ImageShard>) { self.shards = shards }

    /// Calls `body` with the first of a run of images. // [images, size, size, 3]
    /// - Throws: `PipelineError.damaged`, and what `body` throws.
    func withImages<Result>(_ images: Range<Int>, _ body: (UnsafePointer<UInt8>) throws -> Result) throws -> Result {
        buffer.removeAll(keepingCapacity: true)
        var next = images.lowerBound
        while next < images.upperBound {
            let (shard, index) = try locate(next)
            let count = min(images.upperBound - next, shard.count - index)
            buffer.append(contentsOf: shard.pixels(of: index..<index + count))
            next += count
        }
        return try body(buffer)
    }

    /// - Throws: `PipelineError.damaged`.
    func image(_ index: Int) throws -> RGBImage {
        let (shard, index) = try locate(index)
        return shard.image(index)
    }

    /// What each pixel of an image shows. // [size, size]
    /// - Throws: `PipelineError.damaged`.
    func mask(_ index: Int) throws -> [UInt8] {
        let (shard, index) = try locate(index)
        return shard.mask(index)
    }

    /// - Throws: `PipelineError.damaged`.
    func facts(_ index: Int) throws -> ImageFacts.One {
        let (shard, index) = try locate(index)
        return shard.facts[index]
    }

    /// The shard that holds an image, and the image's place in it.
    private func locate(_ image: Int) throws -> (shard: ImageShard, index: Int) {
        let index = shards.sharding.shardIndex(of: image)
        let first = shards.sharding.shard(index).units.lowerBound
        if let current, current.index == index { return (current.shard, image - first) }
        let shard = try shards[index]
        current = (index, shard)
        return (shard, image - first)
    }
}
