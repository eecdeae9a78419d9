import DenseMath
import Foundation
import Pipeline
import Safetensors
import Testing

@testable import Experiments

/// Columns come back as they were, are joined row below row, and are refused where they do not fit together.
@Suite struct ColumnTableTests {
    struct Inner: ColumnSet, Equatable {
        var scores: [Double] = []
        static let columns: [Column<Self>] = [.rows("scores", \.scores)]
    }

    struct Table: ColumnTable, Equatable {
        var classes = 0
        var sizes: [Int] = []
        var labels: [Int32] = []
        var cosines: [Float] = []
        var vectors = Tensor(zeros: [0, 0])
        var names: [String] = []
        var objects: [[Int32]] = []
        var files: [Data] = []
        var pixels = Data()
        var inner = Inner()
        var layers: [Int: Inner] = [:]

        static let columns: [Column<Self>] = [
            .shared("classes", \.classes), .shared("sizes", \.sizes), .rows("labels", \.labels),
            .rows("cosines", \.cosines) { [$0.classes] }, .rows("vectors", \.vectors), .texts("names", \.names),
            .lists("objects", \.objects), .files("files", \.files, of: "files"),
            .bytes("pixels", \.pixels) { _ in [2] },
            .table("inner-", \.inner), .layers(\.layers),
        ]
    }

    let table = Table(
        classes: 3, sizes: [4, 1], labels: [7, -1], cosines: [1, 2, 3, 4, 5, 6],
        vectors: Tensor(shape: [2, 2], elements: [1, 2, 3, 4]), names: ["é\n", ""], objects: [[], [1, -1]],
        files: [Data([1]), Data(), Data([2, 3])], pixels: Data([9, 8, 7, 6]), inner: Inner(scores: [0.5, 0.25]),
        layers: [3: Inner(scores: [1]), 0: Inner(scores: [])])

    @Test func comesBack() throws {
        #expect(try Table(table.stored()) == table)
        #expect(try Table(Table().stored()) == Table())
        try expectNoPartCanBeMissing(table)
    }

    @Test func rowsOfPartsStandBelowEachOther() throws {
        var all = Table()
        try all.append(table)
        #expect(all == table)
        try all.append(table)
        #expect(all.classes == 3 && all.sizes == [4, 1] && all.labels == [7, -1, 7, -1])
        #expect(
            all.cosines == table.cosines + table.cosines && all.vectors.shape == [4, 2]
                && all.vectors[row: 3] == [3, 4])
        #expect(
            all.names == ["é\n", "", "é\n", ""] && all.objects == [[], [1, -1], [], [1, -1]] && all.files.count == 6)
        #expect(all.pixels == table.pixels + table.pixels && all.inner.scores == [0.5, 0.25, 0.5, 0.25])
        #expect(all.layers[3]?.scores == [1, 1] && all.layers[0]?.scores == [])
        #expect(try Table(all.stored()) == all)
    }

    @Test func whatDoesNotFitIsRefused() throws {
        try expectRefusal(table, "labels", [3], integers: true)
        try expectRefusal(table, "labels", [2, 1], integers: true)
        try expectRefusal(table, "cosines", [2, 2])
        try expectRefusal(table, "cosines", [6])
        try expectRefusal(table, "vectors", [3, 2])
        try expectRefusal(table, "vectors", [4])
        try expectRefusal(table, "classes", [2], integers: true)
        try expectRefusal(table, "names-lengths", numbers: [2, 2])
        try expectRefusal(table, "objects-lengths", numbers: [-1, 3])
        try expectRefusal(table, "inner-scores", [3])
        var other = table
        // Parts whose rows have other widths are no parts of one table.
        other = table
        other.classes = 2
        var all = table
        #expect(throws: PipelineError.self) { try all.append(other) }
        other = table
        other.sizes = [4, 2]
        #expect(throws: PipelineError.self) { try all.append(other) }
        other = table
        // Every message names the column and what it was compared with.
        other.labels.append(1)
        let error = try #require(throws: PipelineError.self) { try Table(other.stored()) }
        guard case .invalidArtefact("cosines", "2 images, where 'labels' has 3") = error else {
            Issue.record("\(error)")
            return
        }
    }
}
