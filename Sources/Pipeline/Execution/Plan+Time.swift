/// How long finished steps of one kind took: what the next is estimated from, before any formula.
struct StepHistory: Sendable {
    /// Seconds taken over seconds estimated; nil where nothing was estimated.
    var ratio: Double?
    /// Nil where no step had units.
    var secondsPerUnit: Double?
    /// Mean of whole steps.
    var seconds: Double

    /// Nil without steps.
    init?(_ manifests: [StepManifest]) {
        guard !manifests.isEmpty else { return nil }
        func sum(_ values: [Double]) -> Double { values.reduce(0, +) }
        let estimated = manifests.compactMap { manifest in manifest.estimate.map { (manifest.seconds, $0) } }
        let total = sum(estimated.map(\.1))
        ratio = total > 0 ? sum(estimated.map(\.0)) / total : nil
        let units = manifests.filter { ($0.sharding?.units ?? 0) > 0 }
        secondsPerUnit =
            units.isEmpty ? nil : sum(units.map(\.seconds)) / sum(units.map { Double($0.sharding?.units ?? 0) })
        seconds = sum(manifests.map(\.seconds)) / Double(manifests.count)
    }
}

extension CostEstimate {
    /// Time of units, shard by shard on several workers, in seconds; nil without a measured speed.
    ///
    /// The last shards leave workers idle: as long as it takes the worker with the most shards.
    func seconds(units: Int, of sharding: Sharding?, workers: Int, _ calibration: Calibration) -> Double? {
        guard let speed = calibration.speeds[workload.name], speed.alone > 0, speed.together > 0 else { return nil }
        guard let sharding else { return (fixed + perUnit) / speed.alone }
        let shards = (units + sharding.unitsPerShard - 1) / sharding.unitsPerShard
        let busy = max(1, min(workers, shards))
        let longest = min(units, (shards + busy - 1) / busy * sharding.unitsPerShard)
        return (fixed / Double(busy) + perUnit * Double(longest)) / (busy > 1 ? speed.together : speed.alone)
    }
}

extension Plan.Entry {
    /// The time that is left of the step, in seconds: 0 where nothing is to do, nil where nobody can tell.
    ///
    /// By its operations at the machine's measured speed, corrected by how steps of its kind turned out
    /// before; where nobody counted its operations, by what such steps took for a unit.
    public func seconds(workers: Int, _ calibration: Calibration) -> Double? {
        guard status.isRun else { return 0 }
        if let counted = node.cost?.seconds(units: unitsLeft, of: node.sharding, workers: workers, calibration) {
            return counted * (history?.ratio ?? 1)
        }
        return node.sharding == nil ? history?.seconds : history?.secondsPerUnit.map { $0 * Double(unitsLeft) }
    }
}

/// The time of steps that run one after the other.
public struct TimeEstimate: Equatable, Sendable {
    public private(set) var seconds = 0.0
    /// Steps whose time nobody can tell.
    public private(set) var unknownSteps = 0

    /// Over the plans of experiments that share steps: each step counts once.
    public init(_ plans: [Plan], workers: Int, _ calibration: Calibration) {
        var seen: Set<StepKey> = []
        for entry in plans.flatMap(\.entries) where entry.status.isRun && seen.insert(entry.key).inserted {
            if let seconds = entry.seconds(workers: workers, calibration) {
                self.seconds += seconds
            } else {
                unknownSteps += 1
            }
        }
    }
}

extension Plan {
    /// The kinds of work that the plan's time depends on, each once.
    public var workloads: [any Workload] {
        var seen: Set<String> = []
        return entries.compactMap { $0.status.isRun ? $0.node.cost?.workload : nil }.filter {
            seen.insert($0.name).inserted
        }
    }

    /// Operations that are left, of the steps that state them.
    public var operationsLeft: Double {
        entries.reduce(0) { sum, entry in
            guard entry.status.isRun, let cost = entry.node.cost else { return sum }
            return sum + cost.fixed + cost.perUnit * Double(entry.node.sharding == nil ? 1 : entry.unitsLeft)
        }
    }
}
