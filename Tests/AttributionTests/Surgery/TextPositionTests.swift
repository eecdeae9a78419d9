import CLIPModel
import DenseMath
import Foundation
import Safetensors
import TestSupport
import Testing

/// The text tower before its end is pooled, against PyTorch in float64.
@Suite struct TextPositionTests {
    private struct Config: Decodable {
        let vocabulary, context, width, heads, layers, mlp, end: Int
        let epsilon: Float
    }

    @Test func everyPositionAndTheEnd() throws {
        let file = try SafetensorsFile(fixture: "surgery-text")
        let config = try JSONDecoder().decode(Config.self, from: Data(#require(file.metadata["config"]).utf8))
        let activation = try #require(file.metadata["activation"].flatMap(Activation.init))
        let text = try file.text(
            TextConfiguration(
                vocabularySize: config.vocabulary, contextLength: config.context, width: config.width,
                layers: config.layers,
                heads: config.heads, mlpWidth: config.mlp, activation: activation, layerNormEpsilon: config.epsilon,
                pooling: .firstOccurrence(of: config.end)))
        let (ids, lengths) = (try file.int32s("tokens").map(Int.init), try file.int32s("lengths").map(Int.init))
        let (expected, pooled) = (try file.doubles("positions"), try file.doubles("pooled"))
        let d = text.embeddingWidth
        for (index, length) in lengths.enumerated() {
            let tokens = Array(ids[index * config.context..<index * config.context + length])
            let found = text.everyPosition(of: tokens)
            #expect(found.shape == [length, d])
            let start = index * config.context * d
            let error = relativeError(found.elements, expected[start..<start + length * d])
            #expect(error < 1e-5, "positions of text \(index) off by \(error)")
            let end = relativeError(found[row: length - 1], pooled[index * d..<(index + 1) * d])
            #expect(end < 1e-5, "end of text \(index) off by \(end)")
            #expect(largestError(text([tokens]).elements, Array(found[row: length - 1])) < 1e-6)
            // Tokens behind the end are not seen.
            guard length < config.context else { continue }
            #expect(largestError(text([tokens + [tokens[1]]]).elements, Array(found[row: length - 1])) < 1e-6)
        }
    }
}
