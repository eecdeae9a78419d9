import Foundation

/// A paper whose numbers and claims are reproduced, as a file of `experiments/papers` has it:
///
/// ```yaml
/// short: 2nd order                      # what tables call it
/// reference: arXiv 2406.04341 (ICLR 2025)
/// values:
///   - table: Table 1
///     decimals: 1                       # printed, of a percentage
///     settings: {model: openai-vit-b-32, layer: 9}
///     numbers:
///       - {row: indirect, column: accuracy, value: 52.3}
/// claims:                               # see Claim
/// ```
public struct Paper: Sendable {
    /// What tables of results call the paper.
    public let short: String
    /// Where it can be read.
    public let reference: String
    /// The tables of which numbers are known.
    public let tables: [PaperTable]
    /// What it claims, in the order of the file.
    public let claims: [Claim]

    private enum Key: String, CaseIterable {
        case short, reference, values, claims
    }

    /// - Throws: `SpecError`, also for a table, a number or a claim that stands twice.
    public init(_ document: SpecDocument) throws(SpecError) { self = try document.read(Paper.init) }

    private init(_ reader: SpecReader) {
        let root = reader.root(keys: Key.self)
        (short, reference) = (root.string(.short), root.string(.reference))
        let reference = reference
        tables =
            root.has(.values) ? root.mappings(.values, keys: PaperTable.Key.self).map { PaperTable($0, reference) } : []
        claims = root.has(.claims) ? root.mappings(.claims, keys: Claim.Key.self).map { Claim($0) } : []
        for (key, names) in [(Key.values, tables.map(\.name)), (.claims, claims.map(\.name))] {
            let twice = names.firstDuplicate
            root.check(key, holds: twice == nil, "'\(twice ?? "")' stands twice")
        }
    }
}

/// A table of a paper: the numbers that it prints, and all that decides them.
public struct PaperTable: Sendable {
    /// Such as `Table 1`.
    public let name: String
    private let numbers: [Place: PaperNumber]

    private struct Place: Hashable {
        let row, column: String
    }

    enum Key: String, CaseIterable {
        case table, decimals, settings, numbers
    }

    private enum NumberKey: String, CaseIterable {
        case row, column, value, settings
    }

    init(_ mapping: SpecMapping<Key>, _ reference: String) {
        name = mapping.string(.table)
        let table = name
        let decimals = mapping.integer(.decimals, in: 0...6)
        let settings = Dictionary(uniqueKeysWithValues: mapping.texts(.settings))
        var numbers: [Place: PaperNumber] = [:]
        for entry in mapping.mappings(.numbers, keys: NumberKey.self) {
            let place = Place(row: entry.string(.row), column: entry.string(.column))
            let own = entry.has(.settings) ? entry.texts(.settings) : []
            // Dividing a whole number gives the nearest double.
            let unit = pow(10, Double(decimals + 2))
            let number = PaperNumber(
                value: Metric.PaperValue(
                    (entry.double(.value) * pow(10, Double(decimals))).rounded() / unit,
                    source: "\(reference), \(table), row '\(place.row)', \(place.column)", halfUnit: 0.5 / unit),
                settings: settings.merging(own) { $1 })
            let earlier = numbers.updateValue(number, forKey: place)
            entry.check(
                .row, with: .column, holds: earlier == nil,
                "'\(place.row)', \(place.column) stands twice in \(table)")
        }
        self.numbers = numbers
    }

    /// Nil for what the paper does not print.
    public subscript(row: String, column: String) -> PaperNumber? { numbers[Place(row: row, column: column)] }

    /// The rows that have numbers, sorted.
    public var rows: [String] { Set(numbers.keys.map(\.row)).sorted() }
}

/// A number that a paper prints, and what it holds for.
public struct PaperNumber: Sendable, Equatable {
    public let value: Metric.PaperValue
    /// All that decides it, by name.
    public let settings: [String: String]

    /// The settings that are not the same elsewhere, sorted; also those that only one side has, because what is not
    /// stated cannot be known to be the same. A number may be set beside the paper's only where there are none.
    public func differences(from others: [String: String]) -> [String] {
        Set(settings.keys).union(others.keys).filter { settings[$0] != others[$0] }.sorted()
    }
}

/// All papers.
public struct Papers: Sendable {
    public let papers: [Paper]

    public init(_ papers: [Paper] = []) { self.papers = papers }

    /// The files `*.yaml` of a folder, in the order of their names; none where there is no such folder.
    /// - Throws: `SpecError`.
    public init(in folder: URL) throws(SpecError) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        papers = try SpecError.collected(names.filter { $0.hasSuffix(".yaml") }.sorted()) { name throws(SpecError) in
            try Paper(SpecDocument(contentsOf: folder.appendingPathComponent(name)))
        }
    }

    /// - Parameter short: what tables call the paper.
    public func table(_ short: String, _ name: String) -> PaperTable? {
        papers.first { $0.short == short }?.tables.first { $0.name == name }
    }
}

extension Array where Element: Hashable {
    /// The first element that stood before.
    var firstDuplicate: Element? {
        var seen: Set<Element> = []
        return first { !seen.insert($0).inserted }
    }
}
