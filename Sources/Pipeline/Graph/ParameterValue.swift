/// The value of a parameter of a step: what JSON can hold, with whole numbers told from others.
public enum ParameterValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case list([ParameterValue])
    case mapping([String: ParameterValue])
}

public typealias Parameters = [String: ParameterValue]

// MARK: - Canonical JSON

extension ParameterValue {
    /// JSON with sorted keys and without spaces: equal values give equal bytes on every machine.
    ///
    /// Doubles are written with the fewest digits that read back as the same double. NaN and
    /// infinities, which JSON lacks, stand as their names.
    public var canonicalJSON: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): value.isFinite ? value.description : Self.quoted(value.description)
        case .text(let value): Self.quoted(value)
        case .list(let values): "[" + values.map(\.canonicalJSON).joined(separator: ",") + "]"
        case .mapping(let members):
            "{"
                + members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map { Self.quoted($0.key) + ":" + $0.value.canonicalJSON }
                .joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

// MARK: - Codable

extension ParameterValue: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([ParameterValue].self) {
            self = .list(value)
        } else {
            self = .mapping(try container.decode([String: ParameterValue].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .mapping(let value): try container.encode(value)
        }
    }
}

// MARK: - Literals

extension ParameterValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
    ExpressibleByStringInterpolation, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(stringLiteral value: String) { self = .text(value) }
    public init(arrayLiteral elements: ParameterValue...) { self = .list(elements) }
    public init(dictionaryLiteral elements: (String, ParameterValue)...) {
        self = .mapping(Dictionary(elements) { _, last in last })
    }
}

extension ParameterValue {
    /// A list of whole numbers, such as layers.
    public static func integers(_ values: [Int]) -> ParameterValue {
        .list(values.map { .integer($0) })
    }

    /// A list of texts, such as templates.
    public static func texts(_ values: [String]) -> ParameterValue {
        .list(values.map { .text($0) })
    }
}
