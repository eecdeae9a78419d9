import Dispatch

/// Runs the same work on several Dispatch queues at once, as the pipeline runs its shards.
struct Workers<State>: @unchecked Sendable {
    // Safe to send: a state is touched only on its own queue, and `time` waits for all of them.
    private let states: [(queue: DispatchQueue, state: State)]

    var count: Int { states.count }
    /// To be looked at between two calls of ``time(_:)``.
    var all: [State] { states.map(\.state) }

    init(_ count: Int, makeState: () -> State) {
        states = (0..<count).map { (DispatchQueue(label: "clip-lens.bench.\($0)"), makeState()) }
    }

    /// Seconds from the start until the last worker is done.
    func time(_ body: @escaping @Sendable (State) -> Void) -> Double {
        let group = DispatchGroup()
        let start = DispatchTime.now()
        for index in states.indices {
            states[index].queue.async(group: group) { body(states[index].state) }
        }
        group.wait()
        return start.seconds
    }
}

extension DispatchTime {
    /// Seconds since this time.
    var seconds: Double { Double(DispatchTime.now().uptimeNanoseconds - uptimeNanoseconds) * 1e-9 }
}
