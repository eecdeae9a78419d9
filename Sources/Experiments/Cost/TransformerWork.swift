import CLIPModel
import DenseMath
import Dispatch
import Foundation
import Pipeline
import Synchronization

/// What the blocks of a tower do: matrix products of these sizes, and all that stands between them.
struct TransformerWork: Workload, Equatable {
    var width, heads, neurons, tokens: Int
    /// Images or texts that run together.
    var batch: Int
    var activation: Activation

    var name: String { "block \(width)x\(neurons), \(heads) heads, \(batch)x\(tokens) tokens, \(activation.rawValue)" }

    /// 2·m·n·k of every matrix product of one block, for one image or text.
    var operations: Double {
        let (T, D, N) = (Double(tokens), Double(width), Double(neurons))
        return 2 * T * (4 * D * D + 2 * D * N) + 4 * T * T * D
    }

    /// 2·m·n·k of every matrix product of the last block of a tower that is read at one token, for one image or text:
    /// queries, keys and values of all tokens, all else of one.
    var lastBlockOperations: Double {
        let (T, D, N) = (Double(tokens), Double(width), Double(neurons))
        return 2 * T * 3 * D * D + 4 * T * D + 2 * (D * D + 2 * D * N)
    }

    /// How long a worker is watched, after a first pass that touches all memory.
    private static let seconds = 0.4

    /// Runs such a block over and over, with about as many tokens, as an image has them.
    func measureSpeed(workers: Int) -> Double {
        let layout = TokenLayout(side: max(Int(Double(tokens).squareRoot().rounded()), 1))
        var work = self
        work.tokens = layout.count
        let (measured, tower) = (work, work.tower(layout))
        let speeds = Mutex<[Double]>([])
        let group = DispatchGroup()
        // More workers than cores share these, and take the longer to measure, the more there are.
        let cores = ProcessInfo.processInfo.activeProcessorCount
        for index in 0..<min(workers, cores) {
            // As the pipeline runs its shards: a serial queue for each worker.
            DispatchQueue(label: "clip-lens.calibration.\(index)").async(group: group) {
                let speed = measured.speed(of: tower)
                speeds.withLock { $0.append(speed) }
            }
        }
        group.wait()
        let share = min(1, Double(cores) / Double(max(workers, 1)))
        return share * speeds.withLock { $0.reduce(0, +) / Double(max($0.count, 1)) }
    }

    /// Operations a second of the processor's time: what else the machine does at this moment says nothing of
    /// the speed that is kept.
    private func speed(of tower: VisionTransformer) -> Double {
        let workspace = VisionWorkspace(tower, capacity: batch, capturing: [[.output]])
        _ = tower.resume(at: 0, batch: batch, workspace, check: {})
        let start = Self.processorSeconds
        var (passes, elapsed) = (0.0, 0.0)
        repeat {
            _ = tower.resume(at: 0, batch: batch, workspace, check: {})
            passes += 1
            elapsed = Self.processorSeconds - start
        } while elapsed < Self.seconds
        return passes * Double(batch) * operations / elapsed
    }

    /// Time that the calling thread has spent on a processor.
    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// A tower of one block, whose patches are pixels.
    private func tower(_ layout: TokenLayout) -> VisionTransformer {
        func linear(_ outputs: Int, _ inputs: Int) -> Linear {
            Linear(
                weight: Tensor(shape: [outputs, inputs], elements: [Float](repeating: 0.01, count: outputs * inputs)),
                bias: [Float](repeating: 0.01, count: outputs))
        }
        let norm = LayerNorm(
            weight: [Float](repeating: 1, count: width), bias: [Float](repeating: 0.01, count: width), epsilon: 1e-5)
        return VisionTransformer(
            configuration: VisionConfiguration(
                imageSize: layout.side, patchSize: 1, width: width, layers: 1, heads: heads, mlpWidth: neurons,
                activation: activation, layerNormEpsilon: 1e-5),
            patchEmbedding: Tensor(zeros: [width, VisionConfiguration.channels]),
            classEmbedding: [Float](repeating: 0, count: width), positionEmbedding: Tensor(zeros: [tokens, width]),
            inputNorm: norm,
            blocks: [
                TransformerBlock(
                    heads: heads, attentionNorm: norm, queryKeyValue: linear(3 * width, width),
                    attentionOutput: linear(width, width), mlpNorm: norm, mlpInput: linear(neurons, width),
                    activation: activation, mlpOutput: linear(width, neurons))
            ],
            readout: Readout(norm: norm, projection: Tensor(zeros: [1, width])),
            normalisation: PixelNormalisation(mean: [0, 0, 0], standardDeviation: [1, 1, 1]))
    }
}
