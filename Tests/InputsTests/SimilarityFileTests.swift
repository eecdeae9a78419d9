import Foundation
import Inputs
import TestSupport
import Testing

/// Similarities of phrases and classes that a file brings.
@Suite struct SimilarityFileTests {
    private let folder: TemporaryFolder
    private let url: URL

    init() throws {
        folder = try TemporaryFolder()
        url = folder.url.appendingPathComponent("s.tsv")
    }

    private func read(_ text: String) throws -> SimilarityFile {
        try text.write(to: url, atomically: true, encoding: .utf8)
        return try SimilarityFile(contentsOf: url)
    }

    @Test func phrasesHaveAValueForEachClass() throws {
        let file = try read("phrase\tcat\tdog\nhot dog\t0.25\t-0.5\npuppy\t0\t1e-1\n")
        #expect(try file.values(of: ["puppy", "hot dog", "puppy"], with: "dog") == [0.1, -0.5, 0.1])
        #expect(try file.values(of: ["hot dog"], with: "cat") == [0.25] && file.name == "s.tsv")
        // What decides the search is the text.
        #expect(
            try read("phrase\tcat\tdog\nhot dog\t0.25\t-0.5\npuppy\t0\t1e-2\n").digest != file.digest
                && file.digest.count == 64)
    }

    @Test(arguments: [
        ("", "line 1"), ("words\tcat\n", "line 1"), ("phrase\n", "line 1"), ("phrase\tcat\tcat\n", "line 1"),
        ("phrase\tcat\ndog\n", "line 2"), ("phrase\tcat\ndog\t1\t2\n", "line 2"),
        ("phrase\tcat\ndog\tmany\n", "line 2"),
        ("phrase\tcat\ndog\tnan\n", "line 2"), ("phrase\tcat\ndog\tinf\n", "line 2"),
        ("phrase\tcat\ndog\t1\ndog\t2\n", "line 3"),
    ])
    func whatIsNoSuchTableIsRefusedWithItsLine(text: String, place: String) throws {
        let error = #expect(throws: InputError.self) { try read(text) }
        guard case .malformedFile(url.path, place, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func whatIsMissingIsNamed() throws {
        let file = try read("phrase\tcat\nhot dog\t0.25\n")
        for (phrases, name, words) in [(["hot dog"], "cow", "'cow'"), (["puppy"], "cat", "'puppy'")] {
            let error = #expect(throws: InputError.self) { try file.values(of: phrases, with: name) }
            guard case .malformedFile(_, _, let expected)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(expected.contains(words))
        }
        #expect(throws: InputError.self) {
            try SimilarityFile(contentsOf: folder.url.appendingPathComponent("none.tsv"))
        }
    }
}
