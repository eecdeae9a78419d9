import Foundation
import Foundations

/// One object of a configuration file, whose values are read by key, type and range.
///
/// A key that is absent has the default of its reader's caller. A key that is present with a value
/// of another type or range, `null` included, is an error that names file, key and expectation.
struct ConfigurationSection {
    /// Far above any configuration's few kilobytes.
    private static let limitInBytes = 4 << 20

    let path: String
    /// What stands before this section's keys in errors: "" or "text_config.".
    private let prefix: String
    private let values: [String: JSONValue]

    /// The outermost object of a file.
    init(contentsOf url: URL) throws(ConfigurationError) {
        path = url.path
        prefix = ""
        let bytes: Data
        do {
            bytes = try RegularFile.contents(of: url.path, limit: Self.limitInBytes)
        } catch {
            switch error {
            case .missing: throw .missingFile(path: url.path)
            case .tooLarge(_, let limit): throw .fileTooLarge(path: url.path, limitInBytes: limit)
            default: throw .unreadableFile(path: url.path, reason: error.text)
            }
        }
        do {
            values = try JSONDecoder().decode([String: JSONValue].self, from: bytes)
        } catch {
            throw .notAJSONObject(path: url.path, reason: Self.reason(of: error))
        }
    }

    private init(path: String, prefix: String, values: [String: JSONValue]) {
        self.path = path
        self.prefix = prefix
        self.values = values
    }

    private static func reason(of error: any Error) -> String {
        guard case DecodingError.dataCorrupted(let context) = error else {
            return "the outermost value is not an object"
        }
        guard let underlying = context.underlyingError as NSError?,
            let detail = underlying.userInfo[NSDebugDescriptionErrorKey] as? String
        else { return context.debugDescription }
        return detail
    }

    // MARK: - Values

    /// The value of a key, or nil where the key is absent.
    subscript(key: String) -> JSONValue? { values[key] }

    /// A nested object; nil where the key is absent or `null`.
    func section(_ key: String) throws(ConfigurationError) -> ConfigurationSection? {
        switch values[key] {
        case nil, .null: return nil
        case .object(let values):
            return ConfigurationSection(path: path, prefix: "\(prefix)\(key).", values: values)
        case .some: throw invalid(key, .object)
        }
    }

    /// A nested object that must be there.
    func requiredSection(_ key: String) throws(ConfigurationError) -> ConfigurationSection {
        guard let section = try section(key) else { throw invalid(key, .object) }
        return section
    }

    /// A copy of the section without the keys whose value is `null`: for formats in which that means the default.
    func withoutNulls() -> ConfigurationSection {
        ConfigurationSection(path: path, prefix: prefix, values: values.filter { $0.value != .null })
    }

    /// The keys, in the order of their names.
    var keys: [String] { values.keys.sorted() }

    /// A section without keys: everything has its default.
    func emptySection(_ key: String) -> ConfigurationSection {
        ConfigurationSection(path: path, prefix: "\(prefix)\(key).", values: [:])
    }

    func integer(
        _ key: String, default standard: Int, in range: ClosedRange<Int>
    ) throws(ConfigurationError) -> Int {
        let value = values[key] ?? .integer(standard)
        // A default, too, may be out of a range that depends on other values.
        guard case .integer(let integer) = value, range.contains(integer) else {
            throw invalid(key, .integer(range), found: value)
        }
        return integer
    }

    /// An integer that must be there.
    func requiredInteger(_ key: String, in range: ClosedRange<Int>) throws(ConfigurationError) -> Int {
        guard case .integer(let integer)? = values[key], range.contains(integer) else {
            throw invalid(key, .integer(range))
        }
        return integer
    }

    func string(_ key: String) throws(ConfigurationError) -> String {
        guard case .string(let string)? = values[key] else { throw invalid(key, .string) }
        return string
    }

    func number(
        _ key: String, default standard: Double, in range: ClosedRange<Double>
    ) throws(ConfigurationError) -> Double {
        guard let value = values[key] else { return standard }
        guard let number = value.asNumber, range.contains(number) else {
            throw invalid(key, .number(range))
        }
        return number
    }

    func numbers(
        _ key: String, default standard: [Double], in range: ClosedRange<Double>
    ) throws(ConfigurationError) -> [Double] {
        guard let value = values[key] else { return standard }
        guard case .array(let elements) = value else {
            throw invalid(key, .numbers(count: standard.count, range))
        }
        let numbers = elements.compactMap(\.asNumber).filter(range.contains)
        guard numbers.count == standard.count, elements.count == standard.count else {
            throw invalid(key, .numbers(count: standard.count, range))
        }
        return numbers
    }

    func boolean(_ key: String, default standard: Bool) throws(ConfigurationError) -> Bool {
        guard let value = values[key] else { return standard }
        guard case .boolean(let boolean) = value else { throw invalid(key, .boolean) }
        return boolean
    }

    /// One of the cases of an enumeration, by its raw value.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, default standard: Choice
    ) throws(ConfigurationError) -> Choice where Choice.RawValue == String {
        guard let value = values[key] else { return standard }
        guard case .string(let string) = value, let choice = Choice(rawValue: string) else {
            throw invalid(key, .oneOf(Choice.allCases.map(\.rawValue)))
        }
        return choice
    }

    /// The error that a key is none that the engine can follow.
    func unsupported(_ key: String) -> ConfigurationError {
        .unsupportedKey(path: path, key: prefix + key, found: (values[key] ?? .null).description)
    }

    /// The error that a key asks for a preprocessing that there is not.
    func unsupportedPreprocessing(_ key: String, supported: [String] = []) -> ConfigurationError {
        .unsupportedPreprocessing(
            path: path, key: prefix + key, found: (values[key] ?? .null).description, supported: supported)
    }

    /// The error that a key's value is not as expected.
    ///
    /// - Parameter found: the value, where it is not the file's but a default.
    func invalid(
        _ key: String, _ expected: ConfigurationError.Expectation, found: JSONValue? = nil
    ) -> ConfigurationError {
        let found = found ?? values[key] ?? .null
        return .invalidValue(
            path: path, key: prefix + key, found: found.description, expected: expected)
    }
}

/// Any JSON value, with integers apart from other numbers and from booleans.
enum JSONValue: Decodable, Equatable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    /// The value as a number, be it written as an integer or not.
    var asNumber: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}

extension JSONValue: CustomStringConvertible {
    /// The value as JSON, but for long ones: of those, what kind they are.
    var description: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "\"\(value.prefix(40))\""
        case .array(let values): "a list of \(values.count)"
        case .object(let values): "an object of \(values.count)"
        }
    }
}
