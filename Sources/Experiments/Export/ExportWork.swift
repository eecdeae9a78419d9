import CLIPModel
import DenseMath
import Foundation
import Foundations
import Pipeline

/// What happens during an export, for whoever shows it.
public enum ExportEvent: Sendable {
    /// How far a stage of the work is.
    case progress(stage: String, done: Int, total: Int)
    case skipped(picture: String, reason: String)
    /// A picture whose file has a fault that the reference's decoder makes up for.
    case doubtful(picture: String, warning: String)
    /// A text that is longer than the model's context; the rest of it was left out.
    case truncated(text: String, tokens: Int)
}

/// How an export is computed: threads, the wish to stop, and files for what does not fit into memory.
struct ExportWork: Sendable {
    let jobs: Int
    let cancellation: Cancellation
    /// The file that is being made: what is only needed meanwhile lies beside it.
    let output: URL
    let observer: @Sendable (ExportEvent) -> Void

    /// A file that nobody sees.
    /// - Throws: `OutputError`.
    func scratch() throws -> PendingFile {
        try PendingFile(
            for: output.deletingLastPathComponent().appendingPathComponent("scratch-\(UUID().uuidString)"),
            followsLink: false)
    }

    /// - Throws: as `Workers.forEach`.
    func forEach(
        _ count: Int, stage: String, makeWorker: @escaping @Sendable () throws -> (Int) throws -> Void
    ) throws {
        try Workers.forEach(
            count, jobs: jobs, cancellation: cancellation,
            finished: { observer(.progress(stage: stage, done: $0, total: count)) }, makeWorker: makeWorker)
    }

    /// Calls a worker with every batch of pictures. Batches are the same for any number of workers.
    /// - Parameter makeWorker: makes what gets a run of pictures and their pixels. // [batch, size, size, 3]
    /// - Throws: as `Workers.forEach`.
    func forEachBatch(
        of pictures: PreparedPictures, capacity: Int, stage: String,
        makeWorker: @escaping @Sendable () throws -> (Range<Int>, UnsafePointer<UInt8>) throws -> Void
    ) throws {
        let count = pictures.count
        try Workers.forEach(
            (count + capacity - 1) / capacity, jobs: jobs, cancellation: cancellation,
            finished: { observer(.progress(stage: stage, done: min($0 * capacity, count), total: count)) }
        ) {
            let worker = try makeWorker()
            var pixels = [UInt8](repeating: 0, count: capacity * pictures.pictureBytes)
            return { piece in
                let range = piece * capacity..<min((piece + 1) * capacity, count)
                try pixels.withUnsafeMutableBufferPointer { pixels in
                    try pictures.read(range, into: pixels)
                    if let base = pixels.baseAddress { try worker(range, base) }
                }
            }
        }
    }
}
