import CLIPModel
import DenseMath
import Foundations
import TestSupport

/// Texts a second of ViT-B/32's text tower: the words of a pool, and the prompts of a classifier.
struct TextBenchmark {
    private static let (start, end) = (49406, 49407)
    private static let workers = 2

    private let tower: TextTransformer
    private let texts: Int

    /// - Parameter texts: of each kind, for each worker, about.
    init(texts: Int) {
        let configuration = TextConfiguration(
            vocabularySize: 49408, contextLength: 77, width: 512, layers: 12, heads: 8, mlpWidth: 2048,
            activation: .quickGELU, layerNormEpsilon: 1e-5, pooling: .highestToken)
        // Blocks of the same shape; what stands around them is small.
        let blocks = RandomVision.make(
            VisionConfiguration(
                imageSize: 32, patchSize: 32, width: 512, layers: 12, heads: 8, mlpWidth: 2048, activation: .quickGELU,
                layerNormEpsilon: 1e-5), embeddingWidth: 512)
        var random = SplitMix64(seed: 9)
        func matrix(_ rows: Int) -> Tensor {
            Tensor(shape: [rows, 512], elements: (0..<rows * 512).map { _ in Float(random.uniform(-1...1)) })
        }
        tower = TextTransformer(
            configuration: configuration, tokenEmbedding: matrix(49408), positionEmbedding: matrix(77),
            blocks: blocks.blocks, readout: Readout(norm: blocks.readout.norm, projection: matrix(512)))
        self.texts = texts
    }

    func run(repeats: Int) -> [String] {
        // A common word is one token or two; OpenAI's 80 sentences with a class name are seven to fifteen.
        // A pool is embedded in shards, a classifier class by class.
        line("30 000 one-word phrases", 30_000, lengths: 1...2, together: 1024, goal: 60, repeats)
            + line("80 000 classifier prompts", 80_000, lengths: 7...15, together: 80, goal: 360, repeats)
    }

    private func line(
        _ what: String, _ count: Int, lengths: ClosedRange<Int>, together: Int, goal: Double, _ repeats: Int
    ) -> [String] {
        var random = SplitMix64(seed: 10)
        let lists = (0..<max(texts / together, 1)).map { _ in
            (0..<together).map { _ in
                [Self.start] + (0..<lengths.lowerBound + random.below(lengths.count)).map { _ in random.below(40_000) }
                    + [Self.end]
            }
        }
        let projected = Self.workers * lists.count * together
        let tower = tower
        let workers = Workers(Self.workers) { 0 }
        let seconds = (0..<repeats + 1).map { _ in
            workers.time { _ in for list in lists { _ = tower(list) } } * Double(count) / Double(projected)
        }.dropFirst()  // makes the kernels
        return [
            Report.line(
                "Text tower of ViT-B/32, 2 workers: \(what), projected from \(projected)", Array(seconds), unit: "s",
                goal: .atMost(goal))
        ]
    }
}
