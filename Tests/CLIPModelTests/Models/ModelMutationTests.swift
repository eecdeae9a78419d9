@testable import CLIPModel
import Foundation
import Foundations
import TestSupport
import Testing

/// Mutated copies of good configurations and indices: each opens or is refused, and none takes long.
@Suite struct ModelMutationTests {
    /// A copy with a few of its bytes changed, cut out, doubled or replaced by a piece of JSON.
    func mutated(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        let pieces = [
            "null", "-1", "0", "1e999", "9223372036854775807", "18446744073709551616", "[]", "{}", "[[[[", "\"", "true",
            ",",
            "\"../x\"", "\u{0}", "4096", "1024",
        ].map { Array($0.utf8) }
        var result = bytes
        for _ in 0...random.below(3) where !result.isEmpty {
            let start = random.below(result.count)
            let end = min(result.count, start + 1 + random.below(12))
            switch random.below(6) {
            case 0: result[start] = UInt8(truncatingIfNeeded: random.next())
            case 1: result.removeSubrange(start..<end)
            case 2: result.insert(contentsOf: result[start..<end], at: start)
            case 3: result.removeLast(random.below(result.count))
            case 4: result[start] ^= 1 << UInt8(random.below(8))
            default:
                // In place of a whole value, so that many mutants are still JSON.
                let colon = result[start...].firstIndex(of: UInt8(ascii: ":")) ?? start
                let stop = result[colon...].firstIndex { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "}") } ?? end
                result.replaceSubrange(min(colon + 1, stop)..<stop, with: pieces[random.below(pieces.count)])
            }
        }
        return result
    }

    @Test(arguments: [
        ("openclip", "open_clip_config.json", 300), ("openclip-custom-text", "open_clip_config.json", 300),
        ("huggingface-sharded", "model.safetensors.index.json", 150), ("huggingface-sharded", "config.json", 100),
    ]) func everyMutantOpensOrIsRefused(model: String, file: String, count: Int) throws {
        let folder = try ReferenceModel(model).copy()
        let url = folder.url.appendingPathComponent(file)
        let sound = [UInt8](try Data(contentsOf: url))
        var random = SplitMix64(seed: 4, label: model + file, index: 0)
        var refused = 0
        let clock = ContinuousClock()
        let time = try clock.measure {
            for _ in 0..<count {
                try Data(mutated(sound, &random)).write(to: url)
                do {
                    _ = try OpenedModel(at: folder.url)
                } catch is ConfigurationError {
                    refused += 1
                } catch is CheckpointError {
                    refused += 1
                }
            }
        }
        // Most mutations hurt; some change a mean or a space.
        #expect(refused > count / 3, "only \(refused) of \(count) were refused")
        // Far above the second that it takes alone: other tests run beside it.
        #expect(time < .seconds(20), "took \(time)")
    }

    /// Folders with any selection of the files of all formats: one model is found, or the reason is said.
    @Test func foldersWithAnyFiles() throws {
        let sources = try ["openclip", "openclip-custom-text", "huggingface-sharded", "huggingface-bin", "openai"]
            .flatMap { name in
                let folder = try ReferenceModel(name).folder
                return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).sorted {
                    $0.path < $1.path
                }
            }
        var random = SplitMix64(seed: 5)
        var opened = 0
        for _ in 0..<80 {
            let folder = try TemporaryFolder()
            for source in sources where random.below(3) == 0 {
                let target = folder.url.appendingPathComponent(source.lastPathComponent)
                if !FileManager.default.fileExists(atPath: target.path) {
                    try FileManager.default.copyItem(at: source, to: target)
                }
            }
            do {
                _ = try OpenedModel(at: folder.url)
                opened += 1
            } catch is ConfigurationError {
            } catch is CheckpointError {
            }
        }
        #expect((1..<80).contains(opened), "\(opened) of 80 opened")
    }
}
