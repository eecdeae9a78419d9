import Attribution
import CLIPModel
import Foundation
import Foundations
import Pipeline

/// Makes the maps of one image after the other. Belongs to one worker.
final class SegmentationMapper {
    private let workspace: AttributionWorkspace
    fileprivate let neurons: ClassNeurons
    fileprivate let count: Int
    fileprivate let seed: UInt64

    /// - Parameter count: neurons of a second-order map.
    init(_ clip: CLIP, classifier: ZeroShotClassifier, neurons: ClassNeurons, count: Int, seed: Int) {
        workspace = AttributionWorkspace(
            clip.vision, classifier: classifier.weights, logitScale: exp(clip.logitScale))
        (self.neurons, self.count, self.seed) = (neurons, count, UInt64(seed))
    }

    /// Runs image `index` of a set.
    /// - Throws: ``ExperimentError/notFinite(image:place:)``.
    func run(_ reader: ImageReader, _ index: Int, of images: ImageSet) throws -> SegmentationMaps {
        let pass = try reader.withImages(index..<index + 1) { workspace.run($0) }
        let logits = pass.logits
        guard logits.allSatisfy(\.isFinite), let best = logits.indices.max(by: { logits[$0] < logits[$1] }) else {
            throw ExperimentError.notFinite(image: images.imageID(index), place: "logits")
        }
        let second = logits.enumerated().lazy.filter { $0.offset != best }.map(\.element).max()
        return SegmentationMaps(
            predicted: (best, second.map { logits[best] - $0 } ?? 0), mapper: self, pass: pass, image: index)
    }
}

/// The maps of one image. Holds until its mapper runs again.
struct SegmentationMaps {
    /// The model's answer, and its lead in logits.
    let predicted: (label: Int, margin: Float)
    fileprivate let mapper: SegmentationMapper
    fileprivate let pass: AttributionPass
    fileprivate let image: Int

    /// A class that the image does not show and the model does not see, drawn by the seed.
    func absentClass(_ facts: ImageFacts, classes: Int) -> Int {
        var random = SplitMix64(seed: mapper.seed, label: "absent class", index: UInt64(image))
        let present = facts.objects[image].map(Int.init) + [predicted.label]
        let absent = (0..<classes).filter { !present.contains($0) }
        // A world has more classes than a scene shows.
        return absent.isEmpty ? predicted.label : absent[random.below(absent.count)]
    }

    func map(_ maker: SegmentationCase.Maker, class label: Int) -> HeatMap {
        switch maker {
        case .method(let method):
            let chosen = method.query == .neurons ? mapper.neurons.largest(mapper.count, of: label) : nil
            return pass.map(method, for: MapQuery(label: label, neurons: chosen))
        case .randomNeurons:
            var random = SplitMix64(seed: mapper.seed, label: "neurons of a random map", index: UInt64(image))
            return pass.secondOrderMap(neurons: mapper.neurons.random(mapper.count, &random))
        }
    }
}
