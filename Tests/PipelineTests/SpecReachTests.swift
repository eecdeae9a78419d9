import Foundation
@testable import Pipeline
import TestSupport
import Testing

/// What a spec reaches beyond its folder is noted by its readers.
@Suite struct SpecReachTests {
    private enum Key: String, CaseIterable {
        case command, variables, url, secret, options, file, other
    }

    private func document(_ text: String, path: String = "/specs/x.yaml") throws -> SpecDocument {
        try SpecDocument(text: text, path: path)
    }

    @Test func whatIsReadIsNotedOnce() throws {
        let document = try document(
            "{command: [a, b], variables: [HOME_OF_A], url: \"https://host\", secret: KEY, options: [--x=1], file: words.txt, other: /etc/other}"
        )
        #expect(document.reach == SpecReach())
        for _ in 0..<2 {
            try document.read { reader in
                let root = reader.root(keys: Key.self)
                #expect(root.program(.command, variables: .variables).command == ["a", "b"])
                #expect(root.address(.url, keyVariable: .secret).url == "https://host")
                #expect(root.schedulerOptions(.options) { _ in nil } == ["--x=1"])
                #expect(root.file(.file).path == "/specs/words.txt")
                #expect(root.file(.other, in: URL(fileURLWithPath: "/data")).path == "/etc/other")
            }
        }
        let reach = document.reach
        #expect(reach.programs == [.init(command: ["a", "b"], variables: ["HOME_OF_A"])])
        #expect(reach.addresses == [.init(url: "https://host", keyVariable: "KEY")])
        #expect(reach.schedulerOptions == ["--x=1"] && reach.files.map(\.path) == ["/specs/words.txt", "/etc/other"])
    }

    /// Mappings of mappings and of lists, and copies of the document, note in the same place.
    @Test func nestedMappingsNoteToo() throws {
        let original = try document("{url: {file: a.txt}, options: [{file: b.txt}], file: c/d}")
        let copy = original
        try copy.read { reader in
            let root = reader.root(keys: Key.self)
            _ = root.mapping(.url, keys: Key.self).file(.file)
            _ = root.mappings(.options, keys: Key.self)[0].file(.file)
            _ = root.nameOrFile(.file, among: [])
        }
        #expect(original.reach.files.map(\.lastPathComponent) == ["a.txt", "b.txt", "d"])
    }

    @Test func filesOutsideAreFoundBehindLinks() throws {
        let folder = try TemporaryFolder()
        let (inside, outside) = (
            folder.url.appendingPathComponent("specs"), folder.url.appendingPathComponent("specs-of-others")
        )
        for place in [inside, outside] {
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        }
        for place in [inside.appendingPathComponent("own.txt"), outside.appendingPathComponent("secret.txt")] {
            try Data().write(to: place)
        }
        try FileManager.default.createSymbolicLink(
            at: inside.appendingPathComponent("link"), withDestinationURL: outside)
        let document = try document(
            "{file: own.txt, other: link/secret.txt, url: ../specs/own.txt, secret: ../specs-of-others/secret.txt}",
            path: inside.appendingPathComponent("x.yaml").path)
        try document.read { reader in
            let root = reader.root(keys: Key.self)
            for key in [Key.file, .other, .url, .secret] { _ = root.file(key) }
        }
        let secret = outside.appendingPathComponent("secret.txt").resolvingSymlinksInPath().path
        #expect(document.reach.files(outside: [document.folder]).map(\.path) == [secret, secret])
        #expect(document.reach.files(outside: [document.folder, outside]) == [])
    }

    @Test(arguments: ["A=B", "", "A B", "LD_*", "1A", "Ä"])
    func variablesHaveNames(name: String) throws {
        let document = try document(
            "{command: [a], variables: [\"\(name)\"], url: \"https://host\", secret: \"\(name)\"}")
        let error = #expect(throws: SpecError.self) {
            try document.read { reader in
                let root = reader.root(keys: Key.self)
                _ = root.program(.command, variables: .variables)
                _ = root.address(.url, keyVariable: .secret)
            }
        }
        #expect(error?.faults.count == 2)
        #expect(document.reach.programs == [] && document.reach.addresses == [])
    }
}
