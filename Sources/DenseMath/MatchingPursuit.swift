/// Orthogonal matching pursuit (Pati, Rezaiifar and Krishnaprasad 1993) of many signals at once, with atoms
/// of any length.
///
/// Each step chooses the atom with the largest |⟨atom, residual⟩| (atoms are not normalised, so long ones
/// are favoured) and sets the coefficients of all chosen atoms by least squares. The result is that of
/// scikit-learn's `SparseCoder(transform_algorithm="omp")`, that is of its Gram-based solver, on 64-bit numbers:
///
/// - The pursuit of a signal ends early when the largest correlation has a square below 2⁻⁵², when its atom
///   is one of the chosen, and when what is left of it outside the span of the chosen has a squared length of
///   2⁻⁵² or less. (The bounds are absolute: they mean what they say for atoms and signals of length about 1.)
/// - Exact ties go to the atom that stands first, where each chosen atom has changed places with the one
///   that stood at its step's number. (There, rounding decides ties of equal atoms; here they are exact.)
/// - More atoms than the dictionary has, an error there, are an early end here; so are more than d.
/// - Signals or dictionaries with numbers that are not finite, an error there, give no atoms and NaN as
///   coefficients here; so does a signal whose products with the atoms can exceed a `Float`.
///
/// The correlations of a step are one matrix product in single precision. It only shortens the list: every
/// atom that its rounding errors could have kept from being the largest is compared again in double
/// precision. So the result of a signal depends neither on the other signals nor on the shapes and kernels
/// of the matrix product, and shards may be cut anywhere.
public struct MatchingPursuit: Sendable {
    /// // [atoms, d]
    public let dictionary: Tensor
    /// ‖longest atom‖; NaN or infinite if the dictionary is not finite.
    private let longest: Double

    /// Signals that share a matrix product; more of them spread the cost of reading the dictionary.
    private static let chunk = 512
    /// Atoms of a matrix product: its result should stay in the cache until it has been looked at.
    private static let block = 1024

    /// - Precondition: the dictionary is a matrix.
    public init(dictionary: Tensor) {
        precondition(dictionary.shape.count == 2, "a dictionary is a matrix, not of shape \(dictionary.shape)")
        self.dictionary = dictionary
        longest = (0..<dictionary.shape[0]).lazy.map { dictionary[row: $0].length }.largestMagnitude()
    }

    /// Runs on one thread; callers spread signals over workers.
    /// - Parameters:
    ///   - signals: // [n, d]
    ///   - sizes: ascending numbers of atoms, the last is m; coefficients are given for each.
    /// - Precondition: signals and atoms have the same width; `sizes` ascends from 1 or more.
    public func callAsFunction(_ signals: Tensor, sizes: [Int]) -> SparseCodes {
        let d = dictionary.shape[1]
        precondition(
            signals.shape.count == 2 && signals.shape[1] == d,
            "signals of shape \(signals.shape), atoms of \(d) numbers")
        precondition(!sizes.isEmpty && zip([0] + sizes, sizes).allSatisfy(<), "sizes do not ascend: \(sizes)")
        let n = signals.shape[0]
        let m = sizes[sizes.count - 1]
        var atoms = [Int32](repeating: -1, count: n * m)
        var coefficients = Tensor(zeros: [sizes.count, n, m])
        for start in stride(from: 0, to: n, by: Self.chunk) {
            let pursuits = (start..<min(start + Self.chunk, n)).map { signal in
                SignalPursuit(signals[row: signal], dictionary: dictionary, longest: longest, sizes: sizes)
            }
            run(pursuits)
            for (offset, pursuit) in pursuits.enumerated() {
                let signal = start + offset
                atoms.replaceSubrange(signal * m..<signal * m + pursuit.atoms.count, with: pursuit.atoms)
                for (index, size) in sizes.enumerated() {
                    let first = (index * n + signal) * m
                    if !pursuit.isComputable {
                        for j in 0..<size { coefficients.elements[first + j] = .nan }
                    }
                    for (j, coefficient) in pursuit.coefficients(index).enumerated() {
                        coefficients.elements[first + j] = Float(coefficient)
                    }
                }
            }
        }
        return SparseCodes(sizes: sizes, atoms: atoms, coefficients: coefficients)
    }

    private func run(_ pursuits: [SignalPursuit]) {
        let (atoms, d) = (dictionary.shape[0], dictionary.shape[1])
        let width = min(atoms, Self.block)
        let residuals = FloatBuffer(pursuits.count * d)
        let correlations = FloatBuffer(pursuits.count * width)
        var active = pursuits.filter(\.isActive)
        dictionary.elements.withUnsafeBufferPointer { elements in
            guard let base = elements.baseAddress else { return }
            while !active.isEmpty {
                for (row, pursuit) in active.enumerated() { pursuit.beginStep(residual: residuals.base + row * d) }
                for first in stride(from: 0, to: atoms, by: width) {
                    let count = min(width, atoms - first)
                    BLAS.multiply(
                        active.count, count, d, residuals.base, stride: d, base + first * d, stride: d,
                        otherTransposed: true, into: correlations.base, stride: width)
                    for (row, pursuit) in active.enumerated() {
                        pursuit.look(at: correlations.base + row * width, count: count, firstAtom: first)
                    }
                }
                for pursuit in active { pursuit.endStep(base) }
                active.removeAll { !$0.isActive }
            }
        }
    }
}

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
