import Foundation

@testable import Pickle

/// What `scripts/make_torch_fixtures.py` wrote.
enum Samples {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Fixtures")

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
    }

    /// All that the samples call; sets are calls below protocol 4.
    static let vocabulary = PickleVocabulary(
        callables: PickleVocabulary.numpy.callables.union([PickleGlobal("collections", "OrderedDict")]),
        names: PickleVocabulary.numpy.names, recordModules: ["__torch__"])

    static func read(_ bytes: [UInt8], limits: PickleLimits = .standard) throws -> PickleValue {
        try Unpickler.read(bytes, vocabulary: vocabulary, limits: limits).value
    }
}

extension PickleValue {
    /// The value as Python would print it, so that expectations are one line. Shallow values only.
    var text: String {
        func list(_ values: [PickleValue]) -> String { values.map(\.text).joined(separator: ",") }
        return switch content {
        case .none: "None"
        case .bool(let value): value ? "True" : "False"
        case .int(let value): "\(value)"
        case .largeInt(let bytes): "large\(bytes)"
        case .float(let value): "\(value)"
        case .string(let text): "'\(text)'"
        case .bytes(let bytes): "b\(bytes.count)"
        case .list(let values): "[\(list(values))]"
        case .tuple(let values): "(\(list(values)))"
        case .set(let values): "{\(list(values))}"
        case .dictionary(let pairs): "{" + pairs.map { "\($0.key.text):\($0.value.text)" }.joined(separator: ",") + "}"
        case .global(let global): "\(global.module).\(global.name)"
        case .object(let object): "\(object.callable.name)\(object.arguments.text)"
        case .persistent(let id): "@\(id.text)"
        }
    }
}
