import DenseMath
import Dispatch
import Foundation
import Foundations

/// Sparse texts of all neurons of a layer of ViT-B/32 (neurons × phrases × width of the joint space), beside
/// scikit-learn on a sample of such neurons.
struct MatchingPursuitBenchmark {
    static let goal = 200.0
    private static let (neurons, phrases, width, workers) = (3072, 30_000, 512, 2)
    private static let sizes = [4, 8, 16, 32, 64, 128]

    private let neurons: Int
    private let pursuit: MatchingPursuit
    private let peak: Workers<MatrixPeak>
    private let parts: Workers<Tensor>

    /// - Parameter quick: an eighth of the neurons.
    init(quick: Bool) {
        var random = SplitMix64(seed: 7)
        let neurons = Self.neurons / (quick ? 8 : 1)
        self.neurons = neurons
        pursuit = MatchingPursuit(dictionary: Self.pool(&random))
        peak = Workers(Self.workers) { MatrixPeak() }
        parts = Workers(Self.workers) { Self.gaussian(neurons / Self.workers, &random).rowsNormalised() }
    }

    func run(sample: Int) -> [String] {
        let pursuit = pursuit
        let before = MatrixPeak.measure(peak)
        let seconds = parts.time { directions in _ = pursuit(directions, sizes: Self.sizes) }
        let best = max(before, MatrixPeak.measure(peak))
        let m = Self.sizes[Self.sizes.count - 1]
        // The matrix products alone: correlations of all phrases at every step.
        let operations = 2 * Double(neurons) * Double(Self.phrases) * Double(Self.width * m)
        let rate = Double(neurons) / seconds
        let title = "Matching pursuit, \(parts.count) workers"
        let lines = [
            Report.line("\(title): SGEMM peak", [best * 1e-9], unit: "GFLOP/s"),
            Report.line("\(title): \(neurons) × \(Self.phrases) × \(Self.width), m = \(m)", [seconds], unit: "s"),
            Report.line("\(title): neurons", [rate], unit: "1/s"),
            Report.line("\(title): share of peak", [100 * operations / seconds / best], unit: "%"),
        ]
        switch ScikitLearn.time(sample: sample, atoms: Self.phrases, width: Self.width, coefficients: m) {
        case .timed(let timing):
            return lines + [
                Report.line(
                    "scikit-learn \(timing.version), all cores: one neuron of \(sample)", [timing.secondsPerNeuron],
                    unit: "s"),
                Report.line(
                    "scikit-learn \(timing.version), all cores: Gram matrix, once", [timing.gramSeconds], unit: "s"),
                Report.line(
                    "Matching pursuit over scikit-learn, rates", [rate * timing.secondsPerNeuron], unit: "×",
                    goal: .atLeast(Self.goal)),
            ]
        case .absent:
            return lines + [Report.note("scikit-learn", "not found: CLIP_LENS_PYTHON names a Python that has it")]
        case .failed(let status):
            return lines + [Report.note("scikit-learn", "its benchmark ended with status \(status)")]
        }
    }

    /// Like the embeddings of many texts: unit vectors with a common mean in clusters of ten, minus their
    /// mean, each dimension divided by its norm, times 100. // [phrases, width]
    private static func pool(_ random: inout SplitMix64) -> Tensor {
        let (common, centres, own) = (gaussian(1, &random), gaussian(phrases / 10, &random), gaussian(phrases, &random))
        var pool = own
        for phrase in 0..<phrases {
            for i in 0..<width {
                pool.elements[phrase * width + i] =
                    1.5 * common.elements[i] + centres.elements[phrase / 10 * width + i] + 0.5
                    * own.elements[phrase * width + i]
            }
        }
        pool = pool.rowsNormalised()
        for i in 0..<width {
            let column = stride(from: i, to: pool.elements.count, by: width)
            let mean = column.reduce(0) { $0 + Double(pool.elements[$1]) } / Double(phrases)
            let square = column.reduce(0) {
                $0 + (Double(pool.elements[$1]) - mean) * (Double(pool.elements[$1]) - mean)
            }
            for index in column {
                pool.elements[index] = Float(100 * (Double(pool.elements[index]) - mean) / square.squareRoot())
            }
        }
        return pool
    }

    /// Standard normal numbers (Box–Muller). // [rows, width]
    private static func gaussian(_ rows: Int, _ random: inout SplitMix64) -> Tensor {
        var result = Tensor(zeros: [rows, width])
        for i in result.elements.indices {
            result.elements[i] = Float((-2 * log(1 - random.uniform())).squareRoot() * cos(2 * .pi * random.uniform()))
        }
        return result
    }
}

/// scripts/bench_matching_pursuit.py, where a Python with scikit-learn is found.
private enum ScikitLearn {
    struct Timing: Decodable {
        let secondsPerNeuron: Double
        let gramSeconds: Double
        let version: String
    }

    enum Outcome {
        case timed(Timing)
        case absent
        case failed(status: Int32)
    }

    /// Found from this file's own path, so that the working directory does not matter.
    private static let script = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("scripts/bench_matching_pursuit.py").path

    static func time(sample: Int, atoms: Int, width: Int, coefficients: Int) -> Outcome {
        guard run(["-c", "import sklearn"])?.status == 0 else { return .absent }
        let arguments = ["--atoms", atoms, "--width", width, "--coefficients", coefficients, "--neurons", sample].map {
            "\($0)"
        }
        guard let (status, output) = run([script] + arguments) else { return .absent }
        guard status == 0, let timing = try? JSONDecoder().decode(Timing.self, from: output) else {
            return .failed(status: status)
        }
        return .timed(timing)
    }

    private static func run(_ arguments: [String]) -> (status: Int32, output: Data)? {
        let python = ProcessInfo.processInfo.environment["CLIP_LENS_PYTHON"] ?? "python3"
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [python] + arguments
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        do {
            try process.run()
            let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            return (process.terminationStatus, output)
        } catch {
            return nil
        }
    }
}
