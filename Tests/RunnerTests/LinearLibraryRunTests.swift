import DenseMath
import Foundation
import Results
import Testing

/// Which library multiplies in linear layers is a run's own: it is written down, and changes numbers by rounding only.
struct LinearLibraryRunTests {
    private func run(_ environment: [String: String]) throws -> (library: String, values: [Double], isRead: Bool) {
        let run = try FaultRun()
        defer { run.remove() }
        let output = try RunnerProcess.start(run.arguments(), environment: environment).wait()
        try #require(output.status == 0, "\(output.errors)")
        let database = try ResultsDatabase(readingFrom: run.database)
        let stored = try #require(try database.latestRun(of: "mean-ablation"))
        let library = try #require(stored.versions["linear layers"])
        return (library, try database.metrics(of: stored).compactMap(\.value), output.text.contains(library))
    }

    @Test func theLibraryIsRecordedAndRoundsOnly() throws {
        let plain = try run([:])
        let openBLAS = try run([LinearLibrary.environmentVariable: "openblas"])
        #expect(openBLAS.library == "OpenBLAS \(BLAS.coreName)" && openBLAS.isRead, "\(openBLAS.library)")
        #expect(plain.library == LinearLibrary.current.description && plain.isRead, "\(plain.library)")
        #expect(plain.values.count == openBLAS.values.count && !plain.values.isEmpty)
        let largest = zip(plain.values, openBLAS.values).map { abs($0 - $1) }.max() ?? .infinity
        #expect(largest < 1e-3, "\(largest)")
    }
}
