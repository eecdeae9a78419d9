import CLIPModel
import DenseMath
import Foundations
import Pipeline

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
