import Foundation
import Testing

@testable import Safetensors

@Suite struct LayoutTests {
    /// A file that is put together by a layout in any order is the one that the writer makes.
    @Test func aLayoutIsTheWritersFile() throws {
        let tensors = [
            "b": try StoredTensor([Float(1), .nan, -0.0], shape: [3]),
            "a": try StoredTensor([Int32(7)], shape: [1, 1]),
            "c": try StoredTensor([UInt8(1), 2, 3], shape: [3]), "empty": try StoredTensor([Float](), shape: [0, 4]),
        ]
        let metadata = ["k": "\"v\"\n", "é": ""]
        let layout = try SafetensorsLayout(
            tensors.map { TensorDeclaration($0.key, $0.value.type, shape: $0.value.shape) }, metadata: metadata)
        var file = Data(count: layout.byteCount)
        file.replaceSubrange(0..<layout.header.count, with: layout.header)
        for (name, tensor) in tensors {
            let record = try #require(layout.tensors[name])
            #expect(record.byteRange.count == tensor.data.count)
            file.replaceSubrange(record.byteRange, with: tensor.data)
        }
        #expect(try file == SafetensorsWriter(tensors: tensors, metadata: metadata).data())
        let read = try SafetensorsFile(bytes: file, path: "x")
        #expect(read.tensors == layout.tensors)
        #expect(read.metadata == metadata)
        #expect(layout.header.count.isMultiple(of: 8))
    }

    @Test func namesStandOnceAndAreNotReserved() {
        let a = TensorDeclaration("a", shape: [1])
        #expect(throws: SafetensorsError.duplicateName("a")) { try SafetensorsLayout([a, a]) }
        #expect(throws: SafetensorsError.reservedName("__metadata__")) {
            try SafetensorsLayout([TensorDeclaration("__metadata__", shape: [1])])
        }
    }

    @Test(arguments: [[-1], [Int.max, 2], [1 << 40, 1 << 40]]) func shapesThatCannotBeAreRefused(shape: [Int]) {
        #expect(throws: SafetensorsError.impossibleShape(tensor: "a", shape: shape)) {
            try SafetensorsLayout([TensorDeclaration("a", shape: shape)])
        }
    }

    @Test func tensorsThatTogetherOverflowAreRefused() {
        // 2^59 bytes each; the sixteenth ends at 2^63.
        let shape = [1 << 59]
        let names = (0..<20).map { String(format: "%02d", $0) }
        #expect(throws: SafetensorsError.impossibleShape(tensor: "15", shape: shape)) {
            try SafetensorsLayout(names.map { TensorDeclaration($0, .uint8, shape: shape) })
        }
    }

    /// Every reader refuses headers above 100 MB.
    @Test func aHeaderThatNobodyReadsIsRefused() throws {
        let text = String(repeating: "x", count: 100_000_000)
        let error = #expect(throws: SafetensorsError.self) { try SafetensorsLayout([], metadata: ["k": text]) }
        guard case .headerTooLarge(let bytes)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(bytes > 100_000_000)
    }
}
