import DenseMath
import Foundation

/// The derivative of an MLP's non-linearity from its input v and its output p.
///
/// Both have the form p = v·s(v), so that s = p/v needs no second exponential or error function.
enum ActivationGradient {
    /// gradient ← gradient ∘ activation′(v)
    static func apply(
        _ activation: Activation, to gradient: UnsafeMutablePointer<Float>, input: UnsafePointer<Float>,
        output: UnsafePointer<Float>, count: Int
    ) {
        switch activation {
        case .quickGELU:
            // s the logistic function of 1.702 v: (v s)′ = s (1 + 1.702 v (1 − s)) = s (1 + 1.702 (v − p))
            for i in 0..<count {
                let (v, p) = (input[i], output[i])
                let share = v == 0 ? 0.5 : p / v
                gradient[i] *= share * (1 + 1.702 * (v - p))
            }
        case .gelu:
            // s = Φ(v): (v Φ)′ = Φ + v φ(v)
            let density = 1 / (2 * Float.pi).squareRoot()
            for i in 0..<count {
                let (v, p) = (input[i], output[i])
                let share = v == 0 ? 0.5 : p / v
                gradient[i] *= share + v * density * exp(-0.5 * v * v)
            }
        }
    }
}
