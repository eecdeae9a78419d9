import Foundation
import Pipeline

/// JSON objects of texts as columns hold them: members in the order in which people read them.
enum RowJSON {
    static func object(_ members: [(String, String)]) -> String {
        let pairs = members.map { name, value in
            ParameterValue.text(name).canonicalJSON + ":" + ParameterValue.text(value).canonicalJSON
        }
        return "{" + pairs.joined(separator: ",") + "}"
    }

    static func object(_ subject: Subject) -> String {
        object(subject.columns.map { ($0.name, $0.value) })
    }

    /// - Throws: what encoding throws.
    static func text(_ layout: TableLayout) throws -> String {
        String(decoding: try ArtefactJSON.encode(layout), as: UTF8.self)
    }
}
