import Testing

@testable import Pipeline

@Suite struct GraphTests {
    // MARK: Typed graph

    @Test func anEqualStepIsShared() throws {
        var graph = Graph()
        let first = try graph.add(constant(kind: "fit", label: "for ablation"))
        let second = try graph.add(constant(kind: "fit", label: "for search"))
        #expect(first == second)
        #expect(graph.count == 1)
    }

    @Test func anEqualStepWithAnotherResultIsRefused() throws {
        var graph = Graph()
        try graph.add(constant(kind: "fit", label: "a"))
        let error = #expect(throws: PipelineError.self) {
            try graph.add(
                Step(kind: "fit", label: "b", version: 1, work: .single { _ in Sums([1]) }))
        }
        guard case .duplicateOutput(_, "fit (a)", "fit (b)") = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func anInputOfAnotherGraphIsRefused() throws {
        var other = Graph()
        let foreign = try other.add(constant(kind: "foreign"))
        var graph = Graph()
        var step = constant(kind: "fit")
        step.inputs = [foreign.erased]
        let error = #expect(throws: PipelineError.self) { try graph.add(step) }
        guard case .danglingInput("fit", "foreign") = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(arguments: [(-1, 1), (1, 0), (1, -1)])
    func impossibleShardingsAreRefused(units: Int, unitsPerShard: Int) {
        #expect(throws: PipelineError.self) {
            try Work<Sums>.map(
                units: units, unitsPerShard: unitsPerShard,
                makeWorker: { _ in { _ in Sums([]) } }, reduce: { _, _ in Sums([]) })
        }
    }

    @Test func shardsCoverAllUnitsOnce() throws {
        for (units, unitsPerShard, count) in [(0, 5, 0), (1, 5, 1), (10, 5, 2), (11, 5, 3)] {
            let sharding = try #require(Sharding(units: units, unitsPerShard: unitsPerShard))
            #expect(sharding.shardCount == count)
            #expect((0..<count).flatMap { Array(sharding.shard($0).units) } == Array(0..<units))
        }
        #expect(Sharding(units: .max, unitsPerShard: .max)?.shard(0).units == 0..<Int.max)
    }

    // MARK: Keys

    @Test func keysDependOnEverythingThatChangesNumbersAndOnNothingElse() throws {
        let base = try key()
        #expect(base.digest.count == 64)
        #expect(try key(label: "other") == base)
        #expect(try key(memory: MemoryEstimate(shared: 1, perWorker: 1)) == base)
        let others = [
            try key(kind: "b"), try key(version: 2), try key(parameters: ["m": 2]),
            try key(parameters: ["m": 1.0]), try key(parameters: ["n": 1]),
            try key(digests: ["model": "y"]), try key(digests: ["data": "x"]),
        ]
        #expect(Set(others + [base]).count == others.count + 1)
    }

    @Test func canonicalJSONIsSortedAndUnambiguous() {
        let value: ParameterValue = [
            "b": [1, 2.0, -0.0, 1e300, true, nil], "a": "\u{1}\"\\é", "A": ["x": []],
            "n": .number(.nan),
        ]
        #expect(
            value.canonicalJSON
                == #"{"A":{"x":[]},"a":"\u0001\"\\é","b":[1,2.0,-0.0,1e+300,true,null],"n":"nan"}"#)
    }

    private func key(
        kind: String = "a", label: String = "", version: Int = 1,
        parameters: Parameters = ["m": 1], digests: [String: String] = ["model": "x"],
        memory: MemoryEstimate? = nil
    ) throws -> StepKey {
        var graph = Graph()
        return try graph.add(
            Step(
                kind: kind, label: label, version: version, parameters: parameters,
                digests: digests, memory: memory, work: .single { _ in Report(total: 0, text: "") })
        ).key
    }

    private func constant(kind: String, label: String = "") -> Step<Report> {
        Step(
            kind: kind, label: label, version: 1, work: .single { _ in Report(total: 0, text: "") })
    }
}
