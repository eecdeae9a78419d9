import Foundation
import Foundations
import Pipeline

/// How numbers of one run vary together: values that they might have had as well.
///
/// Numbers that single images add to are computed anew from images that are drawn again, the same ones for all numbers of the
/// same images, so that a difference of two is as sure as the images make it. A number of which only the interval is known
/// is drawn from a normal distribution with that interval, by itself.
final class Spread {
    static let replicates = 2000

    private let metrics: [Metric]
    private var drawn: [Int: [Double]] = [:]

    init(_ metrics: [Metric]) { self.metrics = metrics }

    /// Values of the metric of an index; nil for one of which nothing says how sure it is. // [replicates]
    func values(_ index: Int) -> [Double]? {
        if let known = drawn[index] { return known }
        let metric = metrics[index]
        let value = metric.value ?? .nan
        let values: [Double]
        if let terms = metric.terms, let replicates = Self.bootstrap(of: terms).replicates(of: terms) {
            values = replicates
        } else if let interval = metric.interval {
            values = Self.normal(
                value, interval,
                seed: Self.hash([metric.name] + metric.subject.columns.map { "\($0.name) \($0.value)" }))
        } else {
            return nil
        }
        drawn[index] = values
        return values
    }

    /// Other images are drawn for other sets of images.
    private static func bootstrap(of terms: ImageTerms) -> Bootstrap {
        Bootstrap(seed: hash(terms.images), replicates: replicates)
    }

    /// The two halves of the interval may be of unequal length.
    private static func normal(_ value: Double, _ interval: Metric.Interval, seed: UInt64) -> [Double] {
        let width = NormalQuantile.of((1 + interval.level) / 2)
        let (below, above) = ((value - interval.lower) / width, (interval.upper - value) / width)
        var generator = SplitMix64(seed: seed, stream: 0)
        return (0..<replicates).map { _ in
            let uniform = (Double(generator.next() >> 11) + 0.5) * 0x1p-53
            let z = NormalQuantile.of(uniform)
            return value + z * (z < 0 ? below : above)
        }
    }

    /// FNV-1a.
    private static func hash(_ texts: [String]) -> UInt64 {
        texts.reduce(0xcbf2_9ce4_8422_2325) { hash, text in
            text.utf8.reduce(hash ^ 0xff) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
        }
    }
}
