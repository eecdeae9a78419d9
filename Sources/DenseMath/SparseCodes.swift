/// Signals written as sums of a few atoms of a dictionary, for several numbers of atoms.
public struct SparseCodes: Sendable, Equatable {
    /// Numbers of atoms, ascending; the last is m.
    public var sizes: [Int]
    /// Atoms in the order of their choice; −1 from where the pursuit of a signal ended. // [n, m]
    public var atoms: [Int32]
    /// Least-squares coefficients of the first atoms by size, zero beyond them; NaN for a signal that the
    /// pursuit could not compute with. // [sizes, n, m]
    public var coefficients: Tensor

    /// - Precondition: the counts fit together.
    public init(sizes: [Int], atoms: [Int32], coefficients: Tensor) {
        precondition(
            coefficients.shape.count == 3 && coefficients.shape[0] == sizes.count && coefficients.shape[2] == sizes.last
                && coefficients.rowWidth == atoms.count,
            "\(atoms.count) atoms of sizes \(sizes) do not fit coefficients of shape \(coefficients.shape)")
        self.sizes = sizes
        self.atoms = atoms
        self.coefficients = coefficients
    }

    /// Signals.
    public var count: Int { coefficients.shape[1] }

    /// r̂ = Σ_j γ_j atom_j for one of the sizes. // [n, d]
    /// - Parameter dictionary: the one that the atoms were chosen from. // [atoms, d]
    public func reconstructions(_ sizeIndex: Int, dictionary: Tensor) -> Tensor {
        precondition(dictionary.shape.count == 2, "a dictionary is a matrix, not of shape \(dictionary.shape)")
        let (d, m) = (dictionary.shape[1], coefficients.shape[2])
        var result = Tensor(zeros: [count, d])
        var row = [Double](repeating: 0, count: d)
        for signal in 0..<count {
            for i in 0..<d { row[i] = 0 }
            for j in 0..<sizes[sizeIndex] {
                let coefficient = Double(coefficients.elements[(sizeIndex * count + signal) * m + j])
                let atom = Int(atoms[signal * m + j])
                // A coefficient without an atom is zero or NaN, and NaN has to be seen in the sum.
                if atom < 0 {
                    for i in 0..<d { row[i] += coefficient }
                } else {
                    for i in 0..<d { row[i] += coefficient * Double(dictionary.elements[atom * d + i]) }
                }
            }
            for i in 0..<d { result.elements[signal * d + i] = Float(row[i]) }
        }
        return result
    }
}
