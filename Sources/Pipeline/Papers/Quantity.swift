/// A number made of metrics, which a claim is about:
///
/// ```yaml
/// {metric: accuracy, of: {condition: baseline}}
/// {difference: [Q, Q]}                                # the first less the second
/// {largest: Q, over: layer}                           # or smallest: over all values of a column,
/// {largest: Q, over: layer, among: last-half}         # those of one half of them, numbers ascending,
/// {smallest: Q, over: method, except: [second-order]} # or all but some
/// ```
///
/// `any` in `of:` stands for the value of a column that `over:` or a test's `every:` or `most:` goes through.
public indirect enum Quantity: Sendable, Hashable {
    /// A metric by its name and subject; `any` for a column that is gone through.
    case metric(String, Subject)
    case difference(Quantity, Quantity)
    case extreme(Extreme, over: Range, of: Quantity)

    /// The largest or the smallest of several quantities.
    public enum Extreme: String, Sendable, CaseIterable {
        case largest, smallest

        public var opposite: Extreme { self == .largest ? .smallest : .largest }
    }

    /// The values of a column that are gone through.
    public struct Range: Sendable, Hashable {
        /// All values of a column, or one half of them in ascending order; what stands in the middle belongs to the first.
        public enum Part: String, Sendable, CaseIterable {
            case all
            case firstHalf = "first-half"
            case lastHalf = "last-half"
        }

        public var column: String
        public var part: Part
        public var except: [String]
    }

    /// What stands for the value of a column that is gone through.
    public static let any = "any"

    enum Key: String, CaseIterable {
        case metric, of, difference, largest, smallest, over, among, except
    }

    /// - Parameter bound: columns that are gone through around it.
    /// A fault is also an `any` of a column that nothing goes through, and a column that is gone through in vain.
    init(_ mapping: SpecMapping<Key>, bound: Set<String>) {
        let kinds = [Key.metric, .difference, .largest, .smallest].filter(mapping.has)
        mapping.check(
            .metric, holds: kinds.count == 1, "a quantity is one of 'metric', 'difference', 'largest' and 'smallest'")
        guard let kind = kinds.first else {
            self = .metric("", Subject([]))
            return
        }
        let allowed: [Key] =
            switch kind {
            case .metric: [.metric, .of]
            case .difference: [.difference]
            default: [kind, .over, .among, .except]
            }
        for other in Key.allCases where !kinds.contains(other) && !allowed.contains(other) && mapping.has(other) {
            mapping.fault(other, "'\(kind.rawValue)' has no such key")
        }
        switch kind {
        case .metric:
            let columns = mapping.has(.of) ? mapping.texts(.of) : []
            for (column, value) in columns where value == Self.any && !bound.contains(column) {
                mapping.fault(.of, "nothing goes through the column '\(column)'; name it in 'over', 'every' or 'most'")
            }
            self = .metric(mapping.string(.metric), Subject(columns.map { .init($0, $1) }))
        case .difference:
            let parts = mapping.mappings(.difference, keys: Key.self).map { Quantity($0, bound: bound) }
            mapping.check(
                .difference, holds: parts.count == 2, "a difference has two quantities, here are \(parts.count)")
            self = parts.count == 2 ? .difference(parts[0], parts[1]) : .metric("", Subject([]))
        default:
            let range = Range(
                column: mapping.string(.over), part: mapping.choice(.among, default: .all),
                except: mapping.strings(.except, default: []))
            let inner = Quantity(mapping.mapping(kind, keys: Key.self), bound: bound.union([range.column]))
            mapping.check(
                .over, with: kind, holds: inner.goesThrough(range.column),
                "no metric has 'any' in the column '\(range.column)'")
            self = .extreme(kind == .largest ? .largest : .smallest, over: range, of: inner)
        }
    }

    /// Whether a metric in it has the value of a column that is gone through around it.
    public func goesThrough(_ column: String) -> Bool {
        switch self {
        case .metric(_, let subject): subject[column] == Self.any
        case .difference(let first, let second): first.goesThrough(column) || second.goesThrough(column)
        case .extreme(_, let range, let inner): range.column != column && inner.goesThrough(column)
        }
    }

    /// The quantity with the value of a column put in its place.
    public func with(_ column: String, _ value: String) -> Quantity {
        switch self {
        case .metric(let name, let subject):
            .metric(
                name,
                Subject(subject.columns.map { $0.name == column && $0.value == Self.any ? .init(column, value) : $0 }))
        case .difference(let first, let second): .difference(first.with(column, value), second.with(column, value))
        case .extreme(let extreme, let range, let inner):
            range.column == column ? self : .extreme(extreme, over: range, of: inner.with(column, value))
        }
    }

    /// The quantity with columns added to every metric: a setting among several.
    public func adding(_ columns: [Subject.Column]) -> Quantity {
        switch self {
        case .metric(let name, let subject): .metric(name, Subject(subject.columns + columns))
        case .difference(let first, let second): .difference(first.adding(columns), second.adding(columns))
        case .extreme(let extreme, let range, let inner): .extreme(extreme, over: range, of: inner.adding(columns))
        }
    }

    /// Every metric in it.
    public var metrics: [(name: String, subject: Subject)] {
        switch self {
        case .metric(let name, let subject): [(name, subject)]
        case .difference(let first, let second): first.metrics + second.metrics
        case .extreme(_, _, let inner): inner.metrics
        }
    }
}
