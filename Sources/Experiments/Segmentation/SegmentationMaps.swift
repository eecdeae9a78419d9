import Attribution
import CLIPModel
import DenseMath
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

/// The neurons whose second-order effects point to a class or away from it.
struct ClassNeurons: Sendable {
    private let layers: [Int]
    private let neurons: Int
    /// |⟨r_n, classifier_c⟩| of all neurons of the layers. // [classes, layers · N]
    private let alignments: Tensor

    /// - Throws: `PipelineError.invalidArtefact` where the directions lack a layer.
    init(_ directions: FittedDirections, layers: [Int], classifier: ZeroShotClassifier) throws {
        self.layers = layers
        let rows = try layers.map { try directions.layer($0).directions.directions }
        neurons = rows.first?.shape[0] ?? 0
        let stacked = Tensor(
            shape: [layers.count * neurons, classifier.weights.shape[1]], elements: rows.flatMap(\.elements))
        var alignments = classifier.weights.times(stacked, transposed: true)
        for i in alignments.elements.indices { alignments.elements[i] = abs(alignments.elements[i]) }
        self.alignments = alignments
    }

    /// The `count` neurons with the largest alignment; ties go to the first.
    func largest(_ count: Int, of label: Int) -> [(layer: Int, neuron: Int)] {
        let row = alignments[row: label]
        var heap = BoundedHeap(capacity: min(count, row.count))
        for (index, value) in row.enumerated() { _ = heap.insert(.init(score: value, index: Int32(index))) }
        return heap.sorted().map { place(Int($0.index)) }
    }

    /// As many neurons of the same layers, drawn at random.
    func random(_ count: Int, _ generator: inout SplitMix64) -> [(layer: Int, neuron: Int)] {
        generator.sample(count, of: layers.count * neurons).map(place)
    }

    private func place(_ index: Int) -> (layer: Int, neuron: Int) { (layers[index / neurons], index % neurons) }
}

/// A row of the segmentation table: a method's map of a class.
struct SegmentationCase: Sendable, Hashable {
    /// Which class is asked for.
    enum Query: String, CaseIterable, Sendable {
        /// The model's own answer, as in the paper.
        case predicted
        /// A class that the image does not show.
        case absent
    }

    /// What makes the map.
    enum Maker: Sendable, Hashable {
        case method(AttributionMethod)
        /// A control: as many neurons as the second-order map has, drawn at random.
        case randomNeurons

        var name: String {
            switch self {
            case .method(let method): method.name
            case .randomNeurons: "random-neurons"
            }
        }
    }

    let maker: Maker
    let query: Query

    /// Every method for the predicted class, then those that depend on the class for an absent one.
    static let all: [SegmentationCase] =
        AttributionMethod.all.map { .init(maker: .method($0), query: .predicted) }
        + [.init(maker: .randomNeurons, query: .predicted)]
        + AttributionMethod.all.filter(\.usesClass).map { .init(maker: .method($0), query: .absent) }
}

extension StudyModel {
    /// Memory of maps of one image after the other, in bytes: the record of its pass, and the directions of the neurons, by
    /// layer and together.
    /// - Parameter records: whether gradients and relevance are asked for.
    func segmentationMemory(layers: [Int], records: Bool) -> MemoryEstimate {
        let vision = configuration.vision
        var memory = surgeryMemory(inputSize: vision.imageSize, records: records)
        memory.shared += 2 * 4 * layers.count * vision.mlpWidth * configuration.embeddingWidth
        return memory
    }
}
