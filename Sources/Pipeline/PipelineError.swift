import Foundation
import Foundations

/// What went wrong between a spec and its artefacts, as facts.
///
/// Defects of a spec's text are `SpecError`s; what could not be written is an `OutputError`.
public enum PipelineError: Error, Sendable {
    // MARK: Graph

    /// A step asks for the output of a step that the graph does not have.
    case danglingInput(step: String, input: String)
    /// Two different steps would write one artefact.
    case duplicateOutput(output: String, first: String, second: String)
    /// A step reads an artefact that it did not declare as an input.
    case undeclaredInput(step: String, input: String)
    /// A map has a negative number of units, or shards of no units.
    case invalidSharding(units: Int, unitsPerShard: Int)

    // MARK: Artefacts

    /// A stored file is not what its manifest says.
    case damaged(path: String, damage: Damage)
    /// An artefact is wanted that has not been computed.
    case notComputed(step: String, key: StepKey)
    /// A stored artefact is tensors where JSON is wanted, or the reverse.
    case wrongArtefactForm(wanted: String)
    /// A stored artefact lacks a part, or the part is not of the expected form.
    case invalidArtefact(part: String, reason: String)

    // MARK: Files

    /// A file cannot be read.
    case cannotRead(path: String, FileFault)
    /// Another process holds the results folder.
    case lockHeld(path: String, holder: ProcessIdentity?, waited: Duration)
    /// The file of the lock was removed while this process held it, or another process held it at the same time.
    /// - Parameter holder: whom the file names now; nil for one who has ended.
    case lockLost(path: String, isRemoved: Bool, holder: ProcessIdentity?)

    // MARK: Execution

    /// No step has the kind or name that a caller gave.
    case unknownStep(String, suggestion: String?, kinds: [String])

    /// A task is to work on a step that its graph does not have: the spec, the data or the code are not those that
    /// the task was submitted with.
    case stepNotInGraph(key: String)

    /// The memory limit does not admit even one worker of a step. Sizes in bytes.
    case memoryLimitTooSmall(step: String, needed: Int, limit: Int)
    /// The work of a step failed.
    case stepFailed(step: String, underlying: any Error)
    /// A shard of a step failed; the shards that had started were finished and kept.
    case shardFailed(step: String, shard: Shard, underlying: any Error)
    /// The run was cancelled; what was finished is kept.
    case interrupted
}

/// What is wrong with a stored file.
public enum Damage: Equatable, Sendable {
    case missing
    case unreadableManifest
    /// The manifest is that of another step or shard.
    case foreignManifest
    case digestMismatch(expected: String, actual: String)
}

/// Opens a regular file and reads it.
/// - Throws: `PipelineError.cannotRead`, and what `body` throws.
func readingFile<Value>(at url: URL, _ body: (RegularFile) throws -> Value) throws -> Value {
    do {
        return try body(RegularFile(url.path))
    } catch let fault as FileFault {
        throw PipelineError.cannotRead(path: url.path, fault)
    }
}
