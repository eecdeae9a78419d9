import CLIPModel
import DenseMath
import Foundation
import TestSupport
import Testing

@testable import Attribution

/// Gradients against differences of the logit in double precision, with loops only: an oracle that shares
/// nothing with the first.
@Suite struct FiniteDifferenceTests {
    /// The logit as a function of what is added to one entry of one layer's attention. The way there is
    /// recomputed from the residual stream that the pass recorded.
    static func logit(_ pass: AttributionPass, _ weights: [Float], layer: Int, head: Int, entry: Int, added: Double)
        -> Double
    {
        let vision = pass.vision
        let (T, D) = (vision.tokens, vision.width)
        var x = (0..<T).map { t in (0..<D).map { Double(pass.record.layers[layer][.attentionInput][t * D + $0]) } }
        for index in layer..<vision.blocks.count {
            let block = vision.blocks[index]
            let qkv = x.map { affine(block.queryKeyValue, normalise($0, block.attentionNorm)) }
            var mixed = [[Double]](repeating: [], count: T)
            for h in 0..<block.heads {
                for i in 0..<T {
                    let scores = (0..<T).map { j in
                        (0..<block.headWidth).reduce(0) {
                            $0 + qkv[i][h * block.headWidth + $1] * qkv[j][D + h * block.headWidth + $1]
                        } / Double(block.headWidth).squareRoot()
                    }
                    let exponentials = scores.map { exp($0) }
                    var a = exponentials.map { $0 / exponentials.reduce(0, +) }
                    if index == layer && h == head && i == entry / T { a[entry % T] += added }
                    mixed[i] += (0..<block.headWidth).map { e in
                        (0..<T).reduce(0) { $0 + a[$1] * qkv[$1][2 * D + h * block.headWidth + e] }
                    }
                }
            }
            x = zip(x, mixed).map { sum($0, affine(block.attentionOutput, $1)) }
            x = x.map { x in
                let hidden = affine(block.mlpInput, normalise(x, block.mlpNorm)).map {
                    block.activation == .quickGELU
                        ? $0 / (1 + exp(-1.702 * $0)) : $0 * (1 + erf($0 / 2.0.squareRoot())) / 2
                }
                return sum(x, affine(block.mlpOutput, hidden))
            }
        }
        let r = times(vision.readout.projection, normalise(x[0], vision.readout.norm))
        return 20 * zip(r, weights).reduce(0) { $0 + $1.0 * Double($1.1) } / r.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }

    @Test(arguments: Activation.allCases) func gradientsAreSlopesOfTheLogit(activation: Activation) {
        var configuration = RandomVision.configuration
        configuration.activation = activation
        let vision = RandomVision.make(configuration, seed: 6)
        let classifier = RandomVision.classifier(vision, classes: 4)
        let pass = AttributionWorkspace(vision, classifier: classifier, logitScale: 20).run(
            RandomVision.images(1, seed: 8))
        let weights = Array(classifier[row: 3])
        let step = 1e-5
        for layer in 1..<vision.blocks.count {
            let gradient = pass.gradients(of: 3)[layer]
            let (T, heads) = (vision.tokens, vision.configuration.heads)
            let slopes = (0..<heads * T * T).map { index in
                let (head, entry) = (index / (T * T), index % (T * T))
                let above = Self.logit(pass, weights, layer: layer, head: head, entry: entry, added: step)
                let below = Self.logit(pass, weights, layer: layer, head: head, entry: entry, added: -step)
                return (above - below) / (2 * step)
            }
            let error = relativeError(array(gradient, heads * T * T), slopes)
            #expect(error < 1e-4, "layer \(layer) off by \(error)")
        }
    }

    private static func normalise(_ x: [Double], _ norm: LayerNorm) -> [Double] {
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        let sigma = (variance + Double(norm.epsilon)).squareRoot()
        return x.indices.map { Double(norm.weight[$0]) * (x[$0] - mean) / sigma + Double(norm.bias[$0]) }
    }

    private static func times(_ matrix: Tensor, _ x: [Double]) -> [Double] {
        (0..<matrix.shape[0]).map { row in zip(matrix[row: row], x).reduce(0) { $0 + Double($1.0) * $1.1 } }
    }

    private static func affine(_ linear: Linear, _ x: [Double]) -> [Double] {
        sum(times(linear.weight, x), linear.bias.map(Double.init))
    }

    private static func sum(_ x: [Double], _ y: [Double]) -> [Double] { zip(x, y).map { $0 + $1 } }
}
