import CLIPModel
import DenseMath
import Foundation
import TestSupport
import Testing

@testable import Attribution

/// How much of an object's attention stays on it, beside the definition written out.
@Suite struct AttentionWithinTests {
    /// In double precision, from queries, keys and values of one layer. // [tokens, 3 · width]
    private func literal(
        _ rows: [[Double]], heads: Int, headWidth: Int, _ attention: SurgeryRecipe.Attention, _ shown: [Int]
    ) -> [Double] {
        let width = heads * headWidth
        return (0..<heads).flatMap { head in
            shown.map { patch in
                func part(_ token: Int, _ kind: Int) -> ArraySlice<Double> {
                    let start = kind * width + head * headWidth
                    return rows[token][start..<start + headWidth]
                }
                let (a, b) = attention == .queryKey ? (0, 1) : (2, 2)
                let scores = rows.indices.map { token in
                    exp(
                        zip(part(1 + patch, a), part(token, b)).reduce(0) { $0 + $1.0 * $1.1 }
                            / Double(headWidth).squareRoot())
                }
                let others = scores.indices.dropFirst().filter { $0 != 1 + patch }
                return shown.filter { $0 != patch }.reduce(0) { $0 + scores[1 + $1] }
                    / others.reduce(0) { $0 + scores[$1] }
            }
        }
    }

    @Test(arguments: [SurgeryRecipe.Attention.queryKey, .valueValue]) func itIsTheMeanOverPatchesHeadsAndBlocks(
        attention: SurgeryRecipe.Attention
    ) throws {
        try SurgeryReference.forEach { reference, size, vision in
            let depth = 2
            let pass = SurgeryWorkspace(vision, recipes: [.surgery(depth: depth)], capacity: 1).run(
                Array(try reference.images(size).prefix(size * size * 3)), batch: 1)
            let (heads, headWidth) = (vision.configuration.heads, vision.configuration.headWidth)
            for shown in [[0, 2], [1, 2, 3], Array(0..<vision.tokens - 1)] {
                var shares: [Double] = []
                for layer in vision.blocks.count - depth..<vision.blocks.count {
                    let base = pass.tower.capture(layer)[.queryKeyValue]
                    let stride = 3 * heads * headWidth
                    let rows = (0..<vision.tokens).map { token in (0..<stride).map { Double(base[token * stride + $0]) }
                    }
                    shares += literal(rows, heads: heads, headWidth: headWidth, attention, shown)
                }
                let patches = (0..<vision.tokens - 1).map(shown.contains)
                let found = try #require(pass.attentionWithin(patches, attention, depth: depth))
                let expected = shares.reduce(0, +) / Double(shares.count)
                #expect(abs(found - expected) < 1e-5, "\(attention), \(shown): \(found), expected \(expected)")
                if shown.count == patches.count { #expect(abs(found - 1) < 1e-6) }
            }
            // One patch has no other of its own.
            for count in 0...1 {
                #expect(
                    pass.attentionWithin((0..<vision.tokens - 1).map { $0 < count }, attention, depth: depth) == nil)
            }
        }
    }
}
