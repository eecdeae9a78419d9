import Foundation
import Pipeline

/// What a spec can name and ask for, as far as it is known when the spec is read.
///
/// A spec is read twice. The first time nothing of what it names is opened: all of its text is checked, and whatever it asks of
/// a model passes. The second time the model is known.
struct SpecChoices: Sendable {
    var models: [String]
    /// Data sets of scenes; sets of pictures have names of their own.
    var scenes: [String]
    /// The folder of data.
    var data = URL(fileURLWithPath: "data", isDirectory: true)
    var model = ModelFacts.unknown
    /// Names that the classifier of the fit set chooses among; nil where they are not known.
    var classes: [String]?
    /// Pairs of classes that the paper has numbers of; nil where they are not known.
    var papersPairs: [String]?
}

extension SpecChoices {
    init(_ context: ExperimentContext) {
        self.init(
            models: context.opened.places.models, scenes: context.opened.places.scenes, data: context.opened.places.data
        )
    }
}

/// What a model has, which decides what a spec may ask of it.
struct ModelFacts: Sendable {
    /// Layers with a later attention layer, whose neurons have second-order effects.
    var layers: Range<Int>
    /// Neurons of a layer.
    var neurons: Int
    /// Blocks of the image tower.
    var blocks = 0
    /// Height and width of its input, in pixels.
    var imageSize = 0
    /// Height and width of a patch.
    var patchSize = 1

    /// A model that nobody has looked at has more than any other.
    static let unknown = ModelFacts(layers: 0..<1000, neurons: 1_000_000, blocks: 1000)

    /// Neurons of several layers; at least 1, so that it can bound a number of neurons.
    func neurons(of layers: [Int]) -> Int { max(1, layers.count * neurons) }
}

extension ModelFacts {
    init(_ model: StudyModel) {
        let vision = model.configuration.vision
        self.init(
            layers: model.layersWithLaterAttention, neurons: vision.mlpWidth, blocks: vision.layers,
            imageSize: vision.imageSize, patchSize: vision.patchSize)
    }
}

/// What an experiment takes from its spec.
protocol ExperimentSpec: Sendable {
    /// The keys that the specs of all experiments have.
    var setting: SettingSpec { get }

    /// Reads the spec; faults are noted in the reader.
    init(_ reader: SpecReader, choices: SpecChoices)

    /// What the spec can ask for once what it names is open.
    /// - Throws: what opening a model or a data set throws.
    func choices(in context: ExperimentContext) throws -> SpecChoices
}

extension ExperimentSpec {
    func choices(in context: ExperimentContext) throws -> SpecChoices {
        var choices = SpecChoices(context)
        choices.model = ModelFacts(try context.opened.model(setting.modelKey))
        return choices
    }

    /// The spec of a text, with what it names opened.
    /// - Throws: `SpecError`, and as ``choices(in:)``.
    static func resolved(_ document: SpecDocument, in context: ExperimentContext) throws -> Self {
        let choices = try document.read { Self($0, choices: SpecChoices(context)) }.choices(in: context)
        return try document.read { Self($0, choices: choices) }
    }
}
