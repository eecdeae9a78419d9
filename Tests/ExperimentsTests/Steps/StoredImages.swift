import Foundation
import Foundations
import Inputs
import Pipeline
import TestSupport

@testable import Experiments

/// Images of random pixels and masks as a step of a graph, two to a shard, in a results folder of their own.
final class StoredImages {
    let size: Int
    let images: [RGBImage]
    let masks: [[UInt8]]
    let facts: [(label: Int?, objects: [Int], caption: String)]
    let folder: URL
    var graph = Graph()
    let steps: ImageSource.Steps
    static let name = ImageSet(dataset: "d", split: "seg")

    init(count: Int = 5, size: Int = 8) throws {
        self.size = size
        var random = SplitMix64(seed: 21)
        images = (0..<count).map { _ in
            RGBImage(
                width: size, height: size,
                pixels: (0..<3 * size * size).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        }
        masks = (0..<count).map { _ in (0..<size * size).map { _ in [0, 1, 2, 255][random.below(4)] } }
        facts = (0..<count).map { ($0 == 1 ? nil : $0, $0 == 1 ? [-1, 3] : [$0, 4], "image \($0)") }
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("clip-lens-images-\(UUID().uuidString)")
        let (images, masks, facts) = (images, masks, facts)
        let stored = try graph.add(
            Step(
                kind: "images", version: 1,
                work: .shards(
                    units: count, unitsPerShard: 2,
                    makeWorker: { _ in
                        { shard in
                            var result = ImageShard(imageSize: size)
                            for index in shard.units {
                                result.append(
                                    images[index], mask: masks[index], label: facts[index].label,
                                    objects: facts[index].objects,
                                    caption: facts[index].caption)
                            }
                            return result
                        }
                    })))
        steps = try ImageSource.Steps(stored, count: count, label: "", in: &graph)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func run() throws -> ExecutionResult {
        try Executor(graph, in: ResultsFolder(folder), options: .init(workers: 2)).run()
    }

    func reader() throws -> ImageReader { ImageReader(try run().artefact(steps.images)) }
}
