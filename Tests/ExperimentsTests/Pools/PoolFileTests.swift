import Foundation
import Testing

@testable import Experiments

/// Phrases from files of strangers.
@Suite struct PoolFileTests {
    private func phrases(_ data: Data) throws -> [String] {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("pool-\(UUID().uuidString).txt")
        try data.write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        return try PoolFile.phrases(contentsOf: url)
    }

    private func phrases(_ text: String) throws -> [String] { try phrases(Data(text.utf8)) }

    private func error(_ data: Data) -> ExperimentError? {
        #expect(throws: ExperimentError.self) { try phrases(data) }
    }

    @Test(arguments: [
        "red apple\ndog", "red apple\ndog\n", "red apple\r\ndog\r\n", "red apple\rdog\r", "  red apple\t\n dog \n",
    ])
    func linesArePhrasesWhateverEndsThem(text: String) throws {
        #expect(try phrases(text) == ["red apple", "dog"])
    }

    @Test func anEmptyFileHasNoPhrases() throws {
        #expect(try phrases("") == [])
        #expect(try phrases("Žluťoučký 犬 🐶\n") == ["Žluťoučký 犬 🐶"])
    }

    @Test(arguments: [
        ("dog\ncat\ndog\n", 3, "the phrase stands on line 1 already"),
        ("dog\r\ncat\r\ncat", 3, "the phrase stands on line 2 already"),
        ("dog\n dog", 2, "the phrase stands on line 1 already"), ("dog\n\ncat\n", 2, "the line is empty"),
        ("dog\n \t\n", 2, "the line is empty"), ("\r\ndog", 1, "the line is empty"),
        ("dog\n\n", 2, "the line is empty"),
        ("dog\nred\tapple", 2, "a phrase has at most 500 characters, and no tabs or control characters"),
        ("dog\n\u{1B}[2Jcat", 2, "a phrase has at most 500 characters, and no tabs or control characters"),
        (
            String(repeating: "a", count: 501), 1,
            "a phrase has at most 500 characters, and no tabs or control characters"
        ),
    ])
    func eachLineHasOnePhraseOnce(text: String, line: Int, reason: String) {
        guard case .malformedPool(_, line, reason)? = error(Data(text.utf8)) else {
            Issue.record("\(String(describing: error(Data(text.utf8))))")
            return
        }
    }

    @Test func whatIsNoTextIsNotRead() {
        guard case .malformedPool(_, 2, let reason)? = error(Data([0x64, 0x0A, 0xFF, 0xFE, 0x0A])) else {
            Issue.record("\(String(describing: error(Data([0x64, 0x0A, 0xFF, 0xFE, 0x0A]))))")
            return
        }
        #expect(reason.contains("UTF-8"))
    }

    @Test(.timeLimit(.minutes(1))) func whatIsNoFileIsNeitherWaitedForNorReadToItsEnd() throws {
        let pipe = FileManager.default.temporaryDirectory.appendingPathComponent("pipe-\(UUID().uuidString)")
        try #require(mkfifo(pipe.path, 0o600) == 0)
        defer { unlink(pipe.path) }
        for path in [pipe.path, "/dev/zero", "/", "/nowhere/pool.txt"] {
            #expect(throws: ExperimentError.self, "\(path)") {
                try PoolFile.phrases(contentsOf: URL(fileURLWithPath: path))
            }
        }
    }
}
