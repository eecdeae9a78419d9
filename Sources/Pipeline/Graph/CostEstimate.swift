/// A kind of work whose speed on a machine is measured in a moment.
public protocol Workload: Sendable {
    /// Tells kinds of work apart in a stored calibration.
    var name: String { get }
    /// Operations a second of each worker while some work at once.
    func measureSpeed(workers: Int) -> Double
}

/// Operations that a step takes, from which its time is estimated.
public struct CostEstimate: Sendable {
    /// What the operations are like.
    public var workload: any Workload
    /// Done once, by the step's workers together.
    public var fixed: Double
    /// For each unit; for a step that is not a map there is one.
    public var perUnit: Double

    public init(_ workload: any Workload, fixed: Double = 0, perUnit: Double) {
        self.workload = workload
        self.fixed = fixed
        self.perUnit = perUnit
    }
}
