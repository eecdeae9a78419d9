import Foundation
import Foundations
import Pipeline
import Results
import Testing
import TestSupport

@testable import runner

/// Bytes of a database, changed one at a time: read and written to as the commands do, within this process.
struct DatabaseSweep {
    /// A byte, and what it is combined with.
    struct Flip: CustomStringConvertible {
        let position: Int
        let mask: UInt8

        var description: String { "byte \(position) ^ \(mask)" }
    }

    private let folder: URL
    private let url: URL
    private let sound: Data
    private let rows: [Metric]
    private let predictions: [PredictionSet]

    /// A database of one run, at rest.
    init() throws {
        folder = try ProcessFolder.make()
        url = folder.appendingPathComponent("results.sqlite")
        let database = try ResultsDatabase(writingTo: url)
        try Self.write(Self.metrics, to: database)
        try database.close()
        sound = try Data(contentsOf: url)
        (rows, predictions) = try DatabaseView(of: url).read(Self.everything)
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    private static let metrics = (0..<40).map {
        Metric(
            experiment: "mean-ablation", world: "emoji", model: "m", dataset: "val", subject: ["layer": "\($0)"],
            name: "accuracy",
            value: Double($0) / 64, unit: "share", n: 100)
    }

    private static func write(_ metrics: [Metric], to database: ResultsDatabase) throws {
        let run = try database.begin(
            RunDescription(
                experiment: "mean-ablation", spec: SpecDocument(text: "a: 1\n", path: "experiments/x.yaml"),
                commit: "0123abcd",
                isDirty: false, blasCore: "Haswell", blasThreads: 1, versions: ["swift": "6"], isPartial: false))
        let predictions = (0..<200).map {
            Prediction(imageID: "val/\($0)", label: "red apple", prediction: "green apple", margin: 0.25)
        }
        try database.end(
            run, as: .done,
            rows: RunRows(
                metrics: metrics,
                predictions: [
                    PredictionSet(experiment: "mean-ablation", condition: ["layer": "1"], predictions: predictions)
                ],
                attachments: [StoredAttachment(name: "n.csv", file: "m-n.csv", sha256: "0")]))
    }

    private static func everything(_ database: ResultsDatabase) throws -> ([Metric], [PredictionSet]) {
        guard let run = try database.latestRun(of: "mean-ablation") else { return ([], []) }
        _ = try (
            database.layouts(of: run), database.attachments(of: run), database.steps(of: run.id),
            database.claims(of: run), database.comparedRuns()
        )
        return (try database.metrics(of: run, withTerms: true), try database.predictions(of: run))
    }

    // MARK: Which bytes

    /// Every byte of the header, by one bit of it and by all.
    var header: [Flip] {
        (0..<100).flatMap { [Flip(position: $0, mask: 1 << UInt8($0 % 8)), Flip(position: $0, mask: 0xFF)] }
    }

    /// Every bit of the header, some bytes of the pages that hold the declarations, and some of all.
    func all(declarations: Int, others: Int, _ generator: inout SplitMix64) -> [Flip] {
        let bits = (0..<800).map { Flip(position: $0 / 8, mask: 1 << UInt8($0 % 8)) }
        let pages = Set(sound.ranges(of: Data("CREATE ".utf8)).map { $0.lowerBound / 4096 }).sorted()
        let declared = pages.flatMap { $0 * 4096..<($0 + 1) * 4096 }.shuffled(using: &generator).prefix(declarations)
        let any = (0..<others).map { _ in Int.random(in: 0..<sound.count, using: &generator) }
        return bits + (declared + any).map { self.any(at: $0, &generator) }
    }

    private func any(at position: Int, _ generator: inout SplitMix64) -> Flip {
        let bit: UInt8 = 1 << UInt8.random(in: 0..<8, using: &generator)
        let isBit = Int.random(in: 0..<4, using: &generator) > 0
        return Flip(position: position, mask: isBit ? bit : UInt8.random(in: 1...255, using: &generator))
    }

    // MARK: What comes of them

    /// Expects the right rows, or a refusal that says what to do and leaves the file as it is.
    func check(_ flip: Flip) throws {
        var data = sound
        data[flip.position] ^= flip.mask
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: url.path + suffix) }
        try data.write(to: url)
        Tally.shared.count(\.mutations)
        attempt("reading", flip) {
            let (rows, predictions) = try DatabaseView(of: url).read(Self.everything)
            #expect(rows == self.rows && predictions == self.predictions, "\(flip): other rows were believed")
        }
        #expect(try Data(contentsOf: url) == data, "\(flip): a reader changed the file")

        var isOpen = false
        attempt("writing", flip) {
            let database = try ResultsDatabase(writingTo: url)
            isOpen = true
            try Self.write(Self.metrics, to: database)
            #expect(try Self.everything(database) == (self.rows, self.predictions), "\(flip): other rows were left")
            try database.close()
        }
        if !isOpen { #expect(try Data(contentsOf: url) == data, "\(flip): a writer that refused the file changed it") }
    }

    private func attempt(_ what: String, _ flip: Flip, _ body: () throws -> Void) {
        do {
            try body()
        } catch {
            let failure = Failure(error)
            #expect(
                failure.code == .badData && failure.fix != nil, "\(flip), \(what): \(failure.code) \(failure.message)")
        }
    }
}

/// A byte of the header of a database: refused with what to do, or of no account.
@Suite struct DatabaseHeaderTests {
    @Test func noByteOfTheHeaderIsBelievedOrCalledABug() throws {
        let sweep = try DatabaseSweep()
        defer { sweep.remove() }
        for flip in sweep.header { try sweep.check(flip) }
    }
}
