/// Steps declared by name, in any order, with the names of what they depend on.
///
/// Where a graph is assembled from declarations that may name each other freely, this is the check
/// before any of them is built: `order()` gives the order in which to add them to a `Graph`.
public struct GraphDescription: Sendable {
    private struct Node {
        var name: String
        var inputs: [String]
        var output: String
    }

    private var nodes: [Node] = []

    public init() {}

    /// Declares a step.
    /// - Parameter output: what the step writes, where that is not simply called like the step.
    public mutating func add(_ name: String, inputs: [String] = [], output: String? = nil) {
        nodes.append(Node(name: name, inputs: inputs, output: output ?? name))
    }

    /// The names in an order in which inputs come first; otherwise in the order of declaration.
    ///
    /// Takes time and memory in proportion to the graph, and no stack.
    /// - Throws: `PipelineError.duplicateStep`, `.duplicateOutput`, `.danglingInput`, `.cycle`.
    public func order() throws -> [String] {
        let indices = try indicesByName()
        let inputs = try nodes.map { node in
            try node.inputs.map { input in
                guard let index = indices[input] else {
                    throw PipelineError.danglingInput(step: node.name, input: input)
                }
                return index
            }
        }

        // Depth first, with a stack of (step, number of its inputs that have been visited).
        enum Mark { case new, onPath, done }
        var marks = [Mark](repeating: .new, count: nodes.count)
        var order: [String] = []
        for root in nodes.indices where marks[root] == .new {
            var path: [(step: Int, visited: Int)] = [(root, 0)]
            marks[root] = .onPath
            while let (step, visited) = path.last {
                guard visited < inputs[step].count else {
                    marks[step] = .done
                    order.append(nodes[step].name)
                    path.removeLast()
                    continue
                }
                path[path.count - 1].visited += 1
                let next = inputs[step][visited]
                switch marks[next] {
                case .new:
                    marks[next] = .onPath
                    path.append((next, 0))
                case .onPath:
                    let cycle = path.drop { $0.step != next }
                    throw PipelineError.cycle(cycle.map { nodes[$0.step].name })
                case .done:
                    break
                }
            }
        }
        return order
    }

    private func indicesByName() throws -> [String: Int] {
        var indices: [String: Int] = [:]
        var writers: [String: String] = [:]
        for (index, node) in nodes.enumerated() {
            guard indices.updateValue(index, forKey: node.name) == nil else {
                throw PipelineError.duplicateStep(node.name)
            }
            if let first = writers.updateValue(node.name, forKey: node.output) {
                throw PipelineError.duplicateOutput(
                    output: node.output, first: first, second: node.name)
            }
        }
        return indices
    }
}
