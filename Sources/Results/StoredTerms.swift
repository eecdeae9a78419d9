import GRDB
import Pipeline

/// Reads what images add to the metrics of a run.
enum StoredTerms {
    /// By the metrics' numbers.
    /// - Throws: ``ResultsError/unreadableRow(path:table:column:)``.
    static func fetch(of run: Int64, path: String, _ db: Database) throws -> [Int64: ImageTerms] {
        var result: [Int64: ImageTerms] = [:]
        var current: (metric: Int64, terms: Collected)?
        func finish() {
            if let (metric, terms) = current { result[metric] = terms.made }
        }
        // A million rows are usual: by position, not by name.
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT term.metric, image.name, term.part, term.numerator, term.denominator
                FROM metric JOIN term ON term.metric = metric.id JOIN image ON image.id = term.image
                WHERE metric.run = ? ORDER BY term.metric
                """, arguments: [run])
        while let row = try rows.next() {
            // What a row's subscript cannot read as it is asked to ends the process.
            func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ index: Int) throws -> Value {
                do {
                    return try row.decode(atIndex: index)
                } catch is RowDecodingError {
                    throw ResultsError.unreadableRow(path: path, table: "term", column: Array(row.columnNames)[index])
                }
            }
            let metric: Int64 = try value(0)
            if current?.metric != metric {
                finish()
                current = (metric, Collected())
            }
            current?.terms.add(image: try value(1), part: try value(2), try value(3), try value(4))
        }
        finish()
        return result
    }

    /// The terms of one metric so far.
    private struct Collected {
        private var images = Names()
        private var parts = Names()
        private var terms: [ImageTerms.Term] = []

        mutating func add(image: String, part: String, _ numerator: Double, _ denominator: Double) {
            terms.append(
                .init(
                    image: images.index(of: image), part: parts.index(of: part), numerator: numerator,
                    denominator: denominator))
        }

        var made: ImageTerms? { ImageTerms(images: images.names, parts: parts.names, terms) }
    }

    private struct Names {
        private(set) var names: [String] = []
        private var indices: [String: Int] = [:]

        mutating func index(of name: String) -> Int {
            if let index = indices[name] { return index }
            indices[name] = names.count
            names.append(name)
            return names.count - 1
        }
    }
}
