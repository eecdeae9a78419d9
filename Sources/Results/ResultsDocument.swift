import Foundation
import Pipeline

/// All tables of a results folder and the ledger of claims, as one document of Markdown.
///
/// It has each experiment's latest run with rows, in the order in which their rows were first made. Nothing in it says
/// when or where it was made, so that the same numbers give the same bytes; with which kernels, because a search may take
/// another of two words at a near tie.
public struct ResultsDocument {
    public let text: String

    /// What the line begins with that names the kernels.
    static let kernels = "Kernels: "

    /// - Parameters:
    ///   - papers: whose claims are listed, also those that no run can say anything of.
    ///   - introduction: a line under the title, Markdown.
    /// - Throws: `ResultsError`.
    public init(_ database: ResultsDatabase, papers: Papers = Papers(), introduction: String) throws {
        let runs = try database.latestRuns().sorted { ($0.rowsRun ?? 0, $0.id) < ($1.rowsRun ?? 0, $1.id) }
        let kernels = Set(
            runs.map { "BLAS core \($0.blasCore), linear layers by \($0.versions["linear layers"] ?? "OpenBLAS")" }
        ).sorted()
        var parts = [
            "# Results\n", introduction + "\n", Self.kernels + kernels.joined(separator: "; ") + ".\n",
            "## \(ClaimLedger.title)\n", try database.ledger(papers: papers).markdown(),
        ]
        for run in runs {
            let name = ComparedRun.name(of: run).description
            parts.append("## \(name)\n")
            if run.state == .ended(.untrusted) {
                parts.append("**Do not trust these numbers:** a control failed: \(Markdown.text(run.message ?? "")).\n")
            }
            let metrics = try database.metrics(of: run)
            parts += try database.layouts(of: run).map { MetricTable.make($0, metrics: metrics).markdown() }
        }
        text = parts.joined(separator: "\n")
    }
}

/// Whether two documents are the same but for rounding; of other kernels, whether their verdicts are.
public struct DocumentComparison: Sendable {
    /// Whether numbers were made with other kernels, so that only verdicts are compared.
    public let hasOtherKernels: Bool
    /// Lines of the one and of the other that differ, with their numbers.
    public let differences: [(line: Int, expected: String, found: String)]

    /// - Parameter units: of a number's last digit, by which two numbers may differ: on another processor some of 4000 pictures are
    ///   classified otherwise.
    public init(expected: String, found: String, units: Double = 3) {
        func lines(_ text: String) -> [String] {
            text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        func kernels(_ lines: [String]) -> String? { lines.first { $0.hasPrefix(ResultsDocument.kernels) } }
        let (first, second) = (lines(expected), lines(found))
        let hasOtherKernels = kernels(first) != kernels(second)
        self.hasOtherKernels = hasOtherKernels
        func compared(_ lines: [String], _ index: Int) -> String {
            guard index < lines.count else { return "" }
            return hasOtherKernels ? Self.verdict(lines[index]) : lines[index]
        }
        differences = (0..<max(first.count, second.count)).compactMap { index in
            let (a, b) = (compared(first, index), compared(second, index))
            return Self.isSame(a, b, units: units) ? nil : (index + 1, a, b)
        }
    }

    /// A claim with its verdict and without the numbers that decided it; empty for another line.
    private static func verdict(_ line: String) -> String {
        let verdicts = ClaimVerdict.Verdict.allCases.map { "| **\($0.rawValue)" }
        return verdicts.contains(where: line.contains)
            ? line.split(separator: "|").prefix(3).joined(separator: "|") : ""
    }

    private static func isSame(_ expected: String, _ found: String, units: Double) -> Bool {
        guard expected != found else { return true }
        let number = /[−-]?\d+(?:\.\d+)?/
        guard expected.replacing(number, with: "0") == found.replacing(number, with: "0") else { return false }
        return zip(expected.matches(of: number), found.matches(of: number)).allSatisfy { a, b in
            let places = a.output.split(separator: ".").dropFirst().first?.count ?? 0
            let values = [a, b].map { Double($0.output.replacing("−", with: "-")) ?? .nan }
            // Whole numbers count something, and are what they are.
            return values[0] == values[1]
                || places > 0 && abs(values[0] - values[1]) <= units * pow(10, -Double(places)) * 1.000001
        }
    }
}

/// JSON objects of texts as columns hold them: members in the order in which people read them.
enum RowJSON {
    static func object(_ members: [(String, String)]) -> String {
        let pairs = members.map { name, value in
            ParameterValue.text(name).canonicalJSON + ":" + ParameterValue.text(value).canonicalJSON
        }
        return "{" + pairs.joined(separator: ",") + "}"
    }

    static func object(_ subject: Subject) -> String {
        object(subject.columns.map { ($0.name, $0.value) })
    }

    /// - Throws: what encoding throws.
    static func text(_ layout: TableLayout) throws -> String {
        String(decoding: try ArtefactJSON.encode(layout), as: UTF8.self)
    }
}
