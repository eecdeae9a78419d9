/// Where the effects of some neurons go, and what is fitted to them. What is nil is not wanted.
struct EffectTensors: Sendable {
    /// What is fitted to the pictures themselves.
    struct Fit: Sendable {
        /// φ̄_n. // [neurons, d]
        var means: StoredRows?
        /// ‖φ_n − φ̄_n‖. // [images, neurons]
        var norms: StoredRows?
        /// r_n. // [neurons, d]
        var principalDirections: StoredRows
        /// // [neurons]
        var secondMomentShares: StoredRows?
        /// t_n. // [neurons]
        var thresholds: StoredRows?
        /// C: images with the largest norms that a direction is fitted to.
        var significantImages: Int
    }

    /// φ_n. // [images, neurons · d]
    var effects: StoredRows?
    /// M_n. // [neurons, K · d]
    var headDirections: StoredRows?
    var fit: Fit?
}
