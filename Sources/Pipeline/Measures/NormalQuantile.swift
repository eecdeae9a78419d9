import Foundation

/// The inverse of the standard normal distribution.
public enum NormalQuantile {
    /// The z with Φ(z) = `probability`, to the last digits of a double.
    ///
    /// A rational first guess (Abramowitz and Stegun, 26.2.23), mended by Newton's method.
    /// - Parameter probability: above 0 and below 1.
    /// - Precondition: the probability is one.
    public static func of(_ probability: Double) -> Double {
        precondition(probability > 0 && probability < 1, "\(probability) is no probability of anything")
        guard probability <= 0.5 else { return -of(1 - probability) }
        let t = (-2 * log(probability)).squareRoot()
        var z = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t
        for _ in 0..<4 {
            let density = exp(-z * z / 2) / (2 * Double.pi).squareRoot()
            guard density > 0 else { break }
            z -= (erfc(-z / 2.0.squareRoot()) / 2 - probability) / density
        }
        return z
    }
}
