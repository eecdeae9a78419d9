import CLIPModel
import DenseMath
import Foundation
import Foundations
import Inputs
import Pipeline

/// What a notebook wants as safetensors, of any model that opens and any folder of pictures, without a spec: a graph of
/// the steps that experiments are made of, and the writing of a file at its end.
///
/// ```swift
/// let export = try Export(.secondOrder(.init(layer: 9, neurons: neurons)), of: .init(location: "pictures"), settings)
/// try export.run(in: ResultsFolder(results), to: PendingFile(for: file, followsLink: true))
/// ```
///
/// The file is complete or not there. Its bytes do not depend on the number of workers. What the steps computed stays in
/// the results folder, and is not computed again.
public struct Export: Sendable {
    public struct Settings: Sendable {
        /// A model folder or a file of weights.
        public var model: URL
        /// OpenAI's vocabulary, for models that have none beside them.
        public var vocabulary: URL?
        /// Non-linearities, where they are not to be those of the model's files.
        public var imageActivation, textActivation: Activation?
        public var program: ProgramDescription
        /// A folder for what is found out about inputs, so that it need not be found out again; nil keeps nothing.
        public var memory: OutputFolder?
        /// Gets lines for people while inputs are read.
        public var tell: @Sendable (String) -> Void = { _ in }

        public init(
            model: URL, vocabulary: URL? = nil, imageActivation: Activation? = nil, textActivation: Activation? = nil,
            program: ProgramDescription, memory: OutputFolder? = nil
        ) {
            (self.model, self.vocabulary, self.program, self.memory) = (model, vocabulary, program, memory)
            (self.imageActivation, self.textActivation) = (imageActivation, textActivation)
        }
    }

    /// What a person should know before the numbers are used; it stands in the file's header, too.
    public enum Notice: Sendable {
        case skipped(picture: String, reason: String)
        /// A picture whose file has a fault that the reference's decoder makes up for.
        case doubtful(picture: String, warning: String)
        /// A text that is longer than the model's context; the rest of it is left out.
        case truncated(text: String, tokens: Int)
    }

    public let graph: Graph
    /// What the file is going to hold.
    public let tensors: [ExportTensor]
    public let notices: [Notice]
    private let document: ExportDocument
    private let memo: InputMemo
    private let fill: ExportWriter

    /// Plans an export of what a model makes of pictures; nothing is computed.
    /// - Throws: ``ExportError``, and what opening the model and reading pictures throws.
    public init(_ contents: PictureContents, of selection: PictureSelection, _ settings: Settings) throws {
        let kind = contents.kind
        // Whether the request fits the architecture is known before weights and pictures are read.
        try kind.check(CLIP.describe(folder: settings.model).description.configuration)
        memo = InputMemo(folder: settings.memory)
        let model = try StudyModel(settings, memo)
        let dataset = try selection.dataset(memo, settings.tell)
        let list = dataset.list
        tensors = try kind.tensors(model.configuration, images: list.entries.count)
        let texts = try kind.texts.isEmpty ? nil : ExportDocument.Text.all(kind.texts, model)

        var graph = Graph()
        let name = URL(fileURLWithPath: selection.location).lastPathComponent
        let images = ImageSource(
            try dataset.images(model.preprocessing, masks: nil, label: name, in: &graph), perShard: Self.perShard,
            name: ImageSet(dataset: name, split: "", ids: list.entries.map(\.id)), digest: list.digest)
        fill = try kind.plan(model, images, in: &graph)
        self.graph = graph
        document = ExportDocument(
            contents: kind.name, program: settings.program, model: try ModelEntry(model, settings),
            images: ExportDocument.Images(selection, dataset, found: try dataset.found(), model.description),
            texts: texts, settings: kind.settings(model.configuration, images: images.count), tensors: tensors)
        notices = document.notices
    }

    /// Plans an export of the embeddings of texts; nothing is computed.
    /// - Throws: ``ExportError/textsMissing(method:)``, and what opening the model throws.
    public init(texts: [String], _ settings: Settings) throws {
        guard !texts.isEmpty else { throw ExportError.textsMissing(method: TextExport.name) }
        memo = InputMemo(folder: settings.memory)
        let model = try StudyModel(settings, memo)
        let export = TextExport(texts)
        tensors = export.tensors(model.configuration)
        var graph = Graph()
        fill = try export.plan(model, in: &graph)
        self.graph = graph
        document = ExportDocument(
            contents: TextExport.name, program: settings.program, model: try ModelEntry(model, settings), images: nil,
            texts: try ExportDocument.Text.all(texts, model), settings: .init(), tensors: tensors)
        notices = document.notices
    }

    /// Images that are computed and stored together, as in a spec that does not say otherwise.
    private static let perShard = 250

    /// Computes what is missing and writes the file.
    /// - Parameters:
    ///   - output: where the file goes: made before any work, so that what stands in the way is known first.
    ///   - observer: gets the events of the run, one at a time, on any thread.
    /// - Throws: `OutputError`, before any work where there is no room; `PipelineError`, and what the steps throw.
    public func run(
        in folder: ResultsFolder, to output: PendingFile, options: Executor.Options = .init(),
        cancellation: Cancellation = Cancellation(), observer: @escaping @Sendable (ExecutionEvent) -> Void = { _ in }
    ) throws {
        let file = try ExportFile(output, tensors: tensors, document: document, cancellation)
        memo.keep()
        try fill(
            Executor(graph, in: folder, options: options, cancellation: cancellation, observer: observer).run(), file)
        try file.commit()
    }
}

/// What can be wrong with the request for an export. Facts only; `runner` makes the words.
public enum ExportError: Error, Equatable, Sendable {
    /// A folder or archive without a picture, or with bad ones only.
    case noPictures(location: String, skipped: Int)
    /// Fewer pictures than what was asked for takes.
    case tooFewPictures(found: Int, needed: Int)
    /// Not one of the model's layers, or the last, whose neurons no later attention layer reads.
    case noSecondOrderEffects(layer: Int, layers: Int)
    /// The largest neuron that was asked for is beyond those that a layer has.
    case neuronOutOfRange(neuron: Int, neurons: Int)
    /// An index was asked for twice.
    case repeatedIndex(selection: String)
    /// The method's maps do not depend on texts, but there are some.
    case textsNotUsed(method: String)
    case textsMissing(method: String)
    /// The method compares a text with the mean of several, but there is only one.
    case contrastMissing(method: String)
}

extension StudyModel {
    fileprivate init(_ settings: Export.Settings, _ memo: InputMemo) throws {
        try self.init(
            settings.model.lastPathComponent, folder: settings.model, vocabulary: settings.vocabulary, memo: memo,
            imageActivation: settings.imageActivation, textActivation: settings.textActivation)
    }
}
