import Foundation
import Foundations

/// The lines of the printed table.
enum Report {
    enum Goal {
        case atLeast(Double)
        case atMost(Double)

        func isMet(by value: Double) -> Bool {
            switch self {
            case .atLeast(let bound): value >= bound
            case .atMost(let bound): value <= bound
            }
        }

        var description: String {
            switch self {
            case .atLeast(let bound): String(format: "≥ %g", bound)
            case .atMost(let bound): String(format: "≤ %g", bound)
            }
        }
    }

    static let header = row("measured", "min", "median", "max", "unit", "goal")

    /// The extremes and the median of repeated values; the median decides whether the goal is met.
    static func line(_ title: String, _ values: [Double], unit: String, goal: Goal? = nil) -> String {
        let sorted = values.sorted()
        let median = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        let verdict = goal.map { "\($0.description)  \($0.isMet(by: median) ? "met" : "missed")" } ?? ""
        let numbers = [sorted[0], median, sorted[sorted.count - 1]].map { String(format: "%.1f", $0) }
        return row(title, numbers[0], numbers[1], numbers[2], unit, verdict)
    }

    /// - Parameter goal: bytes that it may be at most.
    static func memory(_ title: String, bytes: Int?, goal: Int? = nil) -> String {
        guard let bytes else { return row(title, "", "unknown", "", "MiB", "") }
        let verdict =
            goal.map { "\(Goal.atMost(Double($0 >> 20)).description)  \(bytes <= $0 ? "met" : "missed")" } ?? ""
        return row(title, "", String(bytes >> 20), "", "MiB", verdict)
    }

    /// Words where a number cannot be had.
    static func note(_ title: String, _ text: String) -> String { row(title, "", text, "", "", "") }

    private static func row(
        _ title: String, _ least: String, _ median: String, _ most: String, _ unit: String, _ goal: String
    ) -> String {
        let numbers = [least, median, most].map { $0.padded(to: 8, atTheLeft: true) }
        let cells = [title.padded(to: 66)] + numbers + [unit.padded(to: 8), goal]
        return cells.joined(separator: "  ").trimmingCharacters(in: .whitespaces)
    }
}
