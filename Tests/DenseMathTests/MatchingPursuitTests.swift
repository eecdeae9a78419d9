import Foundation
import Foundations
import Testing

@testable import DenseMath

/// Codes of scikit-learn, and the literal algorithm in double precision.
@Suite struct MatchingPursuitTests {
    // MARK: scikit-learn

    struct Fixture: Decodable {
        struct Case: Decodable, CustomTestStringConvertible {
            let name: String
            let dictionary: [[Float]]
            let signals: [[Float]]
            let sizes: [Int]
            let atoms: [[Int32]]
            let coefficients: [[[Double]]]
            var testDescription: String { name }
        }
        let cases: [Case]

        static func load() throws -> [Case] {
            let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("Fixtures/matching-pursuit.json")
            return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: file)).cases
        }
    }

    @Test(arguments: try Fixture.load()) func codesAreThoseOfScikitLearn(_ expected: Fixture.Case) throws {
        let signals = Self.matrix(expected.signals)
        let codes = MatchingPursuit(dictionary: Self.matrix(expected.dictionary))(signals, sizes: expected.sizes)
        let m = try #require(expected.sizes.last)
        var error = 0.0
        for (signal, order) in expected.atoms.enumerated() {
            let found = Array(codes.atoms[signal * m..<(signal + 1) * m])
            #expect(found == order, "signal \(signal)")
            // Sizes beyond the number of atoms are refused there, and end early here.
            for (index, size) in expected.sizes.enumerated() where index < expected.coefficients.count {
                let row = (index * codes.count + signal) * m
                let values = codes.coefficients.elements[row..<row + m].map(Double.init)
                let reference = expected.coefficients[index][signal]
                #expect(values[reference.count...].allSatisfy { $0 == 0 }, "signal \(signal), \(size) atoms")
                for (a, b) in zip(values, reference) { error = max(error, abs(a - b)) }
            }
        }
        #expect(error < 1e-6, "\(expected.name): coefficients differ by \(error)")
    }

    // MARK: The literal algorithm

    @Test func codesAreThoseOfTheLiteralAlgorithm() {
        let (atoms, d, m) = (300, 40, 24)
        var random = SplitMix64(seed: 7)
        let dictionary = Self.pool(atoms, d, &random)
        let signals = Self.gaussian(30, d, &random)
        let codes = MatchingPursuit(dictionary: dictionary)(signals, sizes: [3, m])
        var error = 0.0
        for signal in 0..<30 {
            let x = signals[row: signal].map(Double.init)
            let literal = LiteralPursuit(dictionary, x, steps: m)
            #expect(
                Array(codes.atoms[signal * m..<(signal + 1) * m]) == literal.atoms.map(Int32.init), "signal \(signal)")
            for (index, size) in codes.sizes.enumerated() {
                let row = (index * 30 + signal) * m
                for (j, value) in codes.coefficients.elements[row..<row + m].enumerated() {
                    error = max(error, abs(Double(value) - (j < size ? literal.coefficients[size - 1][j] : 0)))
                }
            }
        }
        #expect(error < 1e-6, "coefficients differ by \(error)")
    }

    @Test func reconstructionsAreTheSumsOfTheirAtoms() {
        var random = SplitMix64(seed: 8)
        let dictionary = Self.pool(80, 24, &random)
        let signals = Self.gaussian(5, 24, &random)
        let codes = MatchingPursuit(dictionary: dictionary)(signals, sizes: [2, 24])
        for index in 0..<2 {
            let found = codes.reconstructions(index, dictionary: dictionary)
            #expect(found.shape == [5, 24])
            for signal in 0..<5 {
                for i in 0..<24 {
                    let expected = (0..<24).reduce(0.0) { sum, j in
                        let atom = Int(codes.atoms[signal * 24 + j])
                        return sum + Double(codes.coefficients.elements[(index * 5 + signal) * 24 + j])
                            * Double(dictionary.elements[atom * 24 + i])
                    }
                    let error = abs(Double(found.elements[signal * 24 + i]) - expected)
                    #expect(error < 1e-6, "size \(codes.sizes[index]), signal \(signal): \(error)")
                }
            }
        }
        // As many independent atoms as numbers give the signal back.
        let error = zip(codes.reconstructions(1, dictionary: dictionary).elements, signals.elements).map { $0 - $1 }
            .largestMagnitude()
        #expect(error < 1e-5, "\(error)")
    }

    // MARK: Dependent atoms

    /// Products of large numbers leave rounding errors far above the absolute bounds of the end.
    @Test(arguments: [Float(1), 1e4, 1e8]) func dependentAtomsEndThePursuitAtAnyScale(_ scale: Float) {
        var random = SplitMix64(seed: 12)
        // 40 combinations, with small whole numbers, of four vectors: exact, so of rank four.
        let vectors = (0..<4).map { _ in (0..<20).map { _ in Float(random.below(7)) - 3 } }
        var dictionary = Tensor(zeros: [40, 20])
        for atom in 0..<40 {
            for vector in vectors {
                let factor = scale * (Float(random.below(7)) - 3)
                for i in 0..<20 { dictionary.elements[atom * 20 + i] += factor * vector[i] }
            }
        }
        var signals = Self.gaussian(30, 20, &random)
        for i in signals.elements.indices { signals.elements[i] *= scale }
        let codes = MatchingPursuit(dictionary: dictionary)(signals, sizes: [12])
        for signal in 0..<30 {
            let chosen = codes.atoms[signal * 12..<(signal + 1) * 12].filter { $0 >= 0 }
            #expect(chosen.count == 4, "signal \(signal) at scale \(scale): \(chosen)")
        }
    }

    /// Atoms that differ by 1e-5 only: one orthogonalisation leaves up to 4e-10.
    @Test func residualsAreOrthogonalToNearlyEqualAtoms() {
        let d = 12
        var random = SplitMix64(seed: 13)
        let (common, own) = (Self.gaussian(1, d, &random), Self.gaussian(d - 1, d, &random))
        var dictionary = Tensor(zeros: [d - 1, d])
        for i in dictionary.elements.indices {
            dictionary.elements[i] = common.elements[i % d] + 1e-5 * own.elements[i]
        }
        let signal = Self.gaussian(1, d, &random)
        let pursuit = SignalPursuit(signal.elements[...], dictionary: dictionary, longest: 2, sizes: [d - 1])
        while pursuit.isActive {
            var residual = [Float](repeating: 0, count: d)
            pursuit.beginStep(residual: &residual)
            // As inexact as a matrix product may be.
            pursuit.look(
                at: (0..<d - 1).map { BLAS.dot(residual, Array(dictionary[row: $0]), count: d) }, count: d - 1,
                firstAtom: 0)
            pursuit.endStep(dictionary.elements)
            let largest = pursuit.atoms.map { atom in
                zip(dictionary[row: Int(atom)], pursuit.residual).reduce(0) { $0 + Double($1.0) * $1.1 }
            }.largestMagnitude()
            #expect(largest < 1e-13, "\(pursuit.atoms.count) atoms: \(largest)")
        }
        #expect(pursuit.atoms.count > 5)
    }

    // MARK: What must not matter

    @Test func aSignalsBytesDoNotDependOnTheOthers() {
        var random = SplitMix64(seed: 9)
        // More atoms than one matrix product takes, many of them equal, and more signals than one takes.
        var dictionary = Self.pool(2100, 16, &random)
        for atom in 1500..<2100 {
            for i in 0..<16 { dictionary.elements[atom * 16 + i] = dictionary.elements[(atom - 1400) * 16 + i] }
        }
        let signals = Self.gaussian(700, 16, &random)
        let pursuit = MatchingPursuit(dictionary: dictionary)
        let together = pursuit(signals, sizes: [2, 6])
        for (start, end) in [(0, 1), (1, 4), (4, 37), (37, 350), (350, 700)] {
            let part = Tensor(shape: [end - start, 16], elements: Array(signals.elements[start * 16..<end * 16]))
            let alone = pursuit(part, sizes: [2, 6])
            #expect(alone.atoms == Array(together.atoms[start * 6..<end * 6]), "signals \(start)..<\(end)")
            for size in 0..<2 {
                let rows = (size * 700 + start) * 6..<(size * 700 + end) * 6
                let own = alone.coefficients[row: size]
                #expect(own.elementsEqual(together.coefficients.elements[rows]), "signals \(start)..<\(end)")
            }
        }
    }

    /// Of equal atoms the first is taken, wherever the matrix product put it.
    @Test func equalAtomsAreExactTies() {
        var random = SplitMix64(seed: 10)
        let distinct = Self.gaussian(37, 19, &random)
        let copies = Tensor(shape: [37 * 3, 19], elements: distinct.elements + distinct.elements + distinct.elements)
        let signals = Self.gaussian(50, 19, &random)
        let codes = MatchingPursuit(dictionary: copies)(signals, sizes: [1])
        #expect(codes.atoms == MatchingPursuit(dictionary: distinct)(signals, sizes: [1]).atoms)
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity, 1e38]) func numbersThatAreNoneAreSeen(_ bad: Float) {
        var random = SplitMix64(seed: 11)
        let dictionary = Self.pool(50, 12, &random)
        var signals = Self.gaussian(3, 12, &random)
        let clean = MatchingPursuit(dictionary: dictionary)(signals, sizes: [2, 5])
        signals.elements[12 + 7] = bad
        let codes = MatchingPursuit(dictionary: dictionary)(signals, sizes: [2, 5])
        for signal in 0..<3 {
            let isBad = signal == 1
            let atoms = codes.atoms[signal * 5..<(signal + 1) * 5]
            #expect(isBad ? atoms.allSatisfy { $0 == -1 } : atoms == clean.atoms[signal * 5..<(signal + 1) * 5])
            for (index, size) in codes.sizes.enumerated() {
                let row = (index * 3 + signal) * 5
                let values = codes.coefficients.elements[row..<row + 5]
                if isBad {
                    #expect(values.prefix(size).allSatisfy(\.isNaN) && values.dropFirst(size).allSatisfy { $0 == 0 })
                } else {
                    #expect(values == clean.coefficients.elements[row..<row + 5])
                }
                let reconstruction = codes.reconstructions(index, dictionary: dictionary)[row: signal]
                #expect(reconstruction.allSatisfy { $0.isNaN == isBad })
            }
        }
        var spoiled = dictionary
        spoiled.elements[100] = bad
        // An atom of 1e38 alone does no harm to signals of length 1 or so.
        let all = MatchingPursuit(dictionary: spoiled)(clean.reconstructions(1, dictionary: dictionary), sizes: [1])
        #expect(all.coefficients.elements.allSatisfy { $0.isNaN == !bad.isFinite })
    }

    @Test func nothingInNothingOut() {
        let none = Tensor(zeros: [0, 4])
        let some = Tensor(shape: [1, 4], elements: [1, 2, 3, 4])
        let withoutSignals = MatchingPursuit(dictionary: some)(none, sizes: [3])
        #expect(withoutSignals == SparseCodes(sizes: [3], atoms: [], coefficients: Tensor(zeros: [1, 0, 3])))
        let withoutAtoms = MatchingPursuit(dictionary: none)(some, sizes: [3])
        #expect(withoutAtoms == SparseCodes(sizes: [3], atoms: [-1, -1, -1], coefficients: Tensor(zeros: [1, 1, 3])))
        #expect(withoutAtoms.reconstructions(0, dictionary: none) == Tensor(zeros: [1, 4]))
    }

    // MARK: Data

    static func matrix(_ rows: [[Float]]) -> Tensor {
        Tensor(shape: [rows.count, rows.first?.count ?? 0], elements: rows.flatMap { $0 })
    }

    static func gaussian(_ rows: Int, _ columns: Int, _ random: inout SplitMix64) -> Tensor {
        var result = Tensor(zeros: [rows, columns])
        for i in result.elements.indices {
            result.elements[i] = Float((-2 * log(1 - random.uniform())).squareRoot() * cos(2 * .pi * random.uniform()))
        }
        return result.rowsNormalised()
    }

    /// Unit vectors with clusters and a common mean, centred, each dimension by its norm, times 100.
    static func pool(_ atoms: Int, _ d: Int, _ random: inout SplitMix64) -> Tensor {
        let (mean, centres, own) = (
            gaussian(1, d, &random), gaussian(atoms / 4, d, &random), gaussian(atoms, d, &random)
        )
        var result = Tensor(zeros: [atoms, d])
        for atom in 0..<atoms {
            let centre = random.below(atoms / 4)
            for i in 0..<d {
                result.elements[atom * d + i] =
                    1.5 * mean.elements[i] + centres.elements[centre * d + i] + 0.05 * own.elements[atom * d + i]
            }
        }
        result = result.rowsNormalised()
        for i in 0..<d {
            let column = (0..<atoms).map { Double(result.elements[$0 * d + i]) }
            let average = column.reduce(0, +) / Double(atoms)
            let norm = column.reduce(0) { $0 + ($1 - average) * ($1 - average) }.squareRoot()
            for atom in 0..<atoms { result.elements[atom * d + i] = Float(100 * (column[atom] - average) / norm) }
        }
        return result
    }
}

/// Step by step from the definition: correlations with the residual, and normal equations solved anew by
/// Gaussian elimination at every step.
private struct LiteralPursuit {
    var atoms: [Int] = []
    /// By number of atoms less one.
    var coefficients: [[Double]] = []

    init(_ dictionary: Tensor, _ signal: [Double], steps: Int) {
        let rows = (0..<dictionary.shape[0]).map { dictionary[row: $0].map(Double.init) }
        func product(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
        var residual = signal
        for _ in 0..<steps {
            var (best, largest) = (0, -1.0)
            for (atom, row) in rows.enumerated() where abs(product(row, residual)) > largest {
                (best, largest) = (atom, abs(product(row, residual)))
            }
            atoms.append(best)
            let n = atoms.count
            var system = atoms.map { a in atoms.map { b in product(rows[a], rows[b]) } + [product(rows[a], signal)] }
            for pivot in 0..<n {
                let row = (pivot..<n).max { abs(system[$0][pivot]) < abs(system[$1][pivot]) } ?? pivot
                system.swapAt(pivot, row)
                for other in 0..<n where other != pivot {
                    let factor = system[other][pivot] / system[pivot][pivot]
                    for column in pivot...n { system[other][column] -= factor * system[pivot][column] }
                }
            }
            let solution = (0..<n).map { system[$0][n] / system[$0][$0] }
            coefficients.append(solution)
            residual = signal
            for (atom, coefficient) in zip(atoms, solution) {
                for i in residual.indices { residual[i] -= coefficient * rows[atom][i] }
            }
        }
    }
}
