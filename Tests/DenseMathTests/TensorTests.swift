import DenseMath
import Testing

@Suite struct TensorTests {
    let a = Tensor(shape: [2, 3], elements: [1, 2, 3, 4, 5, 6])

    @Test func rowsAndTransposes() {
        #expect(a.rowWidth == 3)
        #expect(Array(a[row: 1]) == [4, 5, 6])
        #expect(a.transposed() == Tensor(shape: [3, 2], elements: [1, 4, 2, 5, 3, 6]))
        #expect(Tensor(zeros: [2, 2, 5]).rowWidth == 10)
    }

    @Test func products() {
        let b = Tensor(shape: [3, 2], elements: [1, 0, 0, 1, 1, 1])
        let expected = Tensor(shape: [2, 2], elements: [4, 5, 10, 11])
        #expect(a.times(b) == expected)
        #expect(a.times(b.transposed(), transposed: true) == expected)
    }

    @Test func unitRowsLeaveZerosAlone() {
        let unit = Tensor(shape: [3, 2], elements: [3, 4, 0, 0, 1e-20, 0]).rowsNormalised()
        #expect(unit.elements == [0.6, 0.8, 0, 0, 1, 0])
    }

    @Test func copiesAreIndependent() {
        var copy = a
        copy.elements[0] = 9
        #expect(a.elements[0] == 1)
    }
}
