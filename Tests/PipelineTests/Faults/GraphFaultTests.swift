import Foundation
import Testing

@testable import Pipeline

/// Graphs that are wrong or huge.
///
/// There is no cycle to be refused: a step names its inputs by handles, and only adding a step to the graph gives
/// its handle, so whatever a step depends on was added before it. A handle of another graph is refused.
@Suite struct GraphFaultTests {
    /// A folder in memory where there is one: ten thousand steps sync twenty thousand files.
    private func folder() throws -> URL {
        let memory = URL(fileURLWithPath: "/dev/shm", isDirectory: true)
        let parent =
            FileManager.default.isWritableFile(atPath: memory.path) ? memory : FileManager.default.temporaryDirectory
        let url = parent.appendingPathComponent("pipeline-tests-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }

    private func chain(_ count: Int) throws -> (graph: Graph, last: StepHandle<Report>) {
        var graph = Graph()
        var last = try graph.add(Step(kind: "link", version: 1, work: .single { _ in Report(total: 0, text: "") }))
        for index in 1..<count {
            last = try graph.add(
                Step(
                    kind: "link", label: "\(index)", version: 1, inputs: [last.erased],
                    work: .single { [last] in Report(total: try $0[last].total + 1, text: "") }))
        }
        return (graph, last)
    }

    @Test func aChainOfTenThousandStepsRunsAndIsPlannedAgain() throws {
        let count = 10_000
        let (graph, last) = try chain(count)
        let url = try folder()
        defer { try? FileManager.default.removeItem(at: url) }
        let plan = try Plan(graph, store: ArtefactStore(results: url))
        #expect(plan.stepsToRun == count)
        let results = try ResultsFolder(url, lockTimeout: .zero)
        let result = try Executor(graph, in: results).run()
        #expect(try result.artefact(last).total == Double(count - 1))
        #expect(try Plan(graph, store: ArtefactStore(results: url)).stepsToRun == 0)
    }

    /// Halfway through, the steps that are done are looked at once, not once for each that is left.
    @Test func aHalfFinishedChainIsPlannedInTime() throws {
        let (half, whole) = (try chain(1500), try chain(3000))
        let url = try folder()
        defer { try? FileManager.default.removeItem(at: url) }
        try Executor(half.graph, in: try ResultsFolder(url, lockTimeout: .zero)).run()
        var plan: Plan?
        let seconds = try ContinuousClock().measure { plan = try Plan(whole.graph, store: ArtefactStore(results: url)) }
            .seconds
        #expect(plan?.stepsToRun == 1500)
        #expect(seconds < 20, "\(seconds) s")
    }

    @Test func aStepOfAnotherGraphIsNoInput() throws {
        let (_, foreign) = try chain(2)
        var graph = Graph()
        let error = #expect(throws: PipelineError.self) {
            try graph.add(
                Step(
                    kind: "end", version: 1, inputs: [foreign.erased], work: .single { _ in Report(total: 0, text: "") }
                ))
        }
        guard case .danglingInput("end", "link (1)") = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(graph.count == 0, "the step was added nevertheless")
    }
}
