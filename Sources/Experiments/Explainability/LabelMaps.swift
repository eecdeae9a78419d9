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

/// A row of the explainability table: what makes a label's map.
enum ExplainabilityCase: Sendable, Hashable {
    case reading(TokenReading)
    case attribution(AttributionMethod)
    /// The map of a label that the image does not show, against one that it does.
    case absentLabel(TokenReading)
    /// A map that marks everything: what a number is worth.
    case wholePicture

    var name: String {
        switch self {
        case .reading(let reading): reading.name
        case .attribution(let method): method.name
        case .absentLabel(let reading): "\(reading.name)-absent-label"
        case .wholePicture: "whole-picture"
        }
    }

    /// In tables and pictures.
    var title: String {
        switch self {
        case .reading(let reading): reading.title
        case .attribution(let method): method.title
        case .absentLabel(let reading): "\(reading.title), a label that is absent"
        case .wholePicture: "the whole picture"
        }
    }

    /// All that decides a number, for the key of a step.
    var key: String {
        switch self {
        case .reading(let reading): reading.key
        case .attribution(let method): method.name
        case .absentLabel(let reading): "absent label, \(reading.key)"
        case .wholePicture: "whole picture"
        }
    }

    /// Whether its curve over thresholds is drawn: surgery beside what it is made of, and the methods of the other paper
    /// that come nearest. All are in the list.
    func isDrawn(depth: Int) -> Bool {
        switch self {
        case .reading: Self.surgery(depth: depth).contains(self)
        case .attribution(let method): [.textSpan, .secondOrder, .chefer2021].contains(method)
        case .absentLabel, .wholePicture: false
        }
    }

    var reading: TokenReading? {
        switch self {
        case .reading(let reading), .absentLabel(let reading): reading
        case .attribution, .wholePicture: nil
        }
    }

    /// Readings without anything else: raw CLIP, surgery's halves, and surgery.
    static func surgery(depth: Int) -> [ExplainabilityCase] {
        [.clip, .featureSurgery, .architectureSurgery(depth: depth), .surgery(depth: depth), .singleText(depth: depth)]
            .map { .reading($0) }
    }

    /// Raw CLIP, every attribution method, surgery without each of its halves and whole, the variants, a control.
    static func all(depth: Int, secondOrder: Bool) -> [ExplainabilityCase] {
        let surgery = TokenReading.surgery(depth: depth)
        return [.reading(.clip)]
            + AttributionMethod.all.filter { secondOrder || $0 != .secondOrder }.map { .attribution($0) }
            + [.reading(.featureSurgery), .reading(.architectureSurgery(depth: depth)), .reading(surgery)]
            + [.reading(.singleText(depth: depth))] + TokenReading.variants(depth: depth).map { .reading($0) }
            + [.absentLabel(surgery), .wholePicture]
    }
}
