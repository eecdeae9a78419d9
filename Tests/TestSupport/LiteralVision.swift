import CLIPModel
import DenseMath
import Foundation

/// The image tower as the formulas have it, one image at a time, in double precision and with loops
/// only: the slow oracle of the engine and of the lens.
public struct LiteralVision {
    public typealias Vector = [Double]
    /// a_i of the class token. // [L][H][T]
    public private(set) var attention: [[Vector]] = []
    /// μ and σ of ln_1. // [L][T]
    public private(set) var mean: [Vector] = []
    public private(set) var sigma: [Vector] = []
    /// p_i^n after the non-linearity. // [L][T][N]
    public private(set) var activations: [[Vector]] = []
    /// The class token after ln_pre. // [D]
    public private(set) var embedding: Vector = []
    /// What each head adds to the class token, without b_O. // [L][H][D]
    public private(set) var headOutputs: [[Vector]] = []
    /// What each MLP adds to the class token, with its bias. // [L][D]
    public private(set) var mlpOutputs: [Vector] = []
    public private(set) var outputMean = 0.0
    public private(set) var outputSigma = 0.0
    /// r(I). // [d]
    public private(set) var representation: Vector = []
    /// c(I) = 100/‖r(I)‖
    public var scale: Double { 100 / representation.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    public let vision: VisionTransformer

    /// - Parameters:
    ///   - replacing: activations that stand in for those of a layer (indirect effect). // [T][N]
    public init(_ vision: VisionTransformer, image: ArraySlice<UInt8>, replacing: [Int: [Vector]] = [:]) {
        self.vision = vision
        let configuration = vision.configuration
        let pixels = Array(image)
        let (T, D, patch, size) = (configuration.tokens, vision.width, configuration.patchSize, configuration.imageSize)
        let (means, deviations) = ([0.48, 0.46, 0.41], [0.27, 0.26, 0.28])
        var x = (0..<T).map { token -> Vector in
            if token == 0 { return vision.classEmbedding.map(Double.init) }
            let (row, column) = ((token - 1) / (size / patch), (token - 1) % (size / patch))
            var input: Vector = []
            for c in 0..<3 {
                for y in 0..<patch {
                    for k in 0..<patch {
                        let value = Double(pixels[((row * patch + y) * size + column * patch + k) * 3 + c])
                        input.append((value / 255 - means[c]) / deviations[c])
                    }
                }
            }
            return Self.times(vision.patchEmbedding.weight, input)
        }
        for token in 0..<T { x[token] = Self.sum(x[token], vision.positionEmbedding[row: token].map(Double.init)) }
        x = x.map { Self.normalise($0, vision.inputNorm).out }
        embedding = x[0]

        for (layer, block) in vision.blocks.enumerated() {
            let statistics = x.map { Self.normalise($0, block.attentionNorm) }
            mean.append(statistics.map(\.mean))
            sigma.append(statistics.map(\.sigma))
            let qkv = statistics.map { Self.affine(block.queryKeyValue, $0.out) }
            let width = block.headWidth
            var mixed = [Vector](repeating: Vector(repeating: 0, count: D), count: T)
            var rows: [Vector] = []
            for head in 0..<block.heads {
                for i in 0..<T {
                    let scores = (0..<T).map { j in
                        (0..<width).reduce(0.0) { $0 + qkv[i][head * width + $1] * qkv[j][D + head * width + $1] }
                            / Double(width).squareRoot()
                    }
                    let exponentials = scores.map { exp($0 - (scores.max() ?? 0)) }
                    let a = exponentials.map { $0 / exponentials.reduce(0, +) }
                    if i == 0 { rows.append(a) }
                    for e in 0..<width {
                        mixed[i][head * width + e] = (0..<T).reduce(0.0) {
                            $0 + a[$1] * qkv[$1][2 * D + head * width + e]
                        }
                    }
                }
            }
            attention.append(rows)
            headOutputs.append(
                (0..<block.heads).map { Self.output(block, $0, Array(mixed[0][$0 * width..<($0 + 1) * width])) })
            x = zip(x, mixed).map { Self.sum($0, Self.affine(block.attentionOutput, $1)) }
            let p =
                replacing[layer]
                ?? x.map {
                    Self.affine(block.mlpInput, Self.normalise($0, block.mlpNorm).out).map {
                        Self.activate($0, block.activation)
                    }
                }
            activations.append(p)
            mlpOutputs.append(Self.affine(block.mlpOutput, p[0]))
            x = zip(x, p).map { Self.sum($0, Self.affine(block.mlpOutput, $1)) }
        }
        let pooled = Self.normalise(x[0], vision.readout.norm)
        (outputMean, outputSigma) = (pooled.mean, pooled.sigma)
        representation = Self.times(vision.readout.projection, pooled.out)
    }

    /// φ_n(I), equations (1) and (2) term by term. // [d]
    public func secondOrderEffect(layer: Int, neuron: Int) -> Vector {
        let (L, H, D) = (vision.blocks.count, vision.configuration.heads, vision.width)
        let block = vision.blocks[layer]
        let N = Double(block.neurons)
        let outputBias = block.mlpOutput.bias.map(Double.init)
        let w = (0..<D).map { Double(block.mlpOutput.weight.elements[$0 * block.neurons + neuron]) }
        let gammaStar = vision.readout.norm.weight.map(Double.init)
        let betaStar = vision.readout.norm.bias.map(Double.init)
        var total = Vector(repeating: 0, count: D)
        var constant = Vector(repeating: 0, count: D)
        for reader in layer + 1..<L {
            let block = vision.blocks[reader]
            let gamma = block.attentionNorm.weight.map(Double.init)
            let beta = block.attentionNorm.bias.map(Double.init)
            let c1 = Double(1 + 2 * reader) * N
            let c2 = Double(1 + 2 * reader) * Double(1 + 2 * L) * Double(H) * N
            for head in 0..<H {
                let a = attention[reader][head]
                let tokens = a.indices
                // The neuron's own part.
                let read = tokens.reduce(0.0) { $0 + a[$1] * activations[layer][$1][neuron] / sigma[reader][$1] }
                let own = Self.output(block, head, Self.value(block, head, (0..<D).map { gamma[$0] * read * w[$0] }))
                // Its share of biases and means.
                let alpha = tokens.reduce(0.0) { $0 + a[$1] / sigma[reader][$1] }
                let kappa = tokens.reduce(0.0) { $0 + a[$1] * mean[reader][$1] / sigma[reader][$1] }
                let q = (0..<D).map { gamma[$0] * (alpha * outputBias[$0] / N - kappa / c1) + beta[$0] / c1 }
                let width = block.headWidth
                let valueBias = block.queryKeyValue.bias[(2 * D + head * width)...].prefix(width).map {
                    Double($0) / c1
                }
                let share = Self.output(block, head, Self.sum(Self.value(block, head, q), valueBias))
                for i in 0..<D {
                    let outBias = Double(block.attentionOutput.bias[i]) / (c1 * Double(H))
                    total[i] += gammaStar[i] / outputSigma * (own[i] + share[i] + outBias - outputMean / c2)
                    constant[i] += betaStar[i] / c2
                }
            }
        }
        return Self.times(vision.readout.projection, Self.sum(total, constant)).map { scale * $0 }
    }

    /// c Pᵀ(γ* ∘ v)/σ*: what a vector in the class token's residual stream adds to c·r. // [D] → [d]
    public func directEffect(of v: Vector) -> Vector {
        let scaled = v.indices.map { Double(vision.readout.norm.weight[$0]) * v[$0] / outputSigma }
        return Self.times(vision.readout.projection, scaled).map { scale * $0 }
    }

    // MARK: Linear algebra, literally

    private static func activate(_ x: Double, _ activation: Activation) -> Double {
        switch activation {
        case .quickGELU: x / (1 + exp(-1.702 * x))
        case .gelu: x * (1 + erf(x / 2.0.squareRoot())) / 2
        }
    }

    private static func normalise(_ x: Vector, _ norm: LayerNorm) -> (out: Vector, mean: Double, sigma: Double) {
        let mean = x.reduce(0, +) / Double(x.count)
        let sigma = (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count) + Double(norm.epsilon))
            .squareRoot()
        return (x.indices.map { Double(norm.weight[$0]) * (x[$0] - mean) / sigma + Double(norm.bias[$0]) }, mean, sigma)
    }

    static func times(_ matrix: Tensor, _ x: Vector) -> Vector {
        (0..<matrix.shape[0]).map { row in
            zip(matrix[row: row], x).reduce(0) { $0 + Double($1.0) * $1.1 }
        }
    }

    private static func affine(_ linear: Linear, _ x: Vector) -> Vector {
        sum(times(linear.weight, x), linear.bias.map(Double.init))
    }

    private static func sum(_ x: Vector, _ y: Vector) -> Vector { zip(x, y).map { $0 + $1 } }

    /// W_V of one head. // [D] → [d_h]
    private static func value(_ block: TransformerBlock, _ head: Int, _ x: Vector) -> Vector {
        (0..<block.headWidth).map { e in
            zip(block.queryKeyValue.weight[row: 2 * block.width + head * block.headWidth + e], x)
                .reduce(0) { $0 + Double($1.0) * $1.1 }
        }
    }

    /// W_O of one head. // [d_h] → [D]
    private static func output(_ block: TransformerBlock, _ head: Int, _ x: Vector) -> Vector {
        (0..<block.width).map { i in
            (0..<block.headWidth).reduce(0) {
                $0 + Double(block.attentionOutput.weight.elements[i * block.width + head * block.headWidth + $1])
                    * x[$1]
            }
        }
    }
}
