import Foundation
import Foundations
import Pipeline

/// The latest run with rows of one experiment and spec, with all that a report shows of it.
struct ReportedRun {
    let name: ComparedRun.Name
    let run: StoredRun
    /// The run that gave the rows first: the same, or an earlier one.
    let source: StoredRun
    let steps: [ReportedStep]
    let metrics: [Metric]
    let layouts: [TableLayout]
    let claims: [ClaimVerdict]
    let attachments: [AttachedFile]
    /// Work of all steps behind the numbers, whenever and by whichever run it was done.
    var seconds: Double { steps.reduce(0) { $0 + $1.seconds } }
    /// A later run of the same that gave no rows: one that failed, was interrupted, died or goes on.
    let later: StoredRun?
}

/// A step behind the numbers of a run, with the work that it took when it was computed.
struct ReportedStep {
    let step: StoredStep
    /// The run that computed it, of any experiment; nil where the database does not know.
    let computedBy: Int64?
    let seconds: Double
}

/// A run that gave no rows, of an experiment of which no run did.
struct FruitlessRun {
    let name: ComparedRun.Name
    let run: StoredRun
}

/// The file of an attachment, as it is now.
struct AttachedFile {
    enum Content {
        case intact(Data)
        /// There is no such file in the folder.
        case missing
        /// Its bytes are not those that the run left.
        case changed
        /// It was not read: more than a page may hold.
        case tooLarge
    }

    let name: String
    let file: String
    let content: Content

    /// More than this no page may hold.
    private static let largest = 64 << 20

    init(_ stored: StoredAttachment, in folder: URL) {
        (name, file) = (stored.name, stored.file)
        content = Self.read(stored, in: folder)
    }

    private static func read(_ stored: StoredAttachment, in folder: URL) -> Content {
        // A database may come from anybody, and may name only files beside it.
        let isPlain =
            !stored.file.isEmpty && !stored.file.contains("/") && !stored.file.hasPrefix(".")
            && !stored.file.contains("\0")
        let url = folder.appendingPathComponent(stored.file)
        guard isPlain, let values = try? url.resourceValues(forKeys: [.isRegularFileKey, .fileSizeKey]),
            values.isRegularFile == true, let size = values.fileSize
        else { return .missing }
        guard size <= largest else { return .tooLarge }
        guard let data = try? RegularFile.contents(of: url.path, limit: 1 << 30) else { return .missing }
        return Digest.sha256(of: data) == stored.sha256 ? .intact(data) : .changed
    }
}

extension ResultsDatabase {
    /// The latest run with rows of each experiment and spec, in the order in which their rows were first made, and the
    /// runs of those that never gave any.
    /// - Parameters:
    ///   - folder: where the attachments are.
    ///   - wants: which attachments are read, by name.
    /// - Throws: `ResultsError`.
    func reportedRuns(in folder: URL, reading wants: (String) -> Bool) throws -> (
        runs: [ReportedRun], fruitless: [FruitlessRun]
    ) {
        let (runs, computed) = (try runs(), try computedSteps())
        var (found, fruitless): ([ReportedRun], [FruitlessRun]) = ([], [])
        for (name, group) in Dictionary(grouping: runs, by: ComparedRun.name(of:)) {
            guard let latest = group.first else { continue }
            guard let run = group.first(where: { $0.rowsRun != nil }), let rows = run.rowsRun else {
                fruitless.append(FruitlessRun(name: name, run: latest))
                continue
            }
            let own = try steps(of: run.id)
            let steps = (own.isEmpty ? try steps(of: rows) : own).map { step in
                let work =
                    step.status == .computed
                    ? (run: own.isEmpty ? rows : run.id, seconds: step.seconds) : computed[step.key]
                return ReportedStep(step: step, computedBy: work?.run, seconds: work?.seconds ?? step.seconds)
            }
            found.append(
                ReportedRun(
                    name: name, run: run, source: runs.first { $0.id == rows } ?? run, steps: steps,
                    metrics: try metrics(of: run), layouts: try layouts(of: run), claims: try claims(of: run),
                    attachments: try attachments(of: run).filter { wants($0.name) }.map {
                        AttachedFile($0, in: folder)
                    },
                    later: latest.id == run.id ? nil : latest.rowsRun == nil ? latest : nil))
        }
        return (
            found.sorted { ($0.source.id, $0.run.id) < ($1.source.id, $1.run.id) },
            fruitless.sorted { $0.name < $1.name }
        )
    }
}
