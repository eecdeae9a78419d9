import CLIPModel
import Inputs
import Lens
import Pipeline

/// A set of images that a step goes over, how many of it, and how it is cut.
struct ImageSource: Sendable {
    /// The steps that make a set of images.
    struct Steps: Sendable {
        let images: StepHandle<Shards<ImageShard>>
        let facts: StepHandle<ImageFacts>
        let count: Int
    }

    let images: StepHandle<Shards<ImageShard>>
    let facts: StepHandle<ImageFacts>
    var count: Int
    /// Images that are computed and stored together.
    let perShard: Int
    /// For rows, messages and image ids.
    let name: ImageSet
    /// SHA-256 of the images, where it is known before they are made.
    let digest: String?
    /// Pictures that could not be read and were left out.
    let skipped: [PictureList.Skipped]

    init(_ steps: Steps, perShard: Int, name: ImageSet, digest: String?, skipped: [PictureList.Skipped] = []) {
        (images, facts, count) = (steps.images, steps.facts, steps.count)
        (self.perShard, self.name, self.digest, self.skipped) = (perShard, name, digest, skipped)
    }
}

extension ImageSource.Steps {
    /// Adds the step that keeps what is known of the images, so that nobody has to open their pixels for it.
    init(_ images: StepHandle<Shards<ImageShard>>, count: Int, label: String, in graph: inout Graph) throws {
        self.init(images: images, facts: try graph.add(ImageFactsStep(images: images, label: label)), count: count)
    }
}

/// The facts of all images of a set.
struct ImageFactsStep: StepDefinition {
    let images: StepHandle<Shards<ImageShard>>
    let label: String

    func step() throws -> Step<ImageFacts> {
        Step(
            kind: "image-facts", label: label, version: 3, inputs: [images.erased],
            work: .single { inputs in
                let shards = try inputs[images]
                var facts = ImageFacts()
                for index in 0..<shards.count { try facts.append(shards[index].facts) }
                return facts
            })
    }
}

/// A step that looks at every image of a set with a model.
///
/// What it depends on are its properties; beside the kind and the version these make its key, so that a property that
/// changes a number has to be among `parameters`, `inputs` or the model.
protocol ImageStep<Output>: StepDefinition {
    /// What is computed of a run of images.
    associatedtype Part: Artefact

    static var kind: String { get }
    /// Raised when the code comes to give other numbers, or to store them in another form.
    static var version: Int { get }
    /// Tells steps of one kind apart for a reader.
    var label: String { get }
    var model: StudyModel { get }
    var images: ImageSource { get }
    /// Images that are computed and stored together.
    var imagesPerShard: Int { get }
    var parameters: Parameters { get }
    /// The steps whose results are read, beside the images.
    var inputs: [AnyStepHandle] { get }
    var memory: MemoryEstimate? { get }
    var cost: CostEstimate? { get }
    /// The part that is of no images.
    var none: Part { get }

    /// - Returns: what adds images to a part; of one worker alone.
    /// - Throws: what reading the inputs and the model throws.
    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<Part>

    /// What becomes of the parts of all images: whether they are joined, and how, or stay apart.
    /// - Parameter makeWorker: makes what computes one part after the other.
    func work(_ makeWorker: @escaping @Sendable (StepInputs) throws -> (Shard) throws -> Part) throws -> Work<Output>
}

/// Adds a run of images of the set to a part.
typealias ImageWorker<Part> = (_ images: Range<Int>, _ part: inout Part) throws -> Void

extension ImageStep {
    var label: String { "" }
    var imagesPerShard: Int { images.perShard }
    var parameters: Parameters { [:] }

    func step() throws -> Step<Output> {
        Step(
            kind: Self.kind, label: label, version: Self.version, parameters: parameters,
            inputs: [images.images.erased] + inputs,
            digests: ["model": model.digest], memory: memory, cost: cost,
            work: try work { inputs in
                let add = try worker(ImageRuns(images, inputs), inputs)
                return { shard in
                    var part = none
                    try add(shard.units, &part)
                    return part
                }
            })
    }

    /// Work whose parts are joined in the order of the images.
    func joined(
        _ makeWorker: @escaping @Sendable (StepInputs) throws -> (Shard) throws -> Part,
        by join: @escaping @Sendable (ShardOutputs<Part>) throws -> Output
    ) throws -> Work<Output> {
        try .map(
            units: images.count, unitsPerShard: imagesPerShard, makeWorker: makeWorker, reduce: { try join($1) })
    }
}

extension ImageStep where Output == Part, Part: ColumnTable {
    /// Tables are put one below the other.
    func work(_ makeWorker: @escaping @Sendable (StepInputs) throws -> (Shard) throws -> Part) throws -> Work<Output> {
        try joined(makeWorker) { try $0.joined(from: none) }
    }
}

extension ImageStep where Output == Shards<Part> {
    /// The parts stay apart, and are read one at a time.
    func work(_ makeWorker: @escaping @Sendable (StepInputs) throws -> (Shard) throws -> Part) throws -> Work<Output> {
        try .shards(units: images.count, unitsPerShard: imagesPerShard, makeWorker: makeWorker)
    }
}

/// How a step's worker goes over its images: in batches of a pass, or one by one.
struct ImageRuns {
    /// Belongs to the worker.
    let reader: ImageReader
    let set: ImageSet
    let inputs: StepInputs

    /// - Throws: what reading the images' artefact throws.
    init(_ source: ImageSource, _ inputs: StepInputs) throws {
        (reader, set, self.inputs) = (ImageReader(try inputs[source.images]), source.name, inputs)
    }

    /// - Parameter body: adds a batch, which begins with image `first` of the set.
    /// - Returns: a worker that throws ``ExperimentError/notFinite(image:place:)``, `PipelineError.interrupted` between two
    ///   blocks of a cancelled run (the shard is dropped), and what `body` throws.
    func batches<Part, Pass>(
        _ workspace: some ImageWorkspace<Pass>,
        _ body: @escaping (_ part: inout Part, _ pass: Pass, _ first: Int) throws -> Void
    ) -> ImageWorker<Part> {
        { images, part in
            for start in stride(from: images.lowerBound, to: images.upperBound, by: workspace.capacity) {
                let batch = min(workspace.capacity, images.upperBound - start)
                let pass = try reader.withImages(start..<start + batch) {
                    try workspace.run($0, batch: batch, check: inputs.checkCancellation)
                }
                if let image = pass.firstNonFiniteImage {
                    throw ExperimentError.notFinite(image: set.imageID(start + image), place: "embedding")
                }
                try body(&part, pass, start)
            }
        }
    }

    /// - Parameter body: adds one image, which it reads itself.
    /// - Returns: a worker that throws `PipelineError.interrupted` between two images of a cancelled run, and what `body` throws.
    func each<Part>(_ body: @escaping (_ part: inout Part, _ image: Int) throws -> Void) -> ImageWorker<Part> {
        { images, part in
            for image in images {
                try inputs.checkCancellation()
                try body(&part, image)
            }
        }
    }
}

/// What runs the image tower on a batch. Belongs to one worker.
protocol ImageWorkspace<Pass> {
    associatedtype Pass: ImagePass
    var capacity: Int { get }
    /// // [batch, size, size, 3]
    /// - Parameter check: called now and then, to stop the work by an error.
    func run(_ images: UnsafePointer<UInt8>, batch: Int, check: () throws -> Void) rethrows -> Pass
}

/// What a run left. Holds until the workspace runs again.
protocol ImagePass {
    var vision: VisionTransformer { get }
    var batch: Int { get }
    /// // [batch, d]
    var representations: UnsafePointer<Float> { get }
}

extension ImagePass {
    /// The first image of the batch whose representation is not a finite number, if there is one.
    fileprivate var firstNonFiniteImage: Int? {
        let d = vision.embeddingWidth
        return (0..<batch).first { image in (0..<d).contains { !representations[image * d + $0].isFinite } }
    }
}

/// Runs the image tower alone. Belongs to one worker.
struct TowerWorkspace: ImageWorkspace {
    private let vision: VisionTransformer
    private let workspace: VisionWorkspace

    /// - Parameter request: what to keep of every layer.
    init(_ vision: VisionTransformer, capacity: Int, capturing request: CaptureRequest = []) {
        self.vision = vision
        workspace = VisionWorkspace(
            vision, capacity: capacity, capturing: Array(repeating: request, count: vision.blocks.count))
    }

    var capacity: Int { workspace.capacity }

    func run(_ images: UnsafePointer<UInt8>, batch: Int, check: () throws -> Void) rethrows -> TowerPass {
        TowerPass(vision: vision, tower: try vision(images, batch: batch, workspace, check: check))
    }
}

/// What the image tower left. Holds until its workspace runs again.
struct TowerPass: ImagePass {
    let vision: VisionTransformer
    let tower: VisionPass

    var batch: Int { tower.batch }
    /// r(I), not normalised. // [batch, d]
    var representations: UnsafePointer<Float> { tower.embeddings }
}

extension EffectWorkspace: ImageWorkspace {}
extension EffectPass: ImagePass {}
extension DirectEffectsWorkspace: ImageWorkspace {}
extension DirectEffects: ImagePass {}

extension Work where Output: ColumnTable {
    /// Work over units whose parts are put one below the other, in their order.
    /// - Parameter none: the part of no units.
    static func joined(
        units: Int, unitsPerShard: Int, from none: Output = Output(),
        makeWorker: @escaping @Sendable (StepInputs) throws -> ((Shard) throws -> Output)
    ) throws -> Work {
        try .map(
            units: units, unitsPerShard: unitsPerShard, makeWorker: makeWorker,
            reduce: { try $1.joined(from: none) })
    }
}

extension ShardOutputs where Part: ColumnTable {
    /// All parts, one below the other.
    fileprivate func joined(from none: Part) throws -> Part {
        var all = none
        try forEach { _, part in try all.append(part) }
        return all
    }
}
