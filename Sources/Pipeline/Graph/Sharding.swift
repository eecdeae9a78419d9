/// How the units of a step (its images) are cut into shards: runs of units of the same length, but
/// for the last.
public struct Sharding: Hashable, Sendable, Codable {
    public let units: Int
    public let unitsPerShard: Int

    /// Nil unless `units` ≥ 0 and `unitsPerShard` ≥ 1.
    public init?(units: Int, unitsPerShard: Int) {
        guard units >= 0, unitsPerShard >= 1 else { return nil }
        self.units = units
        self.unitsPerShard = unitsPerShard
    }

    public var shardCount: Int {
        units / unitsPerShard + (units.isMultiple(of: unitsPerShard) ? 0 : 1)
    }

    /// The index of the shard that holds a unit.
    public func shardIndex(of unit: Int) -> Int { unit / unitsPerShard }

    /// The shard of an index from 0 to `shardCount - 1`.
    public func shard(_ index: Int) -> Shard {
        let start = index * unitsPerShard
        return Shard(index: index, units: start..<start + min(unitsPerShard, units - start))
    }
}

/// One run of units of a step.
public struct Shard: Hashable, Sendable {
    public let index: Int
    /// The units of the shard, counted over the whole step.
    public let units: Range<Int>
}
