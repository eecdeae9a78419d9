import DenseMath
import Foundations
import Testing

@Suite struct FactorisationTests {
    /// A Aᵀ of a random n×k matrix. // [n, n]
    static func gram(_ n: Int, _ k: Int) -> [Float] {
        let a = Tensor(shape: [n, k], elements: RowKernelTests.random(n * k, scale: 1))
        return a.times(a, transposed: true).elements
    }

    static func product(_ r: [Float], _ n: Int) -> [Double] {
        (0..<n * n).map { index in
            (0..<n).reduce(0.0) { $0 + Double(r[$1 * n + index / n]) * Double(r[$1 * n + index % n]) }
        }
    }

    @Test(arguments: [1, 3, 16, 37]) func choleskyFactorsMultiplyToTheMatrix(n: Int) throws {
        let gram = Self.gram(n, n + 5)
        var r = [Float](repeating: .nan, count: n * n)
        try Factorisations.cholesky(gram, count: n, into: &r)
        RowKernelTests.expectClose(gram, Self.product(r, n), relative: 1e-5, absolute: 1e-5)
        for i in 0..<n { for j in 0..<i { #expect(r[i * n + j] == 0) } }
    }

    /// Vectors that depend on each other, and none at all.
    @Test(arguments: [1, 4]) func singularMatricesHaveFactors(rank: Int) throws {
        let n = 12
        let gram = Self.gram(n, rank)
        var r = [Float](repeating: 0, count: n * n)
        try Factorisations.cholesky(gram, count: n, into: &r)
        RowKernelTests.expectClose(gram, Self.product(r, n), relative: 1e-3, absolute: 1e-3)

        try Factorisations.cholesky([Float](repeating: 0, count: n * n), count: n, into: &r)
        #expect(r.allSatisfy { abs($0) < 1e-15 })
    }

    @Test func whatIsNoGramMatrixIsRefused() {
        var r = [Float](repeating: 0, count: 4)
        #expect(throws: FactorisationError.notFinite) {
            try Factorisations.cholesky([1, 0, 0, .nan], count: 2, into: &r)
        }
        #expect(throws: FactorisationError.notFinite) {
            try Factorisations.cholesky([.infinity, 0, 0, 1], count: 2, into: &r)
        }
        #expect(throws: FactorisationError.self) { try Factorisations.cholesky([1, 0, 0, -1], count: 2, into: &r) }
    }

    @Test func largestEigenpairIsFound() throws {
        // Eigenvalues 1, 3 and 5; that of 5 is e_2.
        var matrix: [Double] = [2, 1, 0, 1, 2, 0, 0, 0, 5]
        let (value, vector) = try Factorisations.largestEigenpair(&matrix, count: 3)
        #expect(abs(value - 5) < 1e-12)
        #expect(abs(abs(vector[2]) - 1) < 1e-12 && abs(vector[0]) < 1e-12 && abs(vector[1]) < 1e-12)

        let n = 100
        let gram = Self.gram(n, 30).map(Double.init)
        var copy = gram
        let (largest, direction) = try Factorisations.largestEigenpair(&copy, count: n)
        for i in 0..<n {
            let image = (0..<n).reduce(0) { $0 + gram[i * n + $1] * direction[$1] }
            #expect(abs(image - largest * direction[i]) < 1e-8 * largest)
        }
        var infinite: [Double] = [1, 0, 0, .infinity]
        #expect(throws: FactorisationError.notFinite) { try Factorisations.largestEigenpair(&infinite, count: 2) }
    }

    @Test(arguments: [1, 12, 16, 17, 40]) func packedTrianglesGiveTheSameNorms(n: Int) {
        var r = RowKernelTests.random(n * n)
        for i in 0..<n { for j in 0..<i { r[i * n + j] = 0 } }
        var packed = [Float](repeating: .nan, count: PackedTriangle.count(n))
        PackedTriangle.pack(r, count: n, into: &packed)
        let rows = 23  // two full blocks, a half one and a remainder
        let x = RowKernelTests.random(rows * n, seed: 9)
        var found = [Float](repeating: 0, count: rows)
        PackedTriangle.squares(packed, count: n, x, rows: rows, into: &found)
        let expected = (0..<rows).map { b in
            (0..<n).reduce(0.0) { sum, i in
                let y = (i..<n).reduce(0.0) { $0 + Double(r[i * n + $1]) * Double(x[b * n + $1]) }
                return sum + y * y
            }
        }
        RowKernelTests.expectClose(found, expected, relative: 1e-5)
        // The bytes do not depend on how many vectors run together.
        for b in 0..<rows {
            var alone: [Float] = [0]
            PackedTriangle.squares(packed, count: n, Array(x[b * n..<(b + 1) * n]), rows: 1, into: &alone)
            #expect(alone[0] == found[b])
        }
    }

    @Test func largestEigenpairsAreOrthonormalAndSatisfyTheirEquation() throws {
        // Aᵀ A of rank 5: two eigenvalues are zero.
        let n = 7
        var random = SplitMix64(seed: 12)
        let a = (0..<5 * n).map { _ in random.uniform(-1...1) }
        var gram = [Double](repeating: 0, count: n * n)
        BLAS.multiply(n, n, 5, a, stride: n, transposed: true, a, stride: n, into: &gram, stride: n)
        for kept in [1, 3, n] {
            var matrix = gram
            let (values, vectors) = try Factorisations.largestEigenpairs(&matrix, count: n, keeping: kept)
            #expect(values.count == kept && vectors.count == kept * n)
            #expect(values == values.sorted(by: >))
            if kept == n {
                let trace = (0..<n).reduce(0) { $0 + gram[$1 * n + $1] }
                #expect(abs(values.reduce(0, +) - trace) < 1e-12)
                #expect(abs(values[5]) < 1e-12 && values[4] > 1e-3)
            }
            for i in 0..<kept {
                for j in 0..<kept {
                    let dot = (0..<n).reduce(0) { $0 + vectors[i * n + $1] * vectors[j * n + $1] }
                    #expect(abs(dot - (i == j ? 1 : 0)) < 1e-12)
                }
                for row in 0..<n {
                    let product = (0..<n).reduce(0) { $0 + gram[row * n + $1] * vectors[i * n + $1] }
                    #expect(abs(product - values[i] * vectors[i * n + row]) < 1e-12)
                }
            }
        }
    }
}
