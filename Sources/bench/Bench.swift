import ArgumentParser
import DenseMath
import Foundation

/// Speed and memory of the image tower and of the second-order lens, with the dimensions of real
/// models and random weights: no download, and the same work on every machine.
@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract:
            "Measures the vision transformer against the peak of matrix products and against PyTorch, and the lens against the vision transformer."
    )

    @Flag(help: "Fewer repeats: a look, not a measurement.")
    var quick = false

    @Flag(help: "Only the all-layer mean-ablation of ViT-L/14, projected from 32 images: about ten minutes, in 14 GiB.")
    var sweep = false

    @Option(help: ArgumentHelp("Only one part: towers, lens, texts, surgery or pursuit.", valueName: "PART"))
    var only: Part?

    enum Part: String, ExpressibleByArgument {
        /// The image towers.
        case towers
        /// The second-order lens beside the image tower.
        case lens
        case texts
        case surgery
        /// Matching pursuit.
        case pursuit
    }

    private var repeats: Int { quick ? 3 : 7 }

    func run() throws {
        BLAS.useOneThread()
        show(Host.description + "\n")
        show(Report.header)
        guard !sweep else { return SweepBenchmark(images: quick ? 16 : 32).run().forEach(show) }
        if only == nil || only == .towers { towers() }
        if only == nil || only == .lens { lens() }
        if only == nil || only == .texts {
            TextBenchmark(texts: quick ? 512 : 2048).run(repeats: quick ? 1 : 3).forEach(show)
        }
        if only == nil || only == .surgery { try surgery() }
        if only == nil || only == .pursuit { pursuit() }
    }

    private func towers() {
        for model in [BenchmarkModel.vitB32, .vitL14] {
            Host.resetPeakMemory()
            let tower = model.make()
            for precision in Precision.allCases {
                for workers in 1...2 {
                    ForwardBenchmark(model, tower, precision: precision, workers: workers).run(repeats: repeats)
                        .forEach(show)
                }
            }
            show(Report.memory("\(model.name): peak memory, 2 workers", bytes: Host.peakMemory))
        }
    }

    private func lens() {
        let model = BenchmarkModel.vitB32
        let tower = model.make()
        Host.resetPeakMemory()
        LensBenchmark(model, tower).run(repeats: 2 * repeats + 1).forEach(show)
        show(Report.memory("\(model.name): peak memory with the lens of all layers, 1 worker", bytes: Host.peakMemory))
        LayerBenchmark.vitB32(tower).run(repeats: repeats).forEach(show)
        LayerBenchmark.vitL14(BenchmarkModel.vitL14.make()).run(repeats: repeats).forEach(show)
    }

    private func surgery() throws {
        let tower = BenchmarkModel.vitB16.make()
        for size in [224, 512] {
            try SurgeryBenchmark(.vitB16, tower, size: size).run(repeats: 2 * repeats + 1).forEach(show)
        }
    }

    private func pursuit() {
        Host.resetPeakMemory()
        MatchingPursuitBenchmark(quick: quick).run(sample: quick ? 1 : 4).forEach(show)
        show(Report.memory("Matching pursuit: peak memory, 2 workers", bytes: Host.peakMemory))
    }

    /// Prints at once, also into a pipe: a measurement takes minutes.
    private func show(_ line: String) {
        print(line)
        fflush(nil)
    }
}
