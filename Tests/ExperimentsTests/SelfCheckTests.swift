import Experiments
import Foundation
import Inputs
import Testing

/// The shipped model, through the engine, against what Python's `transformers` computed.
@Suite struct SelfCheckTests {
    static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test func engineAgreesWithTheReferenceImplementation() throws {
        let manifest = try DatasetsManifest(contentsOf: Self.repository.appendingPathComponent("datasets.manifest"))
        let checks = try SelfCheck(manifest: manifest, model: "emoji-clip").run()
        #expect(checks.count >= 10)
        for check in checks { #expect(check.isPassed, "\(check.name): \(check.found), allowed \(check.allowed)") }
    }
}
