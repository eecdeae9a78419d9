import CKernels

/// The state of the pursuit of one signal: the atoms chosen, their coefficients and the residual.
///
/// Orthogonalising the chosen atoms in their order gives rows q_i = Σ_{j≤i} U_ij a_j. U is kept instead of
/// the rows: it is smaller, the atoms are in the dictionary anyway, and the coefficients of a residual's part
/// along q_i are row i of U. Everything but the list of candidates is in double precision.
final class SignalPursuit {
    /// Below, squares count as zero: what scikit-learn's solver has for 64-bit numbers.
    private static let least = Double.ulpOfOne

    private let d: Int
    private let sizes: [Int]
    /// No more atoms than this can be independent.
    private let rank: Int
    let isComputable: Bool
    private(set) var isActive: Bool

    private(set) var atoms: [Int32] = []
    private var current: [Double] = []
    /// The coefficients at the sizes passed so far.
    private var recorded: [[Double]] = []

    private(set) var residual: [Double]
    private var residualLength: Double
    /// The residual in single precision, for the matrix product.
    private var rounded: [Float]
    /// U, rows end to end.
    private var triangle: [Double] = []
    /// 1/‖q_i‖²
    private var inverseSquares: [Double] = []
    private var scratch: [Double]
    private var order: SwapOrder

    /// Largest error of a correlation in single precision, by the residual's length.
    private let relativeError: Double
    private var largest: Float = 0
    private var window: Float = 0
    private var candidates: [(atom: Int32, magnitude: Float)] = []

    init(_ signal: ArraySlice<Float>, dictionary: Tensor, longest: Double, sizes: [Int]) {
        d = dictionary.shape[1]
        self.sizes = sizes
        rank = min(sizes.last ?? 0, dictionary.shape[0], d)
        residual = signal.map(Double.init)
        rounded = Array(signal)
        residualLength = signal.length
        // NaN compares as false. A partial sum of a product is at most the product of the lengths.
        isComputable = residualLength * longest <= Double(Float.greatestFiniteMagnitude)
        isActive = isComputable && rank > 0
        // d products and sums, the rounding of the residual, and the sums of a product cut into parts.
        relativeError = Double(d + 16) * Double(Float.ulpOfOne) / 2 * longest
        scratch = [Double](repeating: 0, count: 2 * rank)
        order = SwapOrder(rank)
    }

    /// Coefficients of the first atoms for one of the sizes, fewer if the pursuit ended before.
    func coefficients(_ sizeIndex: Int) -> [Double] {
        sizeIndex < recorded.count ? recorded[sizeIndex] : current
    }

    // MARK: One step

    func beginStep(residual target: UnsafeMutablePointer<Float>) {
        for i in 0..<d { target[i] = rounded[i] }
        largest = 0
        // Two correlations may be wrong by the error each; the rest is for the rounding of this bound.
        window = Float(2.001 * relativeError * residualLength)
        candidates.removeAll(keepingCapacity: true)
    }

    /// Notes the atoms of a block whose correlation may be the largest.
    func look(at correlations: UnsafePointer<Float>, count: Int, firstAtom: Int) {
        let peak = ck_largest_magnitude(correlations, count)
        guard peak >= largest - window else { return }
        largest = max(largest, peak)
        let bound = largest - window
        for i in 0..<count where correlations[i].magnitude >= bound {
            candidates.append((Int32(truncatingIfNeeded: firstAtom + i), correlations[i].magnitude))
        }
    }

    /// Chooses the atom and brings coefficients and residual up to date.
    func endStep(_ dictionary: UnsafePointer<Float>) {
        guard let (atom, correlation) = bestCandidate(dictionary), correlation * correlation >= Self.least,
            extend(by: atom, dictionary)
        else {
            isActive = false
            return
        }
        if sizes[recorded.count] == atoms.count { recorded.append(current) }
        isActive = atoms.count < rank
    }

    private func bestCandidate(_ dictionary: UnsafePointer<Float>) -> (atom: Int32, correlation: Double)? {
        let bound = largest - window
        let close = candidates.lazy.filter { $0.magnitude >= bound }.map(\.atom)
        let contenders = Array(close)
        var products = [Double](repeating: 0, count: contenders.count)
        KernelProfile.measure(.pursuit, operations: 2 * d * contenders.count, values: d * (contenders.count + 2)) {
            ck_atom_products(dictionary, d, contenders, contenders.count, residual, &products)
        }
        var best: (atom: Int32, correlation: Double)?
        for (atom, product) in zip(contenders, products) {
            guard let leader = best else {
                best = (atom, product.magnitude)
                continue
            }
            let isBefore = product.magnitude == leader.correlation && order[atom] < order[leader.atom]
            if product.magnitude > leader.correlation || isBefore { best = (atom, product.magnitude) }
        }
        return best
    }

    /// - Returns: whether the atom is independent of those chosen before; one of them is not.
    private func extend(by atom: Int32, _ dictionary: UnsafePointer<Float>) -> Bool {
        let row = dictionary + Int(atom) * d
        var orthogonal = (0..<d).map { Double(row[$0]) }
        let atomSquare = orthogonal.reduce(0) { $0 + $1 * $1 }
        var square = atomSquare
        var combination = [Double](repeating: 0, count: atoms.count)
        if !atoms.isEmpty {
            func pass() {
                let k = atoms.count
                KernelProfile.measure(.pursuit, operations: 4 * d * k + 2 * k * k, values: d * (k + 4) + k * k) {
                    ck_orthogonalise(
                        dictionary, d, atoms, k, triangle, inverseSquares, &orthogonal, &combination, &scratch)
                }
                square = orthogonal.reduce(0) { $0 + $1 * $1 }
            }
            pass()
            // Where much has cancelled, rounding errors lie in the span; a second pass takes them away.
            if square < atomSquare / 2 { pass() }
            let rounding = 64 * Double.ulpOfOne
            guard square > max(Self.least, rounding * rounding * atomSquare) else { return false }
        }
        let coefficient = zip(orthogonal, residual).reduce(0) { $0 + $1.0 * $1.1 } / square
        let residualSquare = ck_update_residual(&residual, orthogonal, coefficient, d, &rounded)
        residualLength = residualSquare.squareRoot()
        for j in atoms.indices { current[j] -= coefficient * combination[j] }
        current.append(coefficient)
        triangle += combination.lazy.map { -$0 }
        triangle.append(1)
        inverseSquares.append(1 / square)
        order.choose(atom, step: atoms.count)
        atoms.append(atom)
        return true
    }
}

/// Where atoms stand after each chosen one has changed places with the atom at its step's number.
private struct SwapOrder {
    /// By atom, of the atoms that can have been moved away: those that stood at a step's number.
    private var places: [Int32]
    /// By place.
    private var occupants: [Int32]

    init(_ steps: Int) {
        places = (0..<steps).map { Int32(truncatingIfNeeded: $0) }
        occupants = places
    }

    subscript(atom: Int32) -> Int32 {
        Int(atom) < places.count ? places[Int(atom)] : atom
    }

    mutating func choose(_ atom: Int32, step: Int) {
        let place = self[atom]
        let moved = occupants[step]
        if Int(atom) < places.count { places[Int(atom)] = Int32(truncatingIfNeeded: step) }
        // When an atom changes places with itself this writes the same again.
        places[Int(moved)] = place
        if Int(place) < occupants.count { occupants[Int(place)] = moved }
    }
}

extension ArraySlice<Float> {
    /// Euclidean, in double precision.
    var length: Double { reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() }
}
