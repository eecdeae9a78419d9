import Synchronization

/// The inputs of one step at work, each read from the store when first asked for and then shared
/// by the step's workers, with what they make of them together.
public final class StepInputs: Sendable {
    private let step: String
    private let declared: Set<StepKey>
    private let cancellation: Cancellation
    private let load: @Sendable (StepKey) throws -> StoredArtefact
    private let loaded = Mutex<[StepKey: any Artefact]>([:])
    private let parts = Mutex<[ObjectIdentifier: any Sendable]>([:])

    init(
        step: String, declared: [StepKey], cancellation: Cancellation,
        load: @escaping @Sendable (StepKey) throws -> StoredArtefact
    ) {
        self.step = step
        self.declared = Set(declared)
        self.cancellation = cancellation
        self.load = load
    }

    /// The artefact of an input.
    /// - Throws: `PipelineError.undeclaredInput`, `.damaged`, and what reading the artefact throws.
    public subscript<Output: Artefact>(_ handle: StepHandle<Output>) -> Output {
        get throws {
            guard declared.contains(handle.key) else {
                throw PipelineError.undeclaredInput(step: step, input: handle.name)
            }
            // Held while reading, so that workers wait for one copy instead of reading their own.
            return try loaded.withLock { loaded in
                if let artefact = loaded[handle.key] as? Output { return artefact }
                let artefact = try Output(load(handle.key))
                loaded[handle.key] = artefact
                return artefact
            }
        }
    }

    /// What the step's workers make together and share.
    /// - Throws: what making a part throws, on every worker.
    public func parts<Part: Sendable>(_ shared: SharedParts<Part>) throws -> [Part] {
        let making = parts.withLock { parts -> PartsInTheMaking<Part> in
            if let making = parts[ObjectIdentifier(shared)] as? PartsInTheMaking<Part> { return making }
            let making = PartsInTheMaking(shared)
            parts[ObjectIdentifier(shared)] = making
            return making
        }
        return try making.finish(self)
    }

    /// For long work that is not cut into shards: a place where it may stop.
    /// - Throws: `PipelineError.interrupted` when the run has been cancelled.
    public func checkCancellation() throws {
        try cancellation.check()
    }

    /// Whether the run has been cancelled, for work that waits for others and cannot throw.
    public var isCancelled: Bool { cancellation.isCancelled }
}
