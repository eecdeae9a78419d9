import Foundation
import Pipeline

/// Everything behind one number of a table: its row, the run that made it, the steps, and the images.
public struct NumberTrace: Sendable {
    public let place: NumberPlace
    public let metric: Metric
    public let run: StoredRun
    public let steps: [StoredStep]
    public let images: Images

    public enum Images: Sendable {
        /// An accuracy: right or wrong for each image, by name.
        case answers([(prediction: Prediction, isRight: Bool)])
        /// What each image adds.
        case terms(ImageTerms)
        /// The number is of neurons or of a ranking of all images, or an earlier program did not store its images.
        case none
    }

    /// - Returns: nil where the cell holds words, or names a number that the run does not have.
    /// - Throws: `ResultsError`.
    public init?(_ place: NumberPlace, in run: StoredRun, of database: ResultsDatabase) throws {
        guard case .metric(let name, let subject, _) = place.cell,
            let metric = try database.metrics(of: run, withTerms: true).first(where: {
                $0.name == name && Set($0.subject.columns) == Set(subject.columns)
            })
        else { return nil }
        self.place = place
        self.metric = metric
        self.run = run
        steps = try database.steps(of: run.rowsRun ?? run.id)
        for set in try database.predictions(of: run) {
            guard let answers = set.answers(behind: metric) else { continue }
            images = .answers(set.predictions.map { ($0, answers[$0.imageID] ?? false) })
            return
        }
        images = metric.terms.map(Images.terms) ?? .none
    }
}

/// Where a printed number stands: a table, its row and its column, by the words that a reader sees there.
public struct NumberPlace: Sendable {
    public let layout: TableLayout
    public let row: TableLayout.Row
    public let column: TableLayout.Column
    public let cell: TableLayout.Cell

    /// A part of a place that the words for it do not find.
    public enum Part: String, Sendable, Equatable {
        case table, row, column
    }

    public enum LookupError: Error, Equatable, Sendable {
        /// - `candidates`: those that there are; the several ones that the words could mean, if there are such.
        case notFound(Part, String, candidates: [String], nearest: String?)
        case ambiguous(Part, String, candidates: [String])
    }

    /// Finds a place by the headers, or by what stands in one of them only.
    /// - Parameters:
    ///   - table: a title, or a part of one.
    ///   - column: a header, a header with its group before it (`mIoU: paper`), or a part of them.
    /// - Throws: ``LookupError``.
    public init(table: String, row: String, column: String, among layouts: [TableLayout]) throws {
        layout = try Self.find(.table, table, in: layouts) { $0.title }
        self.row = try Self.find(.row, row, in: layout.rows) { $0.header }
        let index = try Self.find(.column, column, in: Array(layout.columns.indices)) { [layout] in
            Self.name(layout.columns[$0])
        }
        self.column = layout.columns[index]
        // A row may have fewer cells than the table has columns.
        cell = self.row.cells.indices.contains(index) ? self.row.cells[index] : .text("")
    }

    public static func name(_ column: TableLayout.Column) -> String {
        column.group.map { "\($0): \(column.header)" } ?? column.header
    }

    private static func find<Item>(_ part: Part, _ words: String, in items: [Item], _ name: (Item) -> String) throws
        -> Item
    {
        let sought = words.lowercased()
        let rules: [(String) -> Bool] = [
            { $0 == sought }, { $0.hasPrefix(sought) }, { $0.hasSuffix(sought) }, { $0.contains(sought) },
        ]
        for rule in rules {
            let found = items.filter { rule(name($0).lowercased()) }
            if let first = found.first, found.count == 1 { return first }
            if !found.isEmpty { throw LookupError.ambiguous(part, words, candidates: found.map(name)) }
        }
        let names = items.map(name)
        throw LookupError.notFound(part, words, candidates: names, nearest: nearestName(to: words, among: names))
    }
}
