import Attribution
import CLIPModel
import TestSupport

/// CLIP Surgery's forward pass, second path and all tokens included, against the plain one: one image at a time, as a
/// map is made.
struct SurgeryBenchmark {
    /// At most, of the plain pass.
    static let goal = 0.35
    private let model: BenchmarkModel
    private let tower: VisionTransformer
    private let size: Int

    /// - Parameter size: height and width of the input, in pixels.
    init(_ model: BenchmarkModel, _ tower: VisionTransformer, size: Int) throws {
        (self.model, self.size) = (model, size)
        self.tower = try tower.resized(to: size)
    }

    /// Both passes by turns, so that whatever else the machine does disturbs both.
    func run(repeats: Int) -> [String] {
        let recipe = SurgeryRecipe.surgery(depth: 6)
        let tower = tower
        let plain = Workers(1) { VisionWorkspace(tower, capacity: 1) }
        let surgery = Workers(1) { SurgeryWorkspace(tower, recipes: [recipe], capacity: 1) }
        let image = RandomVision.images(1, of: tower.configuration, seed: 5)
        func forward() -> Double {
            plain.time { _ = tower(image, batch: 1, $0) }
        }
        func both() -> Double {
            surgery.time { _ = $0.run(image, batch: 1).embed(recipe) }
        }
        _ = (forward(), both())  // touches all memory
        var (rates, ratios) = ([Double](), [Double]())
        for _ in 0..<repeats {
            let before = forward()
            let time = both()
            rates.append(1 / time)
            ratios.append(time / min(before, forward()))
        }
        let title = "\(model.name), \(size) pixels, 1 worker"
        return [
            Report.line("\(title): CLIP Surgery, last 6 blocks", rates, unit: "images/s"),
            Report.line(
                "\(title): surgery beyond the plain pass", ratios.map { 100 * ($0 - 1) }, unit: "%",
                goal: .atMost(100 * Self.goal)),
        ]
    }
}
