import Foundation
import Safetensors

/// The result of a step, which can be stored and read back.
///
/// What a later step receives has always been through its stored form, whether it was computed a
/// moment ago or last week. A type that is `Codable` is stored as JSON without further code; one
/// that holds many numbers implements both requirements and stores tensors.
public protocol Artefact: Sendable {
    /// Reads the artefact from its stored form.
    init(_ stored: StoredArtefact) throws
    /// The stored form; equal artefacts must give equal bytes.
    func stored() throws -> StoredArtefact
}

/// The forms in which artefacts are stored.
public enum StoredArtefact: Sendable {
    case tensors([String: StoredTensor], metadata: [String: String] = [:])
    case json(Data)
    /// The shards of a step whose work is `Work.shards`; only such a step is stored in this form.
    case shards(StoredShards)
}

// MARK: - Reading

extension StoredArtefact {
    /// A tensor by its name.
    /// - Throws: `PipelineError.wrongArtefactForm`, `.invalidArtefact`.
    public func tensor(_ name: String) throws -> StoredTensor {
        guard case .tensors(let tensors, _) = self else {
            throw PipelineError.wrongArtefactForm(wanted: "tensors")
        }
        guard let tensor = tensors[name] else {
            throw PipelineError.invalidArtefact(part: name, reason: "missing")
        }
        return tensor
    }

    /// A text of the metadata of tensors, nil where there is none of that name.
    public func metadata(_ name: String) -> String? {
        guard case .tensors(_, let metadata) = self else { return nil }
        return metadata[name]
    }
}

// MARK: - JSON

extension Artefact where Self: Codable {
    public init(_ stored: StoredArtefact) throws {
        guard case .json(let data) = stored else {
            throw PipelineError.wrongArtefactForm(wanted: "json")
        }
        self = try ArtefactJSON.decode(Self.self, from: data)
    }

    public func stored() throws -> StoredArtefact {
        .json(try ArtefactJSON.encode(self))
    }
}

/// JSON as artefacts are stored in it: sorted keys, NaN and infinities as texts.
public enum ArtefactJSON {
    public static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try encoder.encode(value)
    }

    public static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try decoder.decode(type, from: data)
    }
}
