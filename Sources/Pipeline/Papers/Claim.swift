/// A claim of a paper and what decides it, in any world:
///
/// ```yaml
/// - name: one-direction
///   claim: one direction keeps a layer's effects
///   place: section 4.2
///   experiment: mean-ablation
///   tests:                             # all have to hold
///     - every: layer                   # or most:; left out: one quantity alone
///       quantity: {difference: [{metric: accuracy, of: {condition: baseline}}, {metric: accuracy, of: {layer: any, …}}]}
///       at-most: 0.02                  # or at-least, above, below
///       reads: "{value} points lost, layer {item}; bound {bound}"
///   settings:                          # left out: one, without a name
///     - {called: with its own sentences, of: {sentences: own}}
///   but: {…}                           # a test that, where it holds too, qualifies a claim that holds
/// ```
///
/// A test holds where the interval of its quantity lies on the right side of the bound, fails where it lies on the other
/// side, and is undecided where it spans the bound. Of `every` value of a column and of `most` of them the intervals hold
/// together with 95 % (Bonferroni).
public struct Claim: Sendable {
    public let name: String
    /// The claim in words.
    public let words: String
    /// Where the paper makes it.
    public let place: String
    public let experiment: String
    /// What has to hold, all of it.
    public let tests: [Test]
    /// Ways in which the experiment measured the same, at least one.
    public let settings: [Setting]
    /// A test that qualifies a claim that holds, where it holds too.
    public let caveat: Test?

    /// One of several ways in which the experiment measured the same.
    public struct Setting: Sendable {
        /// What a reason calls it; empty for the only one.
        public let words: String
        /// Columns that the subjects of all metrics have besides in this setting.
        public let columns: [Subject.Column]
    }

    /// A quantity and the bound that decides it.
    public struct Test: Sendable {
        /// For how many values of a column a test has to hold.
        public enum Quantifier: String, Sendable {
            case every, most
        }

        public let quantity: Quantity
        /// Nil for one quantity alone.
        public let quantifier: (Quantifier, over: Quantity.Range)?
        public let bound: Bound
        /// Words with `{value}`, `{bound}` and `{item}`; `{count}` and `{of}` for `most`.
        public let reads: String
    }

    /// On which side of a number a quantity has to lie.
    public enum Bound: Sendable, Hashable {
        case above(Double), below(Double), atLeast(Double), atMost(Double)

        public var number: Double {
            switch self {
            case .above(let number), .below(let number), .atLeast(let number), .atMost(let number): number
            }
        }

        /// Whether larger numbers are on the right side.
        public var isLower: Bool {
            switch self {
            case .above, .atLeast: true
            case .below, .atMost: false
            }
        }

        public func admits(_ value: Double) -> Bool {
            switch self {
            case .above(let number): value > number
            case .below(let number): value < number
            case .atLeast(let number): value >= number
            case .atMost(let number): value <= number
            }
        }
    }

    enum Key: String, CaseIterable {
        case name, claim, place, experiment, tests, settings, but
    }

    private enum SettingKey: String, CaseIterable {
        case called, of
    }

    init(_ mapping: SpecMapping<Key>) {
        (name, words) = (mapping.string(.name), mapping.string(.claim))
        (place, experiment) = (mapping.string(.place), mapping.string(.experiment))
        tests = mapping.mappings(.tests, keys: Test.Key.self).map { Test($0) }
        settings =
            mapping.has(.settings)
            ? mapping.mappings(.settings, keys: SettingKey.self).map {
                Setting(
                    words: $0.string(.called),
                    columns: $0.has(.of) ? $0.texts(.of).map { Subject.Column($0, $1) } : [])
            } : [Setting(words: "", columns: [])]
        caveat = mapping.optionalMapping(.but, keys: Test.Key.self).map { Test($0) }
    }
}

extension Claim.Test {
    enum Key: String, CaseIterable {
        case every, most, except, quantity, above, below, reads
        case atLeast = "at-least"
        case atMost = "at-most"
    }

    init(_ mapping: SpecMapping<Key>) {
        let columns = [Key.every, .most].filter(mapping.has)
        mapping.check(.every, holds: columns.count < 2, "a test goes through one column: 'every' or 'most'")
        quantifier = columns.first.map { key in
            (
                key == .every ? .every : .most,
                Quantity.Range(
                    column: mapping.string(key), part: .all, except: mapping.strings(.except, default: []))
            )
        }
        mapping.check(
            .except, holds: quantifier != nil || !mapping.has(.except), "only 'every' and 'most' leave something out")
        quantity = Quantity(
            mapping.mapping(.quantity, keys: Quantity.Key.self), bound: Set(quantifier.map { [$0.over.column] } ?? []))
        if let column = quantifier?.over.column {
            mapping.check(
                .quantity, holds: quantity.goesThrough(column), "no metric has 'any' in the column '\(column)'")
        }
        let bounds = [Key.above, .below, .atLeast, .atMost].filter(mapping.has)
        mapping.check(
            .quantity, holds: bounds.count == 1, "a test has one of 'above', 'below', 'at-least' and 'at-most'")
        let key = bounds.first ?? .above
        let number = bounds.isEmpty ? 0 : mapping.double(key)
        bound =
            switch key {
            case .below: .below(number)
            case .atLeast: .atLeast(number)
            case .atMost: .atMost(number)
            default: .above(number)
            }
        reads = mapping.string(.reads)
    }
}
