import Foundation

// Readers of single values. Each throws `SpecError`; `default` makes the key optional.

extension SpecMapping {
    public func string(_ key: Key) throws -> String {
        try string(node(key), key)
    }

    /// A text that has to be one of some names.
    /// - Parameter areListed: whether the error may list them; not where they stand in a file, which may be anybody's.
    public func string(_ key: Key, among choices: [String], areListed: Bool = true) throws -> String {
        let text = try string(key)
        guard choices.contains(text) else {
            throw failure(
                try node(key),
                .unknownChoice(
                    key: name(of: key), value: text, suggestion: nearestName(to: text, among: choices),
                    choices: areListed ? choices : []))
        }
        return text
    }

    /// One of some names, or a path, which has a slash and begins at the spec's folder where it is not absolute.
    public func nameOrFile(_ key: Key, among choices: [String]) throws -> NameOrFile {
        let text = try string(key)
        if text.contains("/") { return .file(try file(key)) }
        guard choices.contains(text) else {
            throw failure(
                try node(key),
                .neitherNameNorPath(
                    key: name(of: key), value: text, suggestion: nearestName(to: text, among: choices), choices: choices
                ))
        }
        return .name(text)
    }

    public func string(_ key: Key, default value: String) throws -> String {
        try optionalString(key) ?? value
    }

    public func optionalString(_ key: Key) throws -> String? {
        try optionalNode(key).map { try string($0, key) }
    }

    public func integer(_ key: Key, in range: ClosedRange<Int> = Int.min...Int.max) throws -> Int {
        try integer(node(key), key, range)
    }

    public func integer(
        _ key: Key, in range: ClosedRange<Int> = Int.min...Int.max, default value: Int
    ) throws -> Int {
        try optionalInteger(key, in: range) ?? value
    }

    public func optionalInteger(
        _ key: Key, in range: ClosedRange<Int> = Int.min...Int.max
    ) throws -> Int? {
        try optionalNode(key).map { try integer($0, key, range) }
    }

    public func double(
        _ key: Key, in range: ClosedRange<Double> = -Double.infinity...Double.infinity
    ) throws -> Double {
        try double(node(key), key, range)
    }

    public func double(
        _ key: Key, in range: ClosedRange<Double> = -Double.infinity...Double.infinity,
        default value: Double
    ) throws -> Double {
        try optionalDouble(key, in: range) ?? value
    }

    public func optionalDouble(
        _ key: Key, in range: ClosedRange<Double> = -Double.infinity...Double.infinity
    ) throws -> Double? {
        try optionalNode(key).map { try double($0, key, range) }
    }

    public func bool(_ key: Key) throws -> Bool {
        try bool(node(key), key)
    }

    public func bool(_ key: Key, default value: Bool) throws -> Bool {
        try optionalNode(key).map { try bool($0, key) } ?? value
    }

    /// One of the cases of an enumeration, by its raw value.
    public func choice<Choice>(_ key: Key, of type: Choice.Type = Choice.self) throws -> Choice
    where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
        try choice(node(key), key)
    }

    public func choice<Choice>(_ key: Key, default value: Choice) throws -> Choice
    where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
        try optionalNode(key).map { try choice($0, key) } ?? value
    }

    public func mapping<Nested>(_ key: Key, keys: Nested.Type) throws -> SpecMapping<Nested> {
        try SpecMapping<Nested>(node(key), name: name(of: key), of: document)
    }

    public func optionalMapping<Nested>(
        _ key: Key, keys: Nested.Type
    ) throws -> SpecMapping<Nested>? {
        try optionalNode(key).map {
            try SpecMapping<Nested>($0, name: name(of: key), of: document)
        }
    }
}

/// What stands for something that has a name, or lies anywhere.
public enum NameOrFile: Equatable, Sendable {
    case name(String)
    case file(URL)
}

// MARK: - One node

extension SpecMapping {
    func string(_ node: SpecNode, _ key: Key) throws -> String {
        guard case .scalar(let text, let isPlain) = node.content else {
            throw wrongKind(node, key, .text)
        }
        guard !isPlain || !text.isEmpty else { throw wrongKind(node, key, .text) }
        guard !isPlain || !PlainScalar.isAmbiguous(text) else {
            throw failure(node, .ambiguous(key: name(of: key), text: text, expected: .text))
        }
        return text
    }

    func integer(_ node: SpecNode, _ key: Key, _ range: ClosedRange<Int>) throws -> Int {
        let text = try plainText(node, key, .integer)
        guard let value = PlainScalar.integer(text) else {
            throw misread(node, key, text, .integer)
        }
        try check(value, range, node, key)
        return value
    }

    func double(_ node: SpecNode, _ key: Key, _ range: ClosedRange<Double>) throws -> Double {
        let text = try plainText(node, key, .number)
        guard let value = PlainScalar.number(text) else { throw misread(node, key, text, .number) }
        try check(value, range, node, key)
        return value
    }

    func bool(_ node: SpecNode, _ key: Key) throws -> Bool {
        let text = try plainText(node, key, .boolean)
        guard let value = PlainScalar.boolean(text) else {
            throw misread(node, key, text, .boolean)
        }
        return value
    }

    func choice<Choice>(_ node: SpecNode, _ key: Key) throws -> Choice
    where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
        let text = try string(node, key)
        guard let value = Choice(rawValue: text) else {
            let choices = Choice.allCases.map(\.rawValue)
            throw failure(
                node,
                .unknownChoice(
                    key: name(of: key), value: text,
                    suggestion: nearestName(to: text, among: choices), choices: choices))
        }
        return value
    }

    func wrongKind(_ node: SpecNode, _ key: Key, _ expected: SpecError.ValueKind) -> SpecError {
        failure(node, .wrongKind(key: name(of: key), expected: expected, found: node.valueKind))
    }

    private func plainText(
        _ node: SpecNode, _ key: Key, _ expected: SpecError.ValueKind
    ) throws -> String {
        guard case .scalar(let text, isPlain: true) = node.content else {
            throw wrongKind(node, key, expected)
        }
        return text
    }

    /// Tells text that may have been meant as `expected` from text of another kind.
    private func misread(
        _ node: SpecNode, _ key: Key, _ text: String, _ expected: SpecError.ValueKind
    ) -> SpecError {
        if node.valueKind == .text && PlainScalar.isAmbiguous(text) {
            return failure(node, .ambiguous(key: name(of: key), text: text, expected: expected))
        }
        if expected == .integer && text.wholeMatch(of: /-?[1-9][0-9]*/) != nil {
            return failure(
                node,
                .outOfRange(
                    key: name(of: key), value: text, lower: "\(Int.min)", upper: "\(Int.max)"))
        }
        return wrongKind(node, key, expected)
    }

    private func check<Value: Comparable>(
        _ value: Value, _ range: ClosedRange<Value>, _ node: SpecNode, _ key: Key
    ) throws {
        guard range.contains(value) else {
            throw failure(
                node,
                .outOfRange(
                    key: name(of: key), value: "\(value)", lower: "\(range.lowerBound)",
                    upper: "\(range.upperBound)"))
        }
    }
}
