import Foundation
import Foundations
import Testing

@testable import CLIPModel

/// Token ids of OpenAI's vocabulary against those of three references, of `scripts/make_bpe_fixtures.py`.
@Suite struct BPEOracleTests {
    private struct Oracle: Decodable {
        var cases: [Case]
        var mojibake: [Mojibake]
    }

    private struct Case: Decodable {
        var text: String
        var openCLIP: [Int]
        var openAI: [Int]
        var huggingFace: [Int]

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            text = try container.decode(String.self)
            openCLIP = try container.decode([Int].self)
            openAI = try container.decode([Int]?.self) ?? openCLIP
            huggingFace = try container.decode([Int]?.self) ?? openCLIP
        }
    }

    /// A text that ftfy repairs.
    private struct Mojibake: Decodable {
        var text: String
        var ids: [Int]
        var withoutRepair: [Int]

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            text = try container.decode(String.self)
            ids = try container.decode([Int].self)
            withoutRepair = try container.decode([Int].self)
        }
    }

    private static let oracle = Result {
        let file = Fixtures.folder.appendingPathComponent("Tokenizer/bpe-cases.json.gz")
        let bytes = try Inflation.gzip(Array(try Data(contentsOf: file)), limit: 16 << 20)
        return try JSONDecoder().decode(Oracle.self, from: Data(bytes))
    }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.map { $0.escaped(asASCII: true) }.joined()
    }

    @Test(arguments: TokenizerDialect.allCases) func idsAreThoseOfTheReference(dialect: TokenizerDialect) throws {
        let cases = try Self.oracle.get().cases
        #expect(cases.count == 5000)
        let tokenizer = try Tokenizer(bpeFile: OpenAIVocabulary.file, dialect: dialect)
        var differing = 0
        for (found, expected) in zip(tokenizer.encode(cases.map(\.text)), cases) {
            let ids =
                switch dialect {
                case .openCLIP: expected.openCLIP
                case .openAI: expected.openAI
                case .huggingFace: expected.huggingFace
                }
            guard found != ids else { continue }
            differing += 1
            if differing <= 20 { Issue.record("\(Self.escaped(expected.text)): \(found), expected \(ids)") }
        }
        #expect(differing == 0, "of \(cases.count)")
    }

    /// ftfy's repair of mojibake is not done, and nothing else is missing.
    @Test func mojibakeIsLeft() throws {
        let tokenizer = try Tokenizer(bpeFile: OpenAIVocabulary.file, dialect: .openCLIP)
        let cases = try Self.oracle.get().mojibake
        #expect(cases.count == 15)
        for expected in cases {
            let found = tokenizer.encode(expected.text)
            #expect(found == expected.withoutRepair, "\(Self.escaped(expected.text))")
            #expect(found != expected.ids, "\(Self.escaped(expected.text)): the repair makes no difference")
        }
    }

    @Test func paddingIsThatOfTheDialect() throws {
        for (dialect, padding) in [(TokenizerDialect.openAI, 0), (.openCLIP, 0), (.huggingFace, 49407)] {
            let tokenizer = try Tokenizer(bpeFile: OpenAIVocabulary.file, dialect: dialect)
            let ids = tokenizer.encode("a photo of a cat")
            #expect(ids == [49406, 320, 1125, 539, 320, 2368, 49407])
            #expect(tokenizer.padded(ids) == ids + Array(repeating: padding, count: 70))
        }
    }

    /// 1000 classes in 80 templates: a classifier's prompts.
    @Test func manyPromptsTakeLittleTime() throws {
        let clock = ContinuousClock()
        var tokenizer: Tokenizer?
        let loading = try clock.measure {
            tokenizer = try Tokenizer(bpeFile: OpenAIVocabulary.file, dialect: .openCLIP)
        }
        let names = try Self.oracle.get().cases.map(\.text)
            .filter { $0.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || $0 == " " } && $0.utf8.count < 40 }
        let prompts = (0..<80_000).map { "a photo number \($0 / 1000) of the large \(names[$0 % names.count])." }
        var ids: [[Int]] = []
        let encoding = clock.measure { ids = tokenizer?.encode(prompts) ?? [] }
        #expect(ids.count == prompts.count && names.count > 500)
        #expect(loading + encoding < .seconds(10), "loading \(loading), \(prompts.count) prompts \(encoding)")
    }
}
