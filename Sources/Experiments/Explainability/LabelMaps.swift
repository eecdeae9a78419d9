import Attribution
import CLIPModel
import DenseMath
import Foundation
import Foundations
import Pipeline

/// Makes the maps of the labels of one image after the other. Belongs to one worker.
final class LabelMaps {
    /// What maps are made of: the neurons of the second-order row, by their directions.
    struct SecondOrder {
        let neurons: ClassNeurons
        let count: Int
    }

    private let tokens: TokenReader
    private let attribution: AttributionPass?
    private let secondOrder: SecondOrder?
    private let size: Int
    private let classes: Int
    private let seed: UInt64
    private var similarities: [TokenReading: Tensor] = [:]
    private var image = 0

    /// - Parameter size: of the images and of the maps.
    init(
        _ clip: CLIP, _ cases: [ExplainabilityCase], classifier: Tensor, empty: Tensor, secondOrder: SecondOrder?,
        size: Int,
        seed: Int
    ) throws {
        let vision = try clip.vision.resized(to: size)
        let methods = cases.compactMap { if case .attribution(let method) = $0 { method } else { nil } }
        tokens = TokenReader(vision, cases.compactMap(\.reading), classifier: classifier, empty: empty)
        attribution =
            methods.isEmpty
            ? nil
            : AttributionPass(vision, classifier: classifier, logitScale: exp(clip.logitScale), methods: Set(methods))
        (self.secondOrder, self.size, self.seed) = (secondOrder, size, UInt64(seed))
        classes = classifier.shape[0]
    }

    /// Runs image `index` of a set.
    /// - Returns: the model's own answer, and by how much cosine it leads.
    /// - Throws: ``ExperimentError/notFinite(image:place:)``, `PipelineError.damaged`.
    func run(_ reader: ImageReader, _ index: Int, of images: ImageSet) throws -> (label: Int, margin: Float) {
        similarities.removeAll(keepingCapacity: true)
        image = index
        let answer = try tokens.run(reader, index, of: images)
        if let attribution { try reader.withImages(index..<index + 1) { attribution.run($0) } }
        return answer
    }

    /// The map of a label at the images' size, from 0 to 1. // [size · size]
    /// - Throws: ``ExperimentError/notFinite(image:place:)``.
    func map(_ item: ExplainabilityCase, of label: Int, shown: [Int]) throws -> [Float] {
        let map: HeatMap
        switch item {
        case .reading(let reading): map = tokens.map(of: label, in: try similarities(reading))
        case .absentLabel(let reading): map = tokens.map(of: absentLabel(shown), in: try similarities(reading))
        case .wholePicture: return [Float](repeating: 1, count: size * size)
        case .attribution(let method):
            guard let attribution else {
                preconditionFailure("a map of \(method.name) was asked for but not declared")
            }
            let neurons =
                method.query == .neurons ? secondOrder.map { $0.neurons.largest($0.count, of: label) } : nil
            map = attribution.map(method, for: MapQuery(label: label, neurons: neurons))
        }
        return map.normalised().resized(to: size).values
    }

    /// A label that the image does not show, drawn by the seed.
    func absentLabel(_ shown: [Int]) -> Int {
        var random = SplitMix64(seed: seed, label: "absent label", index: UInt64(image))
        let absent = (0..<classes).filter { !shown.contains($0) }
        return absent.isEmpty ? 0 : absent[random.below(absent.count)]
    }

    private func similarities(_ reading: TokenReading) throws -> Tensor {
        if let known = similarities[reading] { return known }
        let result = try tokens.similarities(reading)
        similarities[reading] = result
        return result
    }
}
