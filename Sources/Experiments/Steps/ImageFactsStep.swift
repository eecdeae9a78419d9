import Pipeline

enum ImageFactsStep {
    /// The facts of all images of a set, so that nobody has to open its pixels for them.
    static func add(
        _ images: StepHandle<Shards<ImageShard>>, label: String, in graph: inout Graph
    ) throws -> StepHandle<ImageFacts> {
        try graph.add(
            Step(
                kind: "image-facts", label: label, version: 2, inputs: [images.erased],
                work: .single { inputs in
                    let shards = try inputs[images]
                    var facts = ImageFacts()
                    for index in 0..<shards.count { facts.append(try shards[index].facts) }
                    return facts
                }))
    }
}
