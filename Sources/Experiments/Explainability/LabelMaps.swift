import Attribution
import CLIPModel
import DenseMath
import Foundation
import Foundations
import Pipeline

/// Makes the maps of the labels of one image after the other. Belongs to one worker.
final class LabelMapper {
    /// What maps are made of: the neurons of the second-order row, by their directions.
    struct SecondOrder {
        let neurons: ClassNeurons
        let count: Int
    }

    private let tokens: TokenReader
    private let attribution: AttributionWorkspace?
    fileprivate let secondOrder: SecondOrder?
    fileprivate let size: Int
    fileprivate let classes: Int
    fileprivate let seed: UInt64

    /// - Parameter size: of the images and of the maps.
    init(
        _ clip: CLIP, _ cases: [ExplainabilityCase], classifier: Tensor, empty: Tensor, secondOrder: SecondOrder?,
        size: Int, seed: Int
    ) throws {
        let vision = try clip.vision.resized(to: size)
        let methods = cases.compactMap { if case .attribution(let method) = $0 { method } else { nil } }
        tokens = TokenReader(vision, cases.compactMap(\.reading), classifier: classifier, empty: empty)
        attribution =
            methods.isEmpty
            ? nil
            : AttributionWorkspace(
                vision, classifier: classifier, logitScale: exp(clip.logitScale), methods: Set(methods))
        (self.secondOrder, self.size, self.seed) = (secondOrder, size, UInt64(seed))
        classes = classifier.shape[0]
    }

    /// Runs image `index` of a set.
    /// - Throws: ``ExperimentError/notFinite(image:place:)``, `PipelineError.damaged`.
    func run(_ reader: ImageReader, _ index: Int, of images: ImageSet) throws -> LabelMaps {
        LabelMaps(
            mapper: self, tokens: try tokens.run(reader, index, of: images),
            attribution: try attribution.map { workspace in
                try reader.withImages(index..<index + 1) { workspace.run($0) }
            }, image: index)
    }
}

/// The maps of one image's labels. Holds until its mapper runs again.
struct LabelMaps {
    fileprivate let mapper: LabelMapper
    fileprivate let tokens: ImageTokens
    fileprivate let attribution: AttributionPass?
    fileprivate let image: Int

    /// The model's own answer, and by how much cosine it leads.
    var answer: (label: Int, margin: Float) { tokens.answer }

    /// The map of a label at the images' size, from 0 to 1. // [size · size]
    /// - Throws: ``ExperimentError/notFinite(image:place:)``.
    func map(_ item: ExplainabilityCase, of label: Int, shown: [Int]) throws -> [Float] {
        let (map, size) = (try patches(item, of: label, shown: shown), mapper.size)
        return map?.normalised().resized(to: size).values ?? [Float](repeating: 1, count: size * size)
    }

    /// - Returns: nil for the whole picture.
    private func patches(_ item: ExplainabilityCase, of label: Int, shown: [Int]) throws -> HeatMap? {
        switch item {
        case .reading(let reading): return try tokens.map(reading, of: label)
        case .absentLabel(let reading): return try tokens.map(reading, of: absentLabel(shown))
        case .wholePicture: return nil
        case .attribution(let method):
            guard let attribution else {
                preconditionFailure("a map of \(method.name) was asked for but not declared")
            }
            let neurons =
                method.query == .neurons ? mapper.secondOrder.map { $0.neurons.largest($0.count, of: label) } : nil
            return attribution.map(method, for: MapQuery(label: label, neurons: neurons))
        }
    }

    /// A label that the image does not show, drawn by the seed.
    func absentLabel(_ shown: [Int]) -> Int {
        var random = SplitMix64(seed: mapper.seed, label: "absent label", index: UInt64(image))
        let absent = (0..<mapper.classes).filter { !shown.contains($0) }
        return absent.isEmpty ? 0 : absent[random.below(absent.count)]
    }
}
