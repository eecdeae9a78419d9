import CLIPModel
import Foundation
import Testing

/// Token ids against those of `transformers`, of `scripts/make_tokenizer_fixtures.py`.
@Suite struct TokenizerOracleTests {
    private struct Oracle: Decodable {
        var transformers: String
        var tokenizers: String
        var contextLength: Int
        var vocabularySize: Int
        var padded: [Case]
        var cases: [Case]
    }

    private struct Case: Decodable {
        var text: String
        var ids: [Int]

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            text = try container.decode(String.self)
            ids = try container.decode([Int].self)
        }
    }

    private static func load(_ folder: String) throws -> (Oracle, Tokenizer) {
        let oracle = try Fixtures.decode(Oracle.self, "Tokenizer/\(folder)/cases.json")
        let tokenizer = try Tokenizer(
            folder: Fixtures.folder.appendingPathComponent("Tokenizer/\(folder)"),
            contextLength: oracle.contextLength, vocabularySize: oracle.vocabularySize)
        return (oracle, tokenizer)
    }

    private static func describe(_ text: String) -> String {
        text.unicodeScalars.map { $0.escaped(asASCII: true) }.joined()
    }

    @Test(arguments: ["regular", "irregular"])
    func idsAreThoseOfTransformers(folder: String) throws {
        let (oracle, tokenizer) = try Self.load(folder)
        #expect(oracle.cases.count >= (folder == "regular" ? 600 : 80))
        for (found, expected) in zip(tokenizer.encode(oracle.cases.map(\.text)), oracle.cases) {
            #expect(found == expected.ids, "\(Self.describe(expected.text))")
        }
    }

    @Test(arguments: ["regular", "irregular"])
    func oneTextHasTheSameIDsAlone(folder: String) throws {
        let (oracle, tokenizer) = try Self.load(folder)
        for expected in oracle.cases {
            #expect(tokenizer.encode(expected.text) == expected.ids)
        }
    }

    @Test func paddingIsThatOfTransformers() throws {
        let (oracle, tokenizer) = try Self.load("regular")
        for expected in oracle.padded {
            #expect(tokenizer.padded(tokenizer.encode(expected.text)) == expected.ids)
            #expect(expected.ids.count == oracle.contextLength)
        }
    }
}
