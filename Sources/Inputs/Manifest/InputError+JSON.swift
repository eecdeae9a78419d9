import Foundation

extension InputError {
    /// What is reported of a JSON file that did not decode: the line of a syntax error, or else the keys
    /// from the outermost inwards, such as `datasets.emoji-scenes.seed`, and what the decoder missed there.
    init(_ error: DecodingError, in data: Data, path: String) {
        let context: DecodingError.Context? =
            switch error {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
                .dataCorrupted(let context):
                context
            @unknown default: nil
            }
        if let (place, reason) = Self.syntaxError(in: data) {
            self = .malformedFile(path: path, place: place, expected: "valid JSON (\(reason))")
        } else {
            let keys = (context?.codingPath ?? []).map(\.stringValue)
            self = .malformedFile(
                path: path, place: keys.isEmpty ? "top level" : keys.joined(separator: "."),
                expected: context?.debugDescription ?? "another value")
        }
    }

    /// Where a text stops being JSON, which JSONDecoder keeps to itself on Linux.
    private static func syntaxError(in data: Data) -> (place: String, reason: String)? {
        do {
            _ = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
            return nil
        } catch {
            let reason = (error as NSError).userInfo["NSDebugDescription"] as? String ?? "not JSON"
            guard let offset = reason.firstMatch(of: /around character ([0-9]+)/).flatMap({ Int($0.1) }) else {
                return ("top level", reason)
            }
            return ("line \(data.prefix(offset).count { $0 == UInt8(ascii: "\n") } + 1)", reason)
        }
    }
}
