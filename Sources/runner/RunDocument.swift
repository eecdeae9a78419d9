import Foundation
import Pipeline
import Results

/// The one JSON document that `runner run --json` prints, also when it fails.
struct RunDocument: Encodable {
    /// `done`, `untrusted` or `failed`.
    let state: String
    let rows: [Metric]
    let claims: [ClaimVerdict]
    let error: String?
    let fix: String?

    /// The document and a line feed.
    func text() throws -> String { String(decoding: try ArtefactJSON.encode(self), as: UTF8.self) + "\n" }
}
