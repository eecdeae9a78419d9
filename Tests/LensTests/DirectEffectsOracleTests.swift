import CLIPModel
import DenseMath
import TestSupport
import Testing

@testable import Lens

/// Direct effects, their moments and their ablation, against what a literal forward pass writes at the
/// class token.
@Suite struct DirectEffectsOracleTests {
    static let d = 10
    static let (L, H) = (4, 2)
    /// Bytes of an image.
    static let size = 8 * 8 * 3
    static let imageCount = 11
    static let capacity = 4  // does not divide the number of images: the last batch is smaller

    let vision = RandomVision.make(seed: 9)
    let images = RandomVision.images(imageCount, seed: 61)

    var literal: [LiteralVision] {
        (0..<Self.imageCount).map { LiteralVision(vision, image: images[$0 * Self.size..<($0 + 1) * Self.size]) }
    }

    /// Runs `body` with the index of the first image on every batch of some of the images.
    func forEachBatch(
        _ workspace: DirectEffectsWorkspace, of range: Range<Int> = 0..<imageCount, _ body: (DirectEffects, Int) -> Void
    ) {
        images.withUnsafeBufferPointer {
            guard let base = $0.baseAddress else { return }
            for start in stride(from: range.lowerBound, to: range.upperBound, by: workspace.capacity) {
                let batch = min(workspace.capacity, range.upperBound - start)
                body(workspace.run(base + start * Self.size, batch: batch), start)
            }
        }
    }

    func attentionOutput(_ oracle: LiteralVision, layer: Int) -> [Double] {
        oracle.headOutputs[layer].reduce(vision.blocks[layer].attentionOutput.bias.map(Double.init)) {
            zip($0, $1).map { $0 + $1 }
        }
    }

    @Test func everyTermMatchesALiteralPass() {
        let workspace = DirectEffectsWorkspace(vision, paths: ValueOutputPaths(vision), capacity: Self.capacity)
        let literal = literal
        var (termErrors, sumErrors) = ([Double](), [Double]())
        forEachBatch(workspace) { effects, start in
            for image in 0..<effects.batch {
                let oracle = literal[start + image]
                func compare(_ found: UnsafePointer<Float>, row: Int, to v: [Double]) {
                    let row = (row * Self.d..<(row + 1) * Self.d).map { found[$0] }
                    termErrors.append(relativeError(row, oracle.directEffect(of: v)))
                }
                compare(effects.embedding, row: image, to: oracle.embedding)
                for layer in 0..<Self.L {
                    compare(effects.attention, row: image * Self.L + layer, to: attentionOutput(oracle, layer: layer))
                    compare(effects.mlps, row: image * Self.L + layer, to: oracle.mlpOutputs[layer])
                    for head in 0..<Self.H {
                        compare(
                            effects.heads, row: (image * Self.L + layer) * Self.H + head,
                            to: oracle.headOutputs[layer][head])
                    }
                }
                let sum = (0..<Self.d).map { j in
                    (0..<Self.L).reduce(
                        effects.embedding[image * Self.d + j] + effects.constants[image * Self.d + j]
                    ) {
                        let index = (image * Self.L + $1) * Self.d + j
                        return $0 + effects.attention[index] + effects.mlps[index]
                    }
                }
                let R = oracle.representation.map { $0 * oracle.scale }
                sumErrors.append(relativeError(sum, R))
                sumErrors.append(
                    relativeError((image * Self.d..<(image + 1) * Self.d).map { effects.representations[$0] }, R))
            }
        }
        #expect(termErrors.count == Self.imageCount * (1 + Self.L * (2 + Self.H)))
        #expect(termErrors.largestMagnitude() < 1e-4)
        #expect(sumErrors.largestMagnitude() < 1e-4)
    }

    @Test func neuronsWriteWhereALiteralPassSaysSo() {
        let paths = ValueOutputPaths(vision)
        let oracle = literal[0]
        let errors = (0..<Self.L).flatMap { layer -> [Double] in
            let found = paths.directDirections(layer: layer, of: vision)
            let weight = vision.blocks[layer].mlpOutput.weight
            let (D, N) = (weight.shape[0], weight.shape[1])
            return (0..<N).map { n in
                let w = (0..<D).map { Double(weight.elements[$0 * N + n]) }
                let mean = w.reduce(0, +) / Double(D)
                let effect = oracle.directEffect(of: w.map { $0 - mean })
                let length = effect.reduce(0) { $0 + $1 * $1 }.squareRoot()
                return relativeError(found[row: n], effect.map { $0 / length })
            }
        }
        #expect(errors.count == vision.blocks.reduce(0) { $0 + $1.neurons })
        #expect(errors.largestMagnitude() < 1e-5, "\(errors.largestMagnitude())")
    }

    @Test func aWorkspaceMayBeShared() {
        let paths = ValueOutputPaths(vision)
        let workspace = VisionWorkspace(
            vision, capacity: Self.capacity,
            capturing: [CaptureRequest](
                repeating: DirectEffectsWorkspace.request.union([.activations]), count: Self.L))
        let shared = DirectEffectsWorkspace(vision, paths: paths, capacity: Self.capacity).decompose(
            vision(images, batch: Self.capacity, workspace))
        let own = DirectEffectsWorkspace(vision, paths: paths, capacity: Self.capacity).run(
            images, batch: Self.capacity)
        let count = Self.capacity * Self.L * Self.d
        for i in 0..<count * Self.H { #expect(shared.heads[i] == own.heads[i]) }
        for i in 0..<count { #expect(shared.mlps[i] == own.mlps[i]) }
        #expect((0..<count * Self.H).contains { own.heads[$0] != 0 })
    }

    @Test func ablatedRepresentationsMatch() {
        let workspace = DirectEffectsWorkspace(vision, paths: ValueOutputPaths(vision), capacity: Self.capacity)
        var sums = DirectEffectSums(layers: Self.L, embeddingWidth: Self.d)
        let fit = 0..<6
        forEachBatch(workspace, of: fit) { effects, _ in sums.add(effects) }
        let ablation = FirstOrderAblation(means: sums.means, capacity: Self.capacity)
        let literal = literal
        /// e − ē of every image and layer. // [images][L][d]
        func centred(_ term: (LiteralVision, Int) -> [Double]) -> [[[Double]]] {
            let all = literal.map { oracle in (0..<Self.L).map { oracle.directEffect(of: term(oracle, $0)) } }
            return all.map { image in
                (0..<Self.L).map { layer in
                    (0..<Self.d).map { j in
                        image[layer][j] - fit.reduce(0.0) { $0 + all[$1][layer][j] } / Double(fit.count)
                    }
                }
            }
        }
        let (attention, mlps) = (centred { attentionOutput($0, layer: $1) }, centred { $0.mlpOutputs[$1] })
        var errors: [Double] = []
        forEachBatch(workspace) { effects, start in
            ablation.update(effects)
            for image in 0..<effects.batch {
                let oracle = literal[start + image]
                for condition in FirstOrderCondition.allCases {
                    for step in 0..<Self.L {
                        let (terms, replaced) =
                            switch condition {
                            case .attentionFromFirst: (attention, 0...step)
                            case .attentionFromLast: (attention, step...Self.L - 1)
                            case .mlpsFromFirst: (mlps, 0...step)
                            case .mlpsFromLast: (mlps, step...Self.L - 1)
                            }
                        let expected = (0..<Self.d).map { j in
                            replaced.reduce(oracle.representation[j] * oracle.scale) {
                                $0 - terms[start + image][$1][j]
                            }
                        }
                        let row = ablation.representations(condition) + (image * Self.L + step) * Self.d
                        errors.append(relativeError((0..<Self.d).map { row[$0] }, expected))
                    }
                }
            }
        }
        #expect(errors.count == Self.imageCount * 4 * Self.L)
        #expect(errors.largestMagnitude() < 1e-4)
    }

    @Test func momentsMatch() {
        let paths = ValueOutputPaths(vision)
        let workspace = DirectEffectsWorkspace(vision, paths: paths, capacity: Self.capacity)
        var moments = HeadMoments(paths)
        forEachBatch(workspace) { effects, _ in moments.add(effects) }
        #expect(moments.images == Self.imageCount)
        let literal = literal
        for k in 0..<Self.L * Self.H {
            let rows = literal.map { $0.directEffect(of: $0.headOutputs[k / Self.H][k % Self.H]) }
            let mean = (0..<Self.d).map { j in rows.reduce(0) { $0 + $1[j] } / Double(rows.count) }
            let covariance = (0..<Self.d * Self.d).map { index in
                let (i, j) = (index / Self.d, index % Self.d)
                return rows.reduce(0) { $0 + ($1[i] - mean[i]) * ($1[j] - mean[j]) } / Double(rows.count)
            }
            #expect(relativeError(moments.mean(of: k, paths).map(Float.init), mean) < 1e-4, "head \(k)")
            #expect(relativeError(moments.covariance(of: k, paths).map(Float.init), covariance) < 1e-4, "head \(k)")
        }
    }

    @Test func shardsAddUp() {
        let paths = ValueOutputPaths(vision)
        let workspace = DirectEffectsWorkspace(vision, paths: paths, capacity: Self.capacity)
        func shard(_ range: Range<Int>) -> (DirectEffectSums, HeadMoments) {
            var sums = DirectEffectSums(layers: Self.L, embeddingWidth: Self.d)
            var moments = HeadMoments(paths)
            forEachBatch(workspace, of: range) { effects, _ in
                sums.add(effects)
                moments.add(effects)
            }
            return (sums, moments)
        }
        let whole = shard(0..<Self.imageCount)
        var (sums, moments) = shard(0..<5)
        let rest = shard(5..<Self.imageCount)
        sums += rest.0
        moments += rest.1
        #expect(sums.images == whole.0.images && moments.images == whole.1.images)
        #expect(largestError(sums.means.attention.elements, whole.0.means.attention.elements) < 1e-4)
        #expect(largestError(sums.means.mlps.elements, whole.0.means.mlps.elements) < 1e-4)
        for (found, expected) in [(moments.sums, whole.1.sums), (moments.products, whole.1.products)] {
            #expect(relativeError(found.map(Float.init), expected) < 1e-6)
        }
    }
}
