import Dispatch
import Synchronization

/// What all workers of a step need and make together, such as a table for each layer of a model.
///
/// A worker that asks makes parts until none is left to take, waits for those that others are making, and
/// gets all of them. They last as long as the step is at work, its reduction included: the memory of one
/// step is free before the next begins.
///
/// ```swift
/// let tables = SharedParts(layers.count) { inputs, index in try Table(layers[index], inputs[means]) }
/// …
/// makeWorker: { inputs in
///     let tables = try inputs.parts(tables)
/// ```
public final class SharedParts<Part: Sendable>: Sendable {
    public let count: Int
    let make: @Sendable (StepInputs, Int) throws -> Part

    /// - Parameter make: makes a part; called once for each index in a run of the step, on any worker.
    public init(_ count: Int, _ make: @escaping @Sendable (StepInputs, Int) throws -> Part) {
        precondition(count >= 0)
        self.count = count
        self.make = make
    }
}

/// The parts of one run of a step.
final class PartsInTheMaking<Part: Sendable>: Sendable {
    private let parts: SharedParts<Part>
    private let next = Atomic(0)
    private let made: Mutex<[Result<Part, any Error>?]>
    private let group = DispatchGroup()

    init(_ parts: SharedParts<Part>) {
        self.parts = parts
        made = Mutex([Result<Part, any Error>?](repeating: nil, count: parts.count))
        for _ in 0..<parts.count { group.enter() }
    }

    /// Makes what nobody has taken yet.
    /// - Throws: what making the first part that failed threw.
    func finish(_ inputs: StepInputs) throws -> [Part] {
        while true {
            let (index, _) = next.add(1, ordering: .relaxed)
            guard index < parts.count else { break }
            let part = Result { try parts.make(inputs, index) }
            made.withLock { $0[index] = part }
            group.leave()
        }
        group.wait()
        return try made.withLock { made in try made.compactMap { try $0?.get() } }
    }
}
