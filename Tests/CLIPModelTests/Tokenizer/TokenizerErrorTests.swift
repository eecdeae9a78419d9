import CLIPModel
import Foundation
import Foundations
import TestSupport
import Testing

/// One folder for everything that can be wrong with one.
@Suite struct TokenizerErrorTests {
    private static let specials = #""<|startoftext|>": 3, "<|endoftext|>": 4"#
    private static let vocabulary = "{\"a\": 0, \"b\": 1,\n\"ab\": 2,\n\(specials)}"

    /// The error of a folder with these files; nil leaves one out.
    private func error(
        vocabulary: Data?, merges: Data?, size: Int = 10
    ) throws -> (TokenizerError?, TemporaryFolder) {
        var files: [String: Data] = [:]
        files["vocab.json"] = vocabulary
        files["merges.txt"] = merges
        let folder = try TemporaryFolder(files)
        do throws(TokenizerError) {
            _ = try Tokenizer(folder: folder.url, contextLength: 77, vocabularySize: size)
            return (nil, folder)
        } catch {
            return (error, folder)
        }
    }

    private func error(vocabulary: String) throws -> (TokenizerError?, String) {
        let (error, folder) = try error(vocabulary: Data(vocabulary.utf8), merges: Data())
        return (error, folder.path("vocab.json"))
    }

    private func error(merges: String) throws -> (TokenizerError?, String) {
        let (error, folder) = try error(
            vocabulary: Data(Self.vocabulary.utf8), merges: Data(merges.utf8))
        return (error, folder.path("merges.txt"))
    }

    // MARK: - Files

    @Test func missingFiles() throws {
        let (noVocabulary, first) = try error(vocabulary: nil, merges: Data())
        #expect(noVocabulary == .missingFile(path: first.path("vocab.json")))
        let (noMerges, second) = try error(
            vocabulary: Data(Self.vocabulary.utf8), merges: nil)
        #expect(noMerges == .missingFile(path: second.path("merges.txt")))
    }

    @Test func aFolderInPlaceOfAFile() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("vocab.json")
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false)
        let error = #expect(throws: TokenizerError.self) {
            try Tokenizer(folder: folder.url, contextLength: 77, vocabularySize: 10)
        }
        guard case .unreadableFile(path, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func endlessFiles() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("vocab.json"), withDestinationPath: "/dev/zero")
        #expect(
            throws: TokenizerError.unreadableFile(
                path: folder.path("vocab.json"), reason: FileFault.notARegularFile.text)
        ) {
            try Tokenizer(folder: folder.url, contextLength: 77, vocabularySize: 10)
        }
    }

    @Test func bytesThatAreNotUTF8() throws {
        let (inVocabulary, first) = try error(
            vocabulary: Data([0x7B, 0x22, 0xFF, 0x22]), merges: Data())
        #expect(inVocabulary == .notUTF8(path: first.path("vocab.json")))
        let (inMerges, second) = try error(
            vocabulary: Data(Self.vocabulary.utf8), merges: Data([0xC3, 0x28]))
        #expect(inMerges == .notUTF8(path: second.path("merges.txt")))
    }

    // MARK: - vocab.json

    @Test(arguments: [
        ("", 1, "'{'"), ("[]", 1, "'{'"), ("nonsense", 1, "'{'"), ("\n\n[", 3, "'{'"),
        ("{", 1, "a token in quotes"), ("{\n1: 2}", 2, "a token in quotes"),
        (#"{"a" 0}"#, 1, "':'"), (#"{"a": 0 "b": 1}"#, 1, "',' or '}'"),
        ("{\"a\": 0,\n\"b\": 1", 2, "',' or '}'"), (#"{"a": 0,}"#, 1, "a token in quotes"),
        (#"{"a"#, 1, "a closing quote"), ("{\"a\nb\": 0}", 1, "a closing quote"),
        (#"{"a\"#, 1, "an escape"), (#"{"\x": 0}"#, 1, "an escape"),
        (#"{"\u12": 0}"#, 1, "four hexadecimal digits"),
        (#"{"\ud83d": 0}"#, 1, "a pair of surrogates"),
        (#"{"\ude00": 0}"#, 1, "a pair of surrogates"),
        (#"{"\ud83d\u0041": 0}"#, 1, "a pair of surrogates"),
        ("{\"a\": 0}\n{", 2, "the end of the file"),
    ])
    func malformedVocabularies(text: String, line: Int, expected: String) throws {
        let (error, path) = try error(vocabulary: text)
        #expect(error == .malformedVocabulary(path: path, line: line, expected: expected))
    }

    @Test(arguments: [
        "1.5", "1e3", "\"1\"", "null", "true", "[1]", "{}", "", "-", "01", "+1",
        "99999999999999999999", "0x1", "1_000",
    ])
    func idsThatAreNotIntegers(value: String) throws {
        let (error, path) = try error(vocabulary: "{\"a\": 0,\n\"é\": \(value)}")
        #expect(error == .tokenIDNotInteger(path: path, line: 2, token: "é"))
    }

    @Test(arguments: [-1, 10, 1 << 40, Int.max, Int.min])
    func idsOutOfRange(id: Int) throws {
        let (error, path) = try error(vocabulary: "{\"a\":\n\(id)}")
        #expect(
            error
                == .tokenIDOutOfRange(path: path, line: 2, token: "a", id: id, vocabularySize: 10))
    }

    @Test func repetitions() throws {
        let (token, first) = try error(vocabulary: "{\"a\": 0,\n\"\\u0061\": 1}")
        #expect(token == .duplicateToken(path: first, line: 2, token: "a"))
        let (id, second) = try error(vocabulary: "{\"a\": 0,\n\"b\": 0}")
        #expect(id == .duplicateTokenID(path: second, line: 2, token: "b", id: 0))
    }

    /// é as one scalar and as two are one string to Swift and two tokens.
    @Test func canonicallyEquivalentTokensAreTwo() throws {
        let (error, _) = try error(
            vocabulary: "{\"\u{E9}\": 0, \"e\u{301}\": 1, \(Self.specials)}")
        #expect(error == nil)
    }

    @Test func missingSpecialTokens() throws {
        let (end, first) = try error(vocabulary: #"{"<|startoftext|>": 0}"#)
        #expect(end == .missingSpecialToken(path: first, token: "<|endoftext|>"))
        let (start, second) = try error(vocabulary: #"{"<|endoftext|>": 0}"#)
        #expect(start == .missingSpecialToken(path: second, token: "<|startoftext|>"))
        let (both, third) = try error(vocabulary: " { } ")
        #expect(both == .missingSpecialToken(path: third, token: "<|endoftext|>"))
    }

    // MARK: - merges.txt

    @Test(arguments: [
        ("a", 1), ("#version: 0.2\na b\na b c", 3), ("a  b", 3), (" a b", 3), ("\na b", 1),
        ("a b ", 3), ("a\tb", 1),
    ])
    func malformedMerges(text: String, parts: Int) throws {
        let (error, path) = try error(merges: text)
        let line = text.hasPrefix("#") ? 3 : 1
        #expect(error == .malformedMerge(path: path, line: line, parts: parts))
    }

    @Test(arguments: [("a b\nc a", "c"), ("a b\na c", "c"), ("a b\nb a", "ba"), ("a b\n a", "")])
    func mergesOfUnknownSymbols(text: String, symbol: String) throws {
        let (error, path) = try error(merges: text)
        #expect(error == .mergeSymbolNotInVocabulary(path: path, line: 2, symbol: symbol))
    }

    @Test func repeatedMerges() throws {
        let (error, path) = try error(merges: "#version: 0.2\na b\na b\n")
        #expect(error == .duplicateMerge(path: path, line: 3, left: "a", right: "b"))
    }

    @Test(arguments: ["", "#version: 0.2\n", "#version: 0.2\r\na b\r\n", "a b"])
    func wellFormedMerges(text: String) throws {
        #expect(try error(merges: text).0 == nil)
    }
}
