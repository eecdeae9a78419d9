import Foundation
import TestSupport
import Testing

@testable import Pipeline

@Suite struct PlanTests {
    @Test func planningAnEmptyFolderCreatesNothing() throws {
        let folder = try TemporaryFolder()
        let plan = try Plan(SamplePipeline().graph, store: ArtefactStore(results: folder.url))
        #expect(plan.entries.map(\.status) == [.run(.missing), .run(.missing), .run(.missing)])
        #expect(plan.entries.map(\.name) == ["weights", "sum (layer 1)", "report"])
        #expect(plan.stepsToRun == 3 && plan.unitsLeft == 100)
        #expect(try FileManager.default.subpathsOfDirectory(atPath: folder.url.path).isEmpty)
    }

    @Test func aChangedParameterIsNamedWithBothValues() throws {
        let folder = try TemporaryFolder()
        try SamplePipeline(scale: 2).run(in: folder)
        let statuses = try SamplePipeline(scale: 0.5).statuses(in: folder)
        #expect(
            statuses == [
                .run(.changed([.parameter("scale", from: 2, to: 0.5)])),
                .run(.changed([.input("weights")])),
                .run(.changed([.input("sum (layer 1)")])),
            ])
    }

    @Test func replacedWeightsUnderTheSameNameRunEverythingDownstream() throws {
        let folder = try TemporaryFolder()
        try SamplePipeline(model: "m1").run(in: folder)
        let statuses = try SamplePipeline(model: "m2").statuses(in: folder)
        #expect(statuses[0] == .run(.changed([.digest("model", from: "m1", to: "m2")])))
        #expect(statuses.count { $0.isRun } == 3)
    }

    @Test func codeVersionAndShardingAreNamed() throws {
        let folder = try TemporaryFolder()
        try SamplePipeline().run(in: folder)
        #expect(
            try SamplePipeline(version: 2).statuses(in: folder)[0]
                == .run(.changed([.codeVersion(from: 1, to: 2)])))
        #expect(
            try SamplePipeline(unitsPerShard: 8).statuses(in: folder)[1]
                == .run(
                    .changed([
                        .sharding(
                            from: Sharding(units: 100, unitsPerShard: 7),
                            to: Sharding(units: 100, unitsPerShard: 8))
                    ])))
    }

    @Test func theMostSimilarFormerStepIsComparedWith() throws {
        let folder = try TemporaryFolder()
        try SamplePipeline(scale: 2, version: 7, model: "far").run(in: folder)
        try SamplePipeline(scale: 3).run(in: folder)
        #expect(
            try SamplePipeline(scale: 4).statuses(in: folder)[0]
                == .run(.changed([.parameter("scale", from: 3, to: 4)])))
    }

    @Test func anUnfinishedStepSaysHowMuchIsLeft() throws {
        let folder = try TemporaryFolder()
        let pipeline = try SamplePipeline { if $0.index == 4 { throw ShardFailure() } }
        #expect(throws: PipelineError.self) { try pipeline.run(in: folder, workers: 1) }
        let plan = try Plan(pipeline.graph, store: ArtefactStore(results: folder.url))
        #expect(plan.entries[1].status == .run(.incomplete(finishedShards: 4, of: 15)))
        #expect(plan.entries[1].units == 100)
        #expect(plan.entries[1].unitsLeft == 72)
        #expect(plan.entries[1].memory?.bytes(workers: 3) == 130)
    }

    @Test func datesPlayNoPart() throws {
        let folder = try TemporaryFolder()
        let pipeline = try SamplePipeline()
        try pipeline.run(in: folder)
        let dates = [Date(timeIntervalSince1970: 0), Date.now.addingTimeInterval(400 * 86_400)]
        for (index, path) in try folder.files().enumerated() {
            try FileManager.default.setAttributes(
                [.modificationDate: dates[index % 2]],
                ofItemAtPath: folder.url.appendingPathComponent(path).path)
        }
        #expect(try pipeline.statuses(in: folder) == [.done, .done, .done])
    }
}
