import CLIPModel
import DenseMath
import Foundations
import Lens
import Synchronization

/// The all-layer mean-ablation of ViT-L/14 as the pipeline does it, on a few images: seconds of its three passes
/// over images, beside those of the tower alone, and of what is done once, the hours that 5000 + 5000 images would
/// take, and the peak memory.
struct SweepBenchmark {
    private static let memoryGoal = 20
    private static let (fitted, evaluated, firstImages, kept) = (5000, 5000, 250, 100)
    private static let (workers, batch) = (2, 8)

    private let images: Int
    private let tower: VisionTransformer
    private let lenses: [SecondOrderLens]
    private let pixels: [UInt8]

    /// The layer that has as many readers as a layer has on average.
    private var middle: Int { lenses.count / 2 }

    /// - Parameter images: of each pass; both workers run whole batches of them.
    init(images: Int) {
        precondition(images.isMultiple(of: Self.workers * Self.batch))
        let model = BenchmarkModel.vitL14
        let tower = model.make()
        let paths = ValueOutputPaths(tower)
        do {
            lenses = try (0..<tower.blocks.count - 1).map {
                try SecondOrderLens(layer: $0, paths: paths, vision: tower)
            }
        } catch {
            preconditionFailure("the lens refuses random weights: \(error)")
        }
        (self.images, self.tower) = (images, tower)
        pixels = model.images(images, seed: 8)
    }

    func run() -> [String] {
        Host.resetPeakMemory()
        let (lenses, tower) = (lenses, tower)
        let (means, summing) = pass {
            SummingWorker(tower, lenses, capacity: Self.batch)
        } taking: {
            $0[0].means
        }
        let (factors, factorSeconds) = made { lens in
            do {
                return try lens.choleskyFactors()
            } catch {
                preconditionFailure("the lens refuses random weights: \(error)")
            }
        }
        let centred = EffectTables(lenses: lenses, factors: factors, means: means)
        let (floors, bounding) = pass {
            BoundingWorker(tower, centred, capacity: Self.batch)
        } taking: {
            BoundingWorker.floors($0)
        }
        let (_, collecting) = pass {
            CollectingWorker(tower, centred, floors: floors, capacity: Self.batch)
        } taking: { _ in
        }
        let directionSeconds = directions()
        let (readings, readingSeconds) = made { lens in
            DirectionReadings(lens, directions: Self.unitVectors(lens.neurons, lens.embeddingWidth))
        }
        let ablated = AblationTables(effects: centred, thresholds: floors, readings: readings)
        let (resumedSeconds, ablating) = pass {
            AblatingWorker(tower, ablated, resumed: middle, capacity: Self.batch)
        } taking: {
            $0.reduce(0) { $0 + $1.resumedSeconds }
        }
        let peak = Host.peakMemory
        let forward = plainPass()
        let again = resumedSeconds / Double(Self.workers * images)
        let ablation = ablating - again
        let indirect = Double(lenses.count) * again

        let once = 3 * factorSeconds + directionSeconds + readingSeconds
        let withoutIndirect =
            once + Double(Self.firstImages) * summing
            + Double(Self.fitted - Self.firstImages) * bounding + Double(Self.fitted) * collecting
            + Double(Self.evaluated) * ablation
        let title = "ViT-L/14 sweep, \(Self.workers) workers × batch \(Self.batch), \(images) images"
        let (perImage, hours) = ("s/image", 1 / 3600.0)
        return [
            Report.line("\(title): pass 1, first images", [summing], unit: perImage),
            Report.line("\(title): pass 1, others", [bounding], unit: perImage),
            Report.line("\(title): pass 2", [collecting], unit: perImage),
            Report.line("\(title): pass 3", [ablation], unit: perImage),
            Report.line("\(title): pass 3, indirect effect", [indirect], unit: perImage),
            Report.line("\(title): plain forward pass", [forward], unit: perImage),
            Report.line(
                "\(title): pass 3 without the indirect effect over it", [100 * (ablation / forward - 1)], unit: "%",
                goal: .atMost(100 * LensBenchmark.goal)),
            Report.line("\(title): factors, made three times", [factorSeconds], unit: "s"),
            Report.line("\(title): directions", [directionSeconds], unit: "s"),
            Report.line("\(title): what they read", [readingSeconds], unit: "s"),
            Report.line("Projected for 5000 + 5000 images: second order", [withoutIndirect * hours], unit: "h"),
            Report.line(
                "Projected for 5000 + 5000 images: with the indirect effect",
                [(withoutIndirect + Double(Self.evaluated) * indirect) * hours], unit: "h"),
            Report.memory("\(title): peak memory", bytes: peak, goal: Self.memoryGoal << 30),
        ]
    }

    // MARK: Parts

    /// A pass over all images, whose workers' memory is free afterwards.
    /// - Parameter result: what is kept of the workers.
    /// - Returns: beside it, seconds an image, of all workers together.
    private func pass<Worker: EffectWorker, Result>(
        _ make: () -> Worker, taking result: ([Worker]) -> Result
    ) -> (Result, Double) {
        let workers = Workers(Self.workers, makeState: make)
        let (pixels, share) = (pixels, images / Self.workers)
        for (index, worker) in workers.all.enumerated() { worker.images = index * share..<(index + 1) * share }
        let seconds = workers.time { $0.run(pixels) } / Double(images)
        return (result(workers.all), seconds)
    }

    /// Seconds an image of the tower alone.
    private func plainPass() -> Double {
        let (tower, pixels, images) = (tower, pixels, images)
        let size = pixels.count / images
        let workers = Workers(Self.workers) { VisionWorkspace(tower, capacity: Self.batch) }
        return workers.time { workspace in
            pixels.withUnsafeBufferPointer { pixels in
                guard let base = pixels.baseAddress else { return }
                for start in stride(from: 0, to: images / Self.workers, by: Self.batch) {
                    _ = tower(base + start * size, batch: Self.batch, workspace)
                }
            }
        } / Double(images)
    }

    /// Something for every layer, which the workers make together.
    private func made<Value: Sendable>(_ make: @escaping @Sendable (SecondOrderLens) -> Value) -> ([Value], Double) {
        let next = Mutex(0)
        let values = Mutex([Int: Value]())
        let lenses = lenses
        let seconds = Workers(Self.workers) {}.time { _ in
            while true {
                let index = next.withLock { next in
                    next += 1
                    return next - 1
                }
                guard index < lenses.count else { return }
                let value = make(lenses[index])
                values.withLock { $0[index] = value }
            }
        }
        return (values.withLock { values in lenses.indices.compactMap { values[$0] } }, seconds)
    }

    /// Seconds of all layers' directions, by those of the middle layer on every worker.
    private func directions() -> Double {
        let lens = lenses[middle]
        let (N, C, K) = (lens.neurons, Self.kept, lens.headCount)
        var random = SplitMix64(seed: 9)
        func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.uniform(-1...1)) } }
        let largest = LargestEffects(
            norms: Tensor(shape: [N, C], elements: numbers(N * C)), images: (0..<N * C).map { Int32($0 % C) },
            coordinates: Tensor(shape: [N, C, K], elements: numbers(N * C * K)))
        let biasShares = Tensor(shape: [C, lens.embeddingWidth], elements: numbers(C * lens.embeddingWidth))
        let seconds = Workers(Self.workers) {}.time { _ in
            do {
                _ = try PrincipalDirections(lens, largest: largest, biasShares: biasShares)
            } catch {
                preconditionFailure("random effects have no directions: \(error)")
            }
        }
        return seconds * Double(lenses.count) / Double(Self.workers)
    }

    /// // [count, width]
    private static func unitVectors(_ count: Int, _ width: Int) -> Tensor {
        var random = SplitMix64(seed: 10)
        return Tensor(shape: [count, width], elements: (0..<count * width).map { _ in Float(random.uniform(-1...1)) })
            .rowsNormalised()
    }
}
