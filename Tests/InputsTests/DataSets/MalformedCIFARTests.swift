import Archives
import Foundation
import Pickle
import TestSupport
import Testing

@testable import Inputs

/// CIFAR files whose files contradict each other are refused with the file and the place.
@Suite struct MalformedCIFARTests {
    typealias Fixture = DataSetFixtures

    @Test func cifarFaults() throws {
        let root = "cifar-10-batches-bin/"
        let whole = try MemoryFiles(Fixture.archive("cifar-10-binary.tar.gz"))
        var files = whole
        files[root + "test_batch.bin"]?[0] = 10
        #expect(
            dataSetError { try CIFAR(files, split: .test) }
                == .labelOutOfRange(path: "/memory/\(root)test_batch.bin", place: "picture 0", label: 10, classes: 10))
        files = whole
        files[root + "test_batch.bin"]?.removeLast()
        #expect(
            inputError { try CIFAR(files, split: .test) }
                == .malformedFile(
                    path: "/memory/\(root)test_batch.bin", place: "byte 3073", expected: "records of 3073 bytes"))
        files = whole
        files[root + "batches.meta.txt"] = Array("one\ntwo\n".utf8)
        #expect(
            dataSetError { try CIFAR(files, split: .test) }
                == .classCount(path: "/memory/\(root)batches.meta.txt", found: 2, expected: 10))
        files = whole
        files[root + "data_batch_3.bin"] = nil
        #expect(dataSetError { try CIFAR(files, split: .train) } != nil)

        let pickles = try MemoryFiles(Fixture.archive("cifar-100-python.tar.gz"))
        files = pickles
        files["cifar-100-python/test"] = Array("cos\nsystem\n(S'true'\ntR.".utf8)
        guard
            case .unreadablePickle("/memory/cifar-100-python/test", .refusedGlobal(PickleGlobal("os", "system"), _))? =
                dataSetError({ try CIFAR(files, split: .test) })
        else {
            Issue.record("a pickle with a command was not refused by its name")
            return
        }
        let train = try #require(pickles["cifar-100-python/train"])
        files = pickles
        files["cifar-100-python/train"] = Array(train.prefix(train.count / 2))
        guard case .unreadablePickle? = dataSetError({ try CIFAR(files, split: .train) }) else {
            Issue.record("a cut pickle was taken")
            return
        }
    }
}
