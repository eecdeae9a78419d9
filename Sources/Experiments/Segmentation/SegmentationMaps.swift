import Attribution
import CLIPModel
import Foundation
import Foundations
import Pipeline

/// Makes the maps of one image after the other. Belongs to one worker.
final class SegmentationMaps {
    private let pass: AttributionPass
    private let neurons: ClassNeurons
    private let count: Int
    private let seed: UInt64
    /// The model's answer on the image that ran last, and its lead in logits.
    private(set) var predicted = (label: 0, margin: Float(0))
    private var image = 0

    /// - Parameter count: neurons of a second-order map.
    init(_ clip: CLIP, classifier: ZeroShotClassifier, neurons: ClassNeurons, count: Int, seed: Int) {
        pass = AttributionPass(clip.vision, classifier: classifier.weights, logitScale: exp(clip.logitScale))
        self.neurons = neurons
        self.count = count
        self.seed = UInt64(seed)
    }

    /// Runs image `index` of a set.
    /// - Throws: ``ExperimentError/notFinite(image:place:)``.
    func run(_ reader: ImageReader, _ index: Int, of images: ImageSet) throws {
        try reader.withImages(index..<index + 1) { pass.run($0) }
        let logits = pass.logits
        guard logits.allSatisfy(\.isFinite), let best = logits.indices.max(by: { logits[$0] < logits[$1] }) else {
            throw ExperimentError.notFinite(image: images.imageID(index), place: "logits")
        }
        let second = logits.enumerated().lazy.filter { $0.offset != best }.map(\.element).max()
        predicted = (best, second.map { logits[best] - $0 } ?? 0)
        image = index
    }

    /// A class that the image does not show and the model does not see, drawn by the seed.
    func absentClass(_ facts: ImageFacts, _ index: Int, classes: Int) -> Int {
        var random = SplitMix64(seed: seed, label: "absent class", index: UInt64(index))
        let present = facts.objects[index].map(Int.init) + [predicted.label]
        let absent = (0..<classes).filter { !present.contains($0) }
        // A world has more classes than a scene shows.
        return absent.isEmpty ? predicted.label : absent[random.below(absent.count)]
    }

    func map(_ maker: SegmentationCase.Maker, class label: Int) -> HeatMap {
        switch maker {
        case .method(let method):
            let chosen = method.query == .neurons ? neurons.largest(count, of: label) : nil
            return pass.map(method, for: MapQuery(label: label, neurons: chosen))
        case .randomNeurons:
            var random = SplitMix64(seed: seed, label: "neurons of a random map", index: UInt64(image))
            return pass.secondOrderMap(neurons: neurons.random(count, &random))
        }
    }
}
