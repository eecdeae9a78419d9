import Foundation
import Pipeline
import Results
import Testing

/// How images are cut into shards changes the order of additions, and nothing else.
@Suite struct ShardingTests {
    struct Outcome {
        let metrics: [Metric]
        let predictions: [PredictionSet]
    }

    func outcome(imagesPerShard: Int) throws -> Outcome {
        let run = try SmallRun(
            SmallRun.text.replacingOccurrences(of: "images-per-shard: 16", with: "images-per-shard: \(imagesPerShard)"))
        let output = try RunnerProcess.run(run.arguments())
        #expect(output.status == 0, "\(output.errors)")
        let database = try ResultsDatabase(readingFrom: run.results.appendingPathComponent("results.sqlite"))
        let stored = try #require(try database.latestRun(of: "mean-ablation"))
        return Outcome(metrics: try database.metrics(of: stored), predictions: try database.predictions(of: stored))
    }

    @Test func oneShardAndManyMeasureTheSame() throws {
        // All 96 images at once, and six shards of each pass.
        let (one, many) = (try outcome(imagesPerShard: 96), try outcome(imagesPerShard: 16))
        #expect(one.metrics.map(\.name) == many.metrics.map(\.name))
        #expect(one.metrics.map(\.subject) == many.metrics.map(\.subject))
        #expect(one.metrics.count > 20)
        for (metric, other) in zip(one.metrics, many.metrics) {
            #expect(metric.n == other.n)
            let (value, otherValue) = (try #require(metric.value), try #require(other.value))
            switch metric.name {
            case "identity-error":
                // Itself a rounding error, so only its size can be compared.
                #expect(value < 1e-4 && otherValue < 1e-4)
            case "pc1-share":
                #expect(abs(value - otherValue) < 1e-4, "\(metric.name) \(metric.subject)")
            default:
                #expect(value == otherValue, "\(metric.name) \(metric.subject)")
            }
        }
        // Equal accuracies could hide errors that cancel.
        #expect(
            one.predictions.map { $0.predictions.map(\.prediction) }
                == many.predictions.map { $0.predictions.map(\.prediction) })
    }
}
