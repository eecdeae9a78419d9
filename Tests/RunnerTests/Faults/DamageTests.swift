import Foundation
import Foundations
import GRDB
import Pipeline
import Results
import Testing

/// Bytes that change on the disk: found and computed again, or refused, and never believed.
@Suite(.enabled(if: FaultInjection.isPossible, "needs clang"))
struct DamageTests {
    static func flip(_ url: URL, at position: Int, bit: UInt8 = 1) throws {
        var data = try Data(contentsOf: url)
        data[data.startIndex + position] ^= bit
        // Not by renaming: the very file is damaged.
        try data.write(to: url)
    }

    /// Results of a run that was killed when it had some shards.
    static func withShards() throws -> FaultRun {
        let run = try FaultRun(after: FaultRun.undisturbed.get().run)
        for path in ["cache/ablation-predictions", "cache/overlap"] {
            try FileManager.default.removeItem(at: run.results.appendingPathComponent(path))
        }
        let killed = try #require(try KillTests.kill(run, Fault(kind: .kill, at: 1, only: "000003.")))
        #expect(killed.committed.count == 3)
        return run
    }

    /// One file of each kind of what is cached, the byte that is changed, and whether a warning is due.
    static let files: [(pattern: String, place: String?, isWarned: Bool)] = [
        ("cache/principal-directions/.*/artefact.safetensors", nil, true),
        ("cache/decomposition-check/.*/artefact.json", nil, true),
        ("cache/effect-means/.*/manifest.json", "\"sha256\":\"", true),
        ("cache/largest-effects/.*/manifest.json", "\"sha256\":\"", true),
        ("cache/zero-shot-classifier/.*/manifest.json", "\"file\":\"", true),
        ("cache/emoji-scenes/.*/shards/000000.*safetensors", nil, true),
        ("cache/ablation-predictions/.*/shards/000000.*(safetensors|[0-9].json)", nil, true),
        ("cache/ablation-predictions/.*/shards/000001.manifest.json", "\"sha256\":\"", true),
        ("cache/inputs/.*json", nil, false),
    ]

    @Test func aFlippedByteInAnyCachedFileIsFound() throws {
        let run = try Self.withShards()
        defer { run.remove() }
        let all = try FileManager.default.subpathsOfDirectory(atPath: run.results.path).sorted()
        var warned: [String] = []
        for (pattern, place, isWarned) in Self.files {
            let regex = try Regex(pattern)
            // What was found out about inputs is kept only when they are not brand-new.
            guard let path = all.first(where: { $0.wholeMatch(of: regex) != nil }) else {
                #expect(!isWarned, "no file is \(pattern)")
                continue
            }
            let url = run.results.appendingPathComponent(path)
            let data = try Data(contentsOf: url)
            let position = try place.map { try #require(data.range(of: Data($0.utf8))).upperBound } ?? data.count / 2
            try Self.flip(url, at: position)
            Tally.shared.count(\.mutations)
            // A damaged manifest and the file that it names are one.
            let shard = path.contains("/shards/") ? String(url.lastPathComponent.prefix(6)) : ""
            if isWarned { warned.append((path as NSString).deletingLastPathComponent + "/" + shard) }
        }
        let mended = try run.run()
        #expect(mended.status == 0, "\(mended.errors)")
        let warnings = mended.errors.components(separatedBy: "\n").filter { $0.contains("was damaged") }
        for path in warned { #expect(warnings.count { $0.contains(path) } == 1, "\(path): \(warnings)") }
        #expect(warnings.count == warned.count, "\(warnings)")
        try run.finish(after: [])
    }

    /// Any byte of any cached file. A manifest also holds what no number depends on, such as the seconds a step took.
    @Test func anyFlippedByteLeavesTheRows() throws {
        try Self.flipAnyBytes(seed: Torture.seed, count: 12)
    }

    static func flipAnyBytes(seed: UInt64, count: Int) throws {
        let run = try FaultRun(after: FaultRun.undisturbed.get().run)
        defer { run.remove() }
        print("flipped bytes, seed \(seed)")
        var generator = SplitMix64(seed: seed)
        let paths = try FileManager.default.subpathsOfDirectory(atPath: run.results.path).sorted()
            .filter { $0.hasPrefix("cache/") && ($0.hasSuffix(".json") || $0.hasSuffix(".safetensors")) }
        var flipped: [String] = []
        var spoilt = Set<String>()
        for _ in 0..<count {
            guard let path = paths.randomElement(using: &generator) else { continue }
            let url = run.results.appendingPathComponent(path)
            let size = try Data(contentsOf: url).count
            let position = Int.random(in: 0..<size, using: &generator)
            try flip(url, at: position, bit: 1 << UInt8.random(in: 0..<8, using: &generator))
            flipped.append("\(path) at \(position)")
            spoilt.insert(path)
            Tally.shared.count(\.mutations)
        }
        let mended = try run.run()
        #expect(mended.status == 0, "\(flipped): \(mended.errors)")
        try run.finish(after: [], "\(flipped)", except: spoilt)
    }

    // MARK: Database

    /// Results with rows, and an older database that a test may spoil.
    static func refused(
        _ spoil: (FaultRun) throws -> Void, status: Int32 = 65, words: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let run = try FaultRun(after: FaultRun.undisturbed.get().run)
        defer { run.remove() }
        try FileManager.default.removeItem(at: run.results.appendingPathComponent("cache/overlap"))
        try spoil(run)
        let before = try Data(contentsOf: run.database)
        let outcome = try run.run()
        #expect(
            outcome.status == status && outcome.text == "", "\(outcome.status) \(outcome.text)\(outcome.errors)",
            sourceLocation: sourceLocation)
        for word in words + ["results.sqlite", "fix: "] {
            #expect(outcome.errors.contains(word), "\(outcome.errors)", sourceLocation: sourceLocation)
        }
        #expect(outcome.committed == [], "it was refused after work", sourceLocation: sourceLocation)
        #expect(try Data(contentsOf: run.database) == before, "the file was touched", sourceLocation: sourceLocation)

        // The fix that the message names, word by word.
        try FileManager.default.moveItem(at: run.database, to: run.folder.appendingPathComponent("moved.sqlite"))
        try run.finish(after: [], sourceLocation: sourceLocation)
    }

    @Test func aNewerDatabaseIsRefusedBeforeWork() throws {
        try Self.refused(
            { run in
                var data = try Data(contentsOf: run.database)
                data.replaceSubrange(60..<64, with: [0, 0, 0, 99])  // user_version, big-endian
                try data.write(to: run.database)
            }, words: ["newer clip-lens", "99"])
    }

    @Test(arguments: [[0xFF, 0xFF, 0xFF, 0xFD], [0, 0, 0, 0], [0, 0, 0, 1]] as [[UInt8]])
    func aVersionThatIsNotThatOfTheTablesIsRefusedBeforeWork(version: [UInt8]) throws {
        try Self.refused(
            { run in
                var data = try Data(contentsOf: run.database)
                data.replaceSubrange(60..<64, with: version)
                try data.write(to: run.database)
            }, words: ["damaged", "version", "move the file away"])
    }

    @Test func aStrangersTriggerIsRefusedBeforeWork() throws {
        try Self.refused(
            { run in
                try DatabaseQueue(path: run.database.path).write {
                    try $0.execute(sql: "CREATE TRIGGER spy AFTER INSERT ON run BEGIN DELETE FROM metric; END")
                }
            }, words: ["damaged", "trigger 'spy'"])
    }

    @Test func aForeignFileIsRefusedBeforeWork() throws {
        try Self.refused({ try Data("a table\n".utf8).write(to: $0.database) }, words: ["not a results database"])
        for name in ["results.sqlite", "results-snapshot.sqlite"] {
            // The copy is not in WAL mode, to which nobody may change it.
            try Self.refused(
                { run in
                    var data = try Data(contentsOf: run.results.appendingPathComponent(name))
                    data.replaceSubrange(68..<72, with: [0, 0, 0, 1])  // application_id
                    try data.write(to: run.database)
                }, words: ["not a results database"])
        }
    }

    @Test(arguments: [0.25, 0.5, 0.9]) func aTruncatedDatabaseIsRefusedBeforeWork(part: Double) throws {
        try Self.refused(
            { run in
                let data = try Data(contentsOf: run.database)
                try data.prefix(Int(Double(data.count) * part)).write(to: run.database)
            }, words: ["damaged"])
    }

    @Test func aDatabaseOfNoBytesIsANewOne() throws {
        let run = try FaultRun(after: FaultRun.undisturbed.get().run)
        defer { run.remove() }
        try Data().write(to: run.database)
        try run.finish(after: [])
    }

    /// A byte of the tables: refused with what to do, or of no account.
    @Test func aFlippedByteInTheDatabaseIsNeverBelieved() throws {
        try Self.flipDatabase(seed: Torture.seed, count: 8)
    }

    static func flipDatabase(seed: UInt64, count: Int) throws {
        let reference = try FaultRun.undisturbed.get()
        var generator = SplitMix64(seed: seed)
        print("flipped bytes of the database, seed \(seed)")
        for _ in 0..<count {
            let run = try FaultRun(after: reference.run)
            defer { run.remove() }
            let size = try Data(contentsOf: run.database).count
            let position = Int.random(in: 0..<size, using: &generator)
            try flip(run.database, at: position, bit: 1 << UInt8.random(in: 0..<8, using: &generator))
            Tally.shared.count(\.mutations)
            try expectNoBelief(run, "byte \(position) of \(size)")
        }
    }

    /// What a damaged database may lead to: the right rows, or a refusal that says what to do.
    static func expectNoBelief(_ run: FaultRun, _ what: String) throws {
        let reference = try FaultRun.undisturbed.get()
        do {
            let database = try ResultsDatabase(readingFrom: run.database)
            if let stored = try database.latestRun(of: "mean-ablation") {
                #expect(try database.metrics(of: stored) == reference.rows.metrics, "\(what): believed")
                #expect(try database.predictions(of: stored) == reference.rows.predictions, "\(what): believed")
            }
        } catch is ResultsError {
            // Refused.
        }
        let compared = try RunnerProcess.run(["compare", reference.run.database.path, run.database.path])
        #expect(
            [2, 65, 66].contains(compared.status),
            "\(what): compare \(compared.status) \(compared.text)\(compared.errors)")
        let outcome = try run.run()
        guard outcome.status != 0 else {
            #expect(outcome.tables == reference.outcome.tables, "\(what)")
            #expect(try run.rows() == reference.rows, "\(what): other rows")
            return
        }
        #expect(outcome.status == 65, "\(what): \(outcome.status) \(outcome.errors)")
        #expect(
            outcome.errors.contains("results.sqlite") && outcome.errors.contains("move the file away"),
            "\(what): \(outcome.errors)")
        for name in ["results.sqlite", "results.sqlite-wal", "results.sqlite-shm"] {
            try? FileManager.default.removeItem(at: run.results.appendingPathComponent(name))
        }
        try run.finish(after: [], what)
    }

    /// The journal that a killed run leaves: what its checksums do not cover is as if it had not been written.
    @Test func aFlippedByteInTheJournalIsNeverBelieved() throws {
        let run = try FaultRun(after: FaultRun.undisturbed.get().run)
        defer { run.remove() }
        for name in ["results.sqlite", "results-snapshot.sqlite"] {
            try FileManager.default.removeItem(at: run.results.appendingPathComponent(name))
        }
        // When all rows are committed, and none of them is in the main file.
        let killed = try #require(try KillTests.kill(run, Fault(kind: .kill, at: 1, only: "results-snapshot")))
        let journal = run.results.appendingPathComponent("results.sqlite-wal")
        let size = try Data(contentsOf: journal).count
        #expect(size > 100_000)
        for part in [0.1, 0.5, 0.95] {
            let copy = try FaultRun(after: run)
            defer { copy.remove() }
            try Self.flip(copy.results.appendingPathComponent("results.sqlite-wal"), at: Int(Double(size) * part))
            Tally.shared.count(\.mutations)
            try Self.expectNoBelief(copy, "journal at \(part)")
        }
        try run.finish(after: [killed])
    }
}
