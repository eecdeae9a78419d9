import CLIPModel
import DenseMath
import Foundations
import Pipeline
import Testing

@testable import Experiments

@Suite struct ClassNeuronsTests {
    /// Two neurons in each of the layers 0 and 2; the classes are the axes.
    private let directions = HandMade.directions([
        0: Tensor(shape: [2, 2], elements: [0.6, 0.8, -0.9, 0.1]),
        2: Tensor(shape: [2, 2], elements: [0.6, -0.8, 0, 1]),
    ])
    private let classifier = ZeroShotClassifier(weights: Tensor(shape: [2, 2], elements: [1, 0, 0, 1]))

    private func names(_ neurons: [(layer: Int, neuron: Int)]) -> [String] {
        neurons.map { "\($0.layer).\($0.neuron)" }
    }

    @Test func theLargestAlignmentsWithEitherSignComeFirst() throws {
        let neurons = try ClassNeurons(directions, layers: [0, 2], classifier: classifier)
        // |−0.9|, then the two of 0.6 in their order, then 0.
        #expect(names(neurons.largest(1, of: 0)) == ["0.1"])
        #expect(names(neurons.largest(2, of: 0)) == ["0.1", "0.0"])
        #expect(names(neurons.largest(4, of: 0)) == ["0.1", "0.0", "2.0", "2.1"])
        // 1, then 0.8 and |−0.8|.
        #expect(names(neurons.largest(3, of: 1)) == ["2.1", "0.0", "2.0"])
        #expect(names(neurons.largest(9, of: 1)).count == 4)
    }

    @Test func onlyTheGivenLayersTakePart() throws {
        #expect(
            names(try ClassNeurons(directions, layers: [2], classifier: classifier).largest(2, of: 0)) == [
                "2.0", "2.1",
            ])
        // In their order, which decides between equals.
        #expect(
            names(try ClassNeurons(directions, layers: [2, 0], classifier: classifier).largest(3, of: 0)) == [
                "0.1", "2.0", "0.0",
            ])
        #expect(throws: PipelineError.self) { try ClassNeurons(directions, layers: [0, 1], classifier: classifier) }
    }

    @Test func randomNeuronsAreDifferentAndDecidedByTheSeed() throws {
        let neurons = try ClassNeurons(directions, layers: [0, 2], classifier: classifier)
        func drawn(_ seed: UInt64, _ count: Int) -> [String] {
            var random = SplitMix64(seed: seed)
            return names(neurons.random(count, &random))
        }
        #expect(Set(drawn(1, 4)) == ["0.0", "0.1", "2.0", "2.1"])
        #expect(drawn(1, 2) == drawn(1, 2))
        #expect(Set((0..<40).flatMap { drawn($0, 1) }).count == 4)
    }
}
