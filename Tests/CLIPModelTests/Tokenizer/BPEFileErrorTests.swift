import CLIPModel
import CZlib
import Foundation
import TestSupport
import Testing

/// Files of merges that are not as OpenAI made them.
@Suite struct BPEFileErrorTests {
    private static let smallest = 514

    /// The error of a file with this content; nil where it is read.
    private func error(_ content: Data, merges: Int, name: String = "bpe.txt") throws -> (TokenizerError?, path: String)
    {
        let folder = try TemporaryFolder([name: content])
        let url = folder.url.appendingPathComponent(name)
        do throws(TokenizerError) {
            _ = try Tokenizer(
                bpeFile: url, dialect: .openCLIP, contextLength: 77, vocabularySize: Self.smallest + merges)
            return (nil, url.path)
        } catch {
            return (error, url.path)
        }
    }

    private func gzip(_ content: Data) -> Data {
        var stream = z_stream()
        guard
            deflateInit2_(
                &stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
                == Z_OK
        else { return Data() }
        defer { deflateEnd(&stream) }
        var input = Array(content)
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(input.count))))
        let count = input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                deflate(&stream, Z_FINISH)
                return target.count - Int(stream.avail_out)
            }
        }
        return Data(output.prefix(count))
    }

    private static let text = Data("#version\na b\nab c</w>\nd e\n".utf8)

    @Test func isReadCompressedOrNot() throws {
        #expect(try error(Self.text, merges: 3).0 == nil)
        #expect(try error(gzip(Self.text), merges: 3).0 == nil)
        #expect(try error(gzip(Self.text), merges: 0).0 == nil)
        // Two members are one text.
        #expect(try error(gzip(Self.text.prefix(12)) + gzip(Self.text.dropFirst(12)), merges: 3).0 == nil)
    }

    @Test func missingFile() throws {
        let folder = try TemporaryFolder()
        let url = folder.url.appendingPathComponent("absent.gz")
        #expect(throws: TokenizerError.missingFile(path: url.path)) {
            try Tokenizer(bpeFile: url, dialect: .openAI)
        }
    }

    @Test func everyCutIsTruncated() throws {
        let whole = gzip(Self.text)
        for length in 2..<whole.count {
            let (error, path) = try error(whole.prefix(length), merges: 3)
            #expect(error == .truncatedGzip(path: path), "\(length) bytes")
        }
    }

    @Test func damagedFiles() throws {
        var wrongSum = gzip(Self.text)
        wrongSum[wrongSum.count - 6] ^= 1
        var wrongMethod = gzip(Self.text)
        wrongMethod[2] = 9
        for damaged in [
            wrongSum, wrongMethod, gzip(Self.text) + Data("garbage".utf8),
            Data([0x1F, 0x8B]) + Data(repeating: 7, count: 100),
        ] {
            let (error, path) = try error(damaged, merges: 3)
            #expect(error == .damagedGzip(path: path))
        }
    }

    /// 80 MB of one byte compress to 80 kB.
    @Test func bombIsRefused() throws {
        let (error, path) = try error(gzip(Data(repeating: 0x61, count: 80 << 20)), merges: 3)
        #expect(error == .fileTooLarge(path: path, limitInBytes: 64 << 20))
    }

    @Test func wrongLines() throws {
        let (few, first) = try error(Self.text, merges: 4)
        #expect(few == .tooFewMerges(path: first, found: 3, expected: 4))
        let (empty, second) = try error(Data(), merges: 1)
        #expect(empty == .tooFewMerges(path: second, found: 0, expected: 1))
        let (parts, third) = try error(Data("x\na b\na b c\n".utf8), merges: 2)
        #expect(parts == .malformedMerge(path: third, line: 3, parts: 3))
        let (unknown, fourth) = try error(Data("x\na b\nba c\n".utf8), merges: 2)
        #expect(unknown == .mergeSymbolNotInVocabulary(path: fourth, line: 3, symbol: "ba"))
        let (twice, fifth) = try error(Data("x\na b\na b\n".utf8), merges: 2)
        #expect(twice == .duplicateToken(path: fifth, line: 3, token: "ab"))
        let (notText, sixth) = try error(Data([0x0A, 0xC3, 0x28]), merges: 1)
        #expect(notText == .notUTF8(path: sixth))
    }

    @Test func vocabularyMustHoldTheBytes() throws {
        for size in [513, 0, -1, Int.min] {
            #expect(throws: TokenizerError.vocabularyTooSmall(size: size, smallest: 514)) {
                try Tokenizer(bpeFile: OpenAIVocabulary.file, dialect: .openAI, vocabularySize: size)
            }
        }
        #expect(
            throws: TokenizerError.tooFewMerges(
                path: OpenAIVocabulary.file.path, found: 262_144, expected: Int.max - 514)
        ) {
            try Tokenizer(bpeFile: OpenAIVocabulary.file, dialect: .openAI, vocabularySize: .max)
        }
    }

    @Test func endTokenIsTheModels() throws {
        func configuration(_ pooling: TextPooling) -> TextConfiguration {
            TextConfiguration(
                vocabularySize: 600, contextLength: 16, width: 8, layers: 1, heads: 2, mlpWidth: 16, activation: .gelu,
                layerNormEpsilon: 1e-5, pooling: pooling)
        }
        let made = try Tokenizer(
            bpeFile: OpenAIVocabulary.file, dialect: .openAI, configuration: configuration(.highestToken))
        #expect(made.endToken == 599 && made.startToken == 598 && made.contextLength == 16)
        #expect(throws: TokenizerError.endTokenDisagrees(path: OpenAIVocabulary.file.path, tokenizer: 599, model: 2)) {
            try Tokenizer(
                bpeFile: OpenAIVocabulary.file, dialect: .openAI, configuration: configuration(.firstOccurrence(of: 2)))
        }
    }

    /// Whatever the bytes are, the file is read or refused.
    @Test(.timeLimit(.minutes(1))) func mutatedFilesAreReadOrRefused() throws {
        let lines = Data(
            (0..<200).map { "\(UnicodeScalar(UInt8(0x61 + $0 % 26))) \(UnicodeScalar(UInt8(0x41 + $0 / 8)))\n" }
                .joined().utf8)
        let originals = [Self.text, gzip(Self.text), gzip(Data("x\n".utf8) + lines)]
        var generator = MutationGenerator(state: 7)
        var refused = 0
        for number in 0..<600 {
            var bytes = originals[number % originals.count]
            for _ in 0...generator.next(3) {
                switch generator.next(3) {
                case 0: bytes[bytes.startIndex + generator.next(bytes.count)] = UInt8(generator.next(256))
                case 1: bytes = bytes.prefix(1 + generator.next(bytes.count))
                default: bytes.insert(UInt8(generator.next(256)), at: bytes.startIndex + generator.next(bytes.count))
                }
            }
            if try error(bytes, merges: 3).0 != nil { refused += 1 }
        }
        #expect(refused > 100 && refused < 600, "\(refused) of 600")
    }

    /// Hostile texts take time in proportion to their length, and make no id out of range.
    @Test(.timeLimit(.minutes(1))) func hostileTextsAreEncoded() throws {
        let tokenizer = try Tokenizer(bpeFile: OpenAIVocabulary.file, dialect: .openCLIP)
        let texts = [
            "&" + String(repeating: "amp;", count: 50_000), String(repeating: "&", count: 200_000),
            String(repeating: "\u{1B}[", count: 50_000), String(repeating: "\u{1B}[1;", count: 50_000),
            "&#" + String(repeating: "9", count: 200_000), String(repeating: "\u{3A3}\u{301}", count: 50_000),
            "a" + String(repeating: "\u{323}\u{301}", count: 50_000), String(repeating: "&x\n", count: 50_000),
        ]
        for ids in tokenizer.encode(texts) {
            #expect(ids.count <= 77 && ids.allSatisfy { (0..<49408).contains($0) })
        }
    }
}

/// A linear congruential generator, for mutations that are the same every time.
private struct MutationGenerator {
    var state: UInt64

    mutating func next(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }
}
