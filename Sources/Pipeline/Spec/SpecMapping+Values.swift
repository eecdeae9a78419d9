import Foundation

// Readers of single values. A fault is noted, and a value of the right type stands in its place; `default` makes the key
// optional.

extension SpecMapping {
    public func string(_ key: Key) -> String {
        value(key, else: "") { node throws(SpecFault) in try string(node, key) }
    }

    /// A text that has to be one of some names.
    /// - Parameter areListed: whether the fault may list them; not where they stand in a file, which may be anybody's.
    public func string(_ key: Key, among choices: [String], areListed: Bool = true) -> String {
        value(key, else: choices.first ?? "") { node throws(SpecFault) in
            let text = try string(node, key)
            guard choices.contains(text) else {
                throw failure(
                    node,
                    .unknownChoice(
                        key: name(of: key), value: text, suggestion: nearestName(to: text, among: choices),
                        choices: areListed ? choices : []))
            }
            return text
        }
    }

    /// One of some names, or a path, which has a slash and begins at the spec's folder where it is not absolute.
    public func nameOrFile(_ key: Key, among choices: [String]) -> NameOrFile {
        value(key, else: .name("")) { node throws(SpecFault) in
            let text = try string(node, key)
            if text.contains("/") { return .file(file(key)) }
            guard choices.contains(text) else {
                throw failure(
                    node,
                    .neitherNameNorPath(
                        key: name(of: key), value: text, suggestion: nearestName(to: text, among: choices),
                        choices: choices))
            }
            return .name(text)
        }
    }

    public func string(_ key: Key, default value: String) -> String { optionalString(key) ?? value }

    public func optionalString(_ key: Key) -> String? { has(key) ? string(key) : nil }

    public func integer(_ key: Key, in range: ClosedRange<Int> = Int.min...Int.max) -> Int {
        value(key, else: min(max(0, range.lowerBound), range.upperBound)) { node throws(SpecFault) in
            try integer(node, key, range)
        }
    }

    public func integer(_ key: Key, in range: ClosedRange<Int> = Int.min...Int.max, default value: Int) -> Int {
        optionalInteger(key, in: range) ?? value
    }

    public func optionalInteger(_ key: Key, in range: ClosedRange<Int> = Int.min...Int.max) -> Int? {
        has(key) ? integer(key, in: range) : nil
    }

    public func double(
        _ key: Key, in range: ClosedRange<Double> = -Double.infinity...Double.infinity
    ) -> Double {
        value(key, else: min(max(0, range.lowerBound), range.upperBound)) { node throws(SpecFault) in
            try double(node, key, range)
        }
    }

    public func double(
        _ key: Key, in range: ClosedRange<Double> = -Double.infinity...Double.infinity, default value: Double
    ) -> Double {
        has(key) ? double(key, in: range) : value
    }

    public func bool(_ key: Key) -> Bool { value(key, else: false) { node throws(SpecFault) in try bool(node, key) } }

    public func bool(_ key: Key, default value: Bool) -> Bool { has(key) ? bool(key) : value }

    /// One of the cases of an enumeration, by its raw value.
    public func choice<Choice>(_ key: Key, of type: Choice.Type = Choice.self) -> Choice
    where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
        guard let first = Choice.allCases.first else { preconditionFailure("a choice is among cases") }
        return value(key, else: first) { node throws(SpecFault) in try choice(node, key) }
    }

    public func choice<Choice>(_ key: Key, default value: Choice) -> Choice
    where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
        has(key) ? choice(key) : value
    }

    public func mapping<Nested>(_ key: Key, keys: Nested.Type) -> SpecMapping<Nested> {
        value(key, else: SpecMapping<Nested>(missing: name(of: key), at: position, of: reader)) { node in
            SpecMapping<Nested>(node, name: name(of: key), of: reader)
        }
    }

    public func optionalMapping<Nested>(_ key: Key, keys: Nested.Type) -> SpecMapping<Nested>? {
        has(key) ? mapping(key, keys: keys) : nil
    }
}

/// What stands for something that has a name, or lies anywhere.
public enum NameOrFile: Equatable, Sendable {
    case name(String)
    case file(URL)
}

// MARK: - One node

extension SpecMapping {
    func string(_ node: SpecNode, _ key: Key) throws(SpecFault) -> String {
        guard case .scalar(let text, let isPlain) = node.content else {
            throw wrongKind(node, key, .text)
        }
        guard !isPlain || !text.isEmpty else { throw wrongKind(node, key, .text) }
        guard !isPlain || !PlainScalar.isAmbiguous(text) else {
            throw failure(node, .ambiguous(key: name(of: key), text: text, expected: .text))
        }
        return text
    }

    func integer(_ node: SpecNode, _ key: Key, _ range: ClosedRange<Int>) throws(SpecFault) -> Int {
        let text = try plainText(node, key, .integer)
        guard let value = PlainScalar.integer(text) else {
            throw misread(node, key, text, .integer)
        }
        try checkRange(value, range, node, key)
        return value
    }

    func double(_ node: SpecNode, _ key: Key, _ range: ClosedRange<Double>) throws(SpecFault) -> Double {
        let text = try plainText(node, key, .number)
        guard let value = PlainScalar.number(text) else { throw misread(node, key, text, .number) }
        try checkRange(value, range, node, key)
        return value
    }

    func bool(_ node: SpecNode, _ key: Key) throws(SpecFault) -> Bool {
        let text = try plainText(node, key, .boolean)
        guard let value = PlainScalar.boolean(text) else {
            throw misread(node, key, text, .boolean)
        }
        return value
    }

    func choice<Choice>(_ node: SpecNode, _ key: Key) throws(SpecFault) -> Choice
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

    func wrongKind(_ node: SpecNode, _ key: Key, _ expected: SpecFault.ValueKind) -> SpecFault {
        failure(node, .wrongKind(key: name(of: key), expected: expected, found: node.valueKind))
    }

    private func plainText(
        _ node: SpecNode, _ key: Key, _ expected: SpecFault.ValueKind
    ) throws(SpecFault) -> String {
        guard case .scalar(let text, isPlain: true) = node.content else {
            throw wrongKind(node, key, expected)
        }
        return text
    }

    /// Tells text that may have been meant as `expected` from text of another kind.
    private func misread(
        _ node: SpecNode, _ key: Key, _ text: String, _ expected: SpecFault.ValueKind
    ) -> SpecFault {
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

    private func checkRange<Value: Comparable>(
        _ value: Value, _ range: ClosedRange<Value>, _ node: SpecNode, _ key: Key
    ) throws(SpecFault) {
        guard range.contains(value) else {
            throw failure(
                node,
                .outOfRange(
                    key: name(of: key), value: "\(value)", lower: "\(range.lowerBound)",
                    upper: "\(range.upperBound)"))
        }
    }
}
