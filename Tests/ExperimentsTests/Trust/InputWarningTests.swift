import Foundation
import Foundations
import Inputs
import Synchronization
import Testing

@testable import Experiments

/// What a reader is told of a model before anything is computed.
@Suite struct InputWarningTests {
    private static let model = HandMade.repository.appendingPathComponent(
        "Tests/CLIPModelTests/Fixtures/Models/openclip")

    /// What is told when the model is opened beside a manifest that knows a file's digest under a name.
    private func told(_ digest: String, of name: String, edit: (String) -> String = { $0 }, activation: String? = nil)
        throws -> [String]
    {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("clip-lens-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.copyItem(at: Self.model, to: folder)
        try FileManager.default.removeItem(at: folder.appendingPathComponent("open_clip_pytorch_model.bin"))
        let configuration = folder.appendingPathComponent("open_clip_config.json")
        try Data(edit(String(contentsOf: configuration, encoding: .utf8)).utf8).write(to: configuration)
        let manifest = """
            {"models": {}, "datasets": {}, "downloads": {"\(name)": {"kind": "model", "licence": "none", "origin": "a test",
            "instructions": "none", "files": [{"name": "weights", "sha256": "\(digest)"}]}}}
            """
        let url = folder.appendingPathComponent("datasets.manifest")
        try Data(manifest.utf8).write(to: url)
        let lines = Mutex<[String]>([])
        let context = ExperimentContext(manifest: try DatasetsManifest(contentsOf: url)) { line in
            lines.withLock { $0.append(line) }
        }
        _ = try context.opened.model(
            .init(
                reference: .at(folder), imageActivation: activation.map { $0 == "gelu" ? .gelu : .quickGELU },
                textActivation: nil, passOrder: .pillow13))
        return lines.withLock { $0 }
    }

    @Test func openAIsWeightsWithoutTheirActivationAreNamed() throws {
        let digest = try Digest.sha256(
            ofFile: Self.model.appendingPathComponent("open_clip_model.safetensors"), purpose: "weights")
        func without(_ text: String) -> String { text.replacing(/"quick_gelu": *(true|false),?/, with: "") }
        let told = try told(digest, of: "openai-vit", edit: without)
        #expect(
            told.count == 1 && told.first?.contains("OpenAI's weights, trained with QuickGELU") == true
                && told.first?.contains("image-activation: quick_gelu") == true, "\(told)")
        // Where a configuration or a spec says it, where the weights are others', and where nobody knows them.
        #expect(try self.told(digest, of: "openai-vit", edit: without, activation: "quick_gelu").isEmpty)
        #expect(try self.told(digest, of: "laion-vit", edit: without).isEmpty)
        #expect(try self.told(String(repeating: "0", count: 64), of: "openai-vit", edit: without).isEmpty)
        #expect(
            try self.told(digest, of: "openai-vit") {
                without($0).replacing("\"embed_dim\"", with: "\"quick_gelu\": true, \"embed_dim\"")
            }.isEmpty)
    }
}
