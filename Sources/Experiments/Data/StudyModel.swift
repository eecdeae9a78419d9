import CLIPModel
import DenseMath
import Foundation
import Foundations
import Inputs
import Lens
import Pipeline

/// A model that a spec names.
public enum ModelReference: Hashable, Sendable {
    /// A model of the manifest.
    case named(String)
    /// A folder or a file of weights.
    case at(URL)

    /// What rows call it.
    public var name: String {
        switch self {
        case .named(let name): name
        case .at(let url): url.lastPathComponent
        }
    }
}

/// A model whose files are known and whose weights are loaded when first needed.
public struct StudyModel: Sendable {
    public let name: String
    /// Architecture, preprocessing, and who decided the non-linearities.
    public let description: ModelDescription
    /// One digest of all files and settings that decide a number.
    public let digest: String
    /// Precision of the products with weights.
    let precision: Precision
    /// SHA-256 of the model's files, by name.
    private let fileDigests: [String: String]
    /// Its name, where the weights have the digest that their publisher states for it.
    let published: String?
    /// What a reader should know of it.
    let warning: String?
    public let clip: Shared<CLIP>
    /// How pictures are brought to the model's size.
    let preprocessing: ImagePreprocessing
    /// The value/output paths of all heads.
    let paths: Shared<ValueOutputPaths>

    public var configuration: CLIPConfiguration { description.configuration }
    /// The non-linearity of the text tower: part of the key of every step that embeds texts.
    var textActivation: Activation { configuration.text.activation }

    /// Finds a model's files and compares them with the digests that the manifest states.
    ///
    /// The public implementation of the second-order paper embeds class names and phrases with plain
    /// GELU although the models were trained with QuickGELU; `textActivation` is how its numbers are chased.
    /// - Parameters:
    ///   - imageActivation: the non-linearity of the image tower, where it is not to be what the files say.
    ///   - textActivation: the same for the text tower.
    ///   - precision: of the linear layers of both.
    /// - Throws: `InputError`, and what opening a model throws.
    init(
        _ reference: ModelReference, in places: InputPlaces, memo: InputMemo, imageActivation: Activation? = nil,
        textActivation: Activation? = nil, passOrder: ImagePreprocessing.PassOrder = .pillow13,
        precision: Precision = .fp32
    ) throws {
        let folder: URL
        var stated: [String: String] = [:]
        switch reference {
        case .at(let url): folder = url
        case .named(let name):
            folder = try places.folder(ofModel: name)
            stated = try places.statedDigests(ofModel: name)
        }
        try self.init(
            reference.name, folder: folder, vocabulary: try? places.vocabulary(), stated: stated,
            openAI: places.digestsOfOpenAI, memo: memo, imageActivation: imageActivation,
            textActivation: textActivation, passOrder: passOrder, precision: precision)
    }

    /// A model without a manifest.
    /// - Parameters:
    ///   - folder: or a file of weights.
    ///   - vocabulary: OpenAI's, for models that have none beside them.
    ///   - stated: digests that the files have to have, by name.
    ///   - openAI: digests of the weights that OpenAI published.
    /// - Throws: `InputError`, and what opening a model throws.
    init(
        _ name: String, folder: URL, vocabulary: URL?, stated: [String: String] = [:], openAI: Set<String> = [],
        memo: InputMemo, imageActivation: Activation?, textActivation: Activation?,
        passOrder: ImagePreprocessing.PassOrder = .pillow13, precision: Precision = .fp32
    ) throws {
        self.name = name
        let described = try CLIP.describe(
            folder: folder, vocabulary: vocabulary, imageActivation: imageActivation, textActivation: textActivation)
        // From here to the end of the loading: what is computed with is what the digests are of.
        let watch = FileWatch(described.files)
        let digests = try memo.value("model", of: described.files, key: "") {
            try Dictionary(
                described.files.map {
                    (
                        $0.lastPathComponent,
                        try Digest.sha256(ofFile: $0, purpose: "a file of the model \(name)")
                    )
                }, uniquingKeysWith: { first, _ in first })
        }
        for (file, expected) in stated.sorted(by: { $0.key < $1.key }) {
            guard let found = digests[file], found != expected else { continue }
            throw InputError.digestMismatch(
                dataset: name, what: folder.appendingPathComponent(file).path, expected: expected, found: found)
        }
        (description, fileDigests) = (described.description, digests)
        warning = Self.warning(
            described.description, digests: Set(digests.values), folder: folder, openAI: openAI)
        published = !stated.isEmpty && stated.allSatisfy { digests[$0.key] == $0.value } ? name : nil
        // What one tower does with its numbers is part of the identity; the text tower's is in its own steps' keys.
        var lines = digests.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }
        lines.append("image activation \(description.configuration.vision.activation.rawValue)\n")
        // Named only where it is another, so that what was computed before there was a choice is found again.
        if precision != .fp32 { lines.append("precision \(precision.rawValue), patches included\n") }
        self.precision = precision
        digest = Digest.sha256(of: Data(lines.joined().utf8))
        let clip = Shared {
            let clip = try CLIP(
                folder: folder, vocabulary: vocabulary, imageActivation: imageActivation, textActivation: textActivation
            )
            try watch.check()
            // The description was read before the watch began; and a file that appears since then is no file that was watched.
            let now = try CLIP.describe(
                folder: folder, vocabulary: vocabulary, imageActivation: imageActivation, textActivation: textActivation
            )
            guard clip.description == described.description, now.files == described.files else {
                throw ChangedFile(path: folder.path)
            }
            return clip.with(precision)
        }
        self.clip = clip
        paths = Shared { ValueOutputPaths(try clip.value().vision) }
        preprocessing = ImagePreprocessing(description, passOrder: passOrder)
    }

    /// OpenAI's weights were trained with QuickGELU, and OpenCLIP takes GELU where a configuration does not name it.
    private static func warning(_ model: ModelDescription, digests: Set<String>, folder: URL, openAI: Set<String>)
        -> String?
    {
        guard model.format == .openCLIP, model.imageActivationSource == .formatDefault,
            !digests.isDisjoint(with: openAI)
        else { return nil }
        return
            "\(folder.path): these are OpenAI's weights, trained with QuickGELU, but open_clip_config.json does not have "
            + "\"quick_gelu\": true, so that GELU is taken; say image-activation: quick_gelu and text-activation: quick_gelu"
    }

    /// What it is, as settings: a model is the published one by its digest, not by its name.
    var settings: [String: String] {
        [
            "model": published ?? "\(name), \(digest.prefix(12))",
            "image-activation": configuration.vision.activation.rawValue,
            "text-activation": textActivation.rawValue, "precision": precision.rawValue,
        ]
    }

    /// SHA-256 of a file of the model.
    /// - Precondition: it is one of the description's.
    func digest(ofFile path: String) -> String {
        guard let digest = fileDigests[URL(fileURLWithPath: path).lastPathComponent] else {
            preconditionFailure("\(path) is no file of \(name)")
        }
        return digest
    }

    /// Layers whose neurons have a second-order effect: all but the last.
    public var layersWithLaterAttention: Range<Int> { 0..<max(configuration.vision.layers - 1, 0) }

    /// Images that run together.
    var batch: Int { configuration.vision.batch }

    /// The lens of each layer.
    /// - Throws: `LensError` and what loading throws.
    func lenses(_ layers: [Int]) throws -> [SecondOrderLens] {
        let (vision, paths) = (try clip.value().vision, try paths.value())
        return try layers.map { try SecondOrderLens(layer: $0, paths: paths, vision: vision) }
    }
}

/// A layer's lens with the factors that norms take: what all workers of a step read and none changes.
struct FactoredLens: Sendable {
    let lens: SecondOrderLens
    /// `SecondOrderLens.choleskyFactors`. // [N, packed]
    let factors: Tensor
}

extension StudyModel {
    /// The layers' lenses, made by a step's workers together.
    func lensParts(_ layers: [Int]) -> SharedParts<SecondOrderLens> {
        SharedParts(layers.count) { _, index in try lens(layers[index]) }
    }

    /// The layers' lenses with their factors. Those of all layers of a large model take gigabytes, of which no
    /// second copy may be made and which no later step may find occupied.
    func factoredLensParts(_ layers: [Int]) -> SharedParts<FactoredLens> {
        SharedParts(layers.count) { inputs, index in
            let lens = try lens(layers[index])
            return FactoredLens(lens: lens, factors: try lens.choleskyFactors(check: inputs.checkCancellation))
        }
    }

    /// The lens of one layer.
    /// - Throws: `LensError` and what loading throws.
    func lens(_ layer: Int) throws -> SecondOrderLens {
        try SecondOrderLens(layer: layer, paths: try paths.value(), vision: try clip.value().vision)
    }
}

extension SharedParts<FactoredLens> {
    /// How the neurons of each lens read their directions.
    func readings(along directions: StepHandle<FittedDirections>) -> SharedParts<DirectionReadings> {
        SharedParts<DirectionReadings>(count) { inputs, index in
            let lens = try inputs.parts(self)[index].lens
            return DirectionReadings(lens, directions: try inputs[directions].layer(lens.layer).directions.directions)
        }
    }
}
